//! The client of an API without `FromCall`.

use omni_connector::prelude::*;

#[derive(Clone)]
struct Tracker {
    api: Api,
}

impl ApiClient for Tracker {
    type Config = Value;
    type Credentials = Value;

    fn connect(_: &Value, _: &Value) -> Result<Self> {
        let api = Api::at("https://api.example");
        Ok(Self { api })
    }
}

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self, tracker: Tracker) -> Result<()> {
        tracker.api.get("x").read::<Value>().await?;
        Ok(())
    }
}

fn main() {}
