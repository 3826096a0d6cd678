//! A custom type, built from config and credentials, as an argument.

use omni_connector::{
    arguments::{Call, FromCall},
    prelude::*,
};

#[derive(Deserialize)]
struct Settings {
    url: Url,
}

#[derive(Deserialize)]
struct ApiKey {
    api_key: SecretString,
}

struct Tracker {
    url: Url,
    key: SecretString,
}

impl<C: Call> FromCall<C> for Tracker {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        let settings: Settings = call.config()?;
        let key: ApiKey = call.credentials()?;
        Ok(Self {
            url: settings.url,
            key: key.api_key,
        })
    }

    const NEEDS_CREDENTIALS: bool = true;
}

#[connector(name = "github", source_types = [Github], config = Settings, credentials = ApiKey, actions = [whoami])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self, tracker: Tracker, ctx: SyncContext) -> Result<()> {
        ctx.delete(format!("{}{}", tracker.url, tracker.key.expose())).await?;
        Ok(())
    }
}

/// Say who asks.
#[action(read)]
async fn whoami(tracker: Tracker, key: Option<Credentials<ApiKey>>) -> Result<String> {
    Ok(format!("{} {}", tracker.url, key.is_some()))
}

fn main() {
    assert!(Github.requires_credentials());
}
