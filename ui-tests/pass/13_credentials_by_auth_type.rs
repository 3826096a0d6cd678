//! A credential with several forms, its settings, a client of an API, and an unavailable mode. Another path for
//! `crate`.

extern crate omni_connector as framework;

mod omni_connector {}

use framework::prelude::*;

#[derive(CredentialSet)]
#[credential_set(crate = ::framework)]
enum Login {
    #[auth_type(api_key, bearer_token)]
    Token(Token),
    Oauth(SignedIn),
}

#[derive(Deserialize)]
struct Token {
    token: SecretString,
}

/// Two forms of one auth type.
#[derive(Deserialize)]
#[serde(untagged)]
enum SignedIn {
    Person { access_token: SecretString },
    Client { client_id: String },
}

#[derive(Deserialize)]
struct Site {
    domain: String,
}

#[derive(Clone, FromCall)]
#[from_call(crate = ::framework)]
struct Tracker {
    api: Api,
}

impl ApiClient for Tracker {
    type Config = Value;
    type Credentials = Option<Login>;

    fn connect(_: &Value, login: &Option<Login>) -> Result<Self> {
        let api = Api::at("https://api.example");
        let api = match login {
            Some(Login::Token(form)) => api.auth(Auth::bearer(&form.token)),
            Some(Login::Oauth(SignedIn::Person { access_token })) => {
                api.auth(Auth::bearer(access_token))
            }
            Some(Login::Oauth(SignedIn::Client { client_id })) => bail!("{client_id} signs nobody in"),
            None => api,
        };
        Ok(Self { api })
    }
}

#[connector(
    name = "wiki",
    source_types = [Confluence],
    sync_modes = [full, realtime],
    credentials = Login,
    crate = ::framework
)]
struct Wiki;

#[connector(crate = ::framework)]
impl Wiki {
    #[validate]
    async fn offers(&self, mode: SyncType, site: Option<CredentialSettings<Site>>) -> Result<()> {
        if mode == SyncType::Realtime && site.is_none_or(|site| site.domain.is_empty()) {
            bail!(Unavailable::new("the site sends no notices"));
        }
        Ok(())
    }

    #[sync]
    async fn sync(&self, mode: SyncType, tracker: Tracker, _login: Credentials<Login>) -> Result<()> {
        tracker.api.get(mode).read::<Value>().await?;
        Ok(())
    }
}

fn main() {
    let row = json!({ "auth_type": "oauth", "credentials": { "client_id": "omni" } });
    let login: Login = framework::serde_json::from_value(row).unwrap();
    assert!(matches!(login, Login::Oauth(SignedIn::Client { .. })));
}
