//! Credentials in the form of their `auth_type`, their settings, and modes refused by `#[validate]`.

use omni_connector::{McpCredentials, decode, http::WithSettings, prelude::*};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::header};

use crate::support::{self, Manager, Served, serve};

/// The forms of a credential.
#[derive(CredentialSet)]
enum Login {
    BasicAuth(Basic),
    #[auth_type(api_key, bearer_token)]
    Token(Token),
    #[auth_type(oauth)]
    SignedIn(SignedIn),
}

#[derive(Deserialize)]
struct Basic {
    username: String,
    password: SecretString,
}

#[derive(Deserialize)]
struct Token {
    token: SecretString,
}

/// Two forms of one `auth_type`.
#[derive(Deserialize)]
#[serde(tag = "grant", rename_all = "snake_case")]
enum SignedIn {
    Client { client_id: String },
    Person { access_token: SecretString },
}

impl Login {
    fn shown(&self) -> String {
        match self {
            Self::BasicAuth(basic) => format!("{}:{}", basic.username, basic.password.expose()),
            Self::Token(token) => format!("token {}", token.token.expose()),
            Self::SignedIn(SignedIn::Client { client_id }) => format!("client {client_id}"),
            Self::SignedIn(SignedIn::Person { access_token }) => access_token.expose().to_owned(),
        }
    }
}

#[derive(Deserialize)]
struct Site {
    domain: Option<String>,
}

#[derive(Clone, FromCall)]
struct Tracker {
    _api: Api,
    login: String,
}

impl ApiClient for Tracker {
    type Config = Value;
    type Credentials = Option<Login>;

    fn connect(_: &Value, login: &Option<Login>) -> Result<Self> {
        Ok(Self {
            _api: Api::at("http://127.0.0.1:1"),
            login: login.as_ref().map_or("nobody".to_owned(), Login::shown),
        })
    }
}

/// The client of a site, which only the settings of the credential name.
#[derive(Clone, FromCall)]
struct OfSite {
    api: Api,
}

#[derive(Deserialize)]
struct Home {
    domain: String,
}

impl ApiClient for OfSite {
    type Config = Value;
    type Credentials = WithSettings<Login, Home>;

    fn connect(_: &Value, WithSettings { secret, settings }: &Self::Credentials) -> Result<Self> {
        let api = Api::at(format!("http://{}", settings.domain));
        Ok(Self {
            api: api.auth(Auth::bearer(&secret.shown().into())),
        })
    }
}

/// A system that takes several forms of credentials.
#[connector(
    name = "several",
    source_types = [Web],
    sync_modes = [full, incremental, realtime],
    credentials = Login,
    state = Value
)]
struct Several;

#[connector]
impl Several {
    #[validate]
    async fn offers(&self, mode: SyncType, source: Source) -> Result<()> {
        match source.config["offers"].as_str() {
            Some("no_notices") if mode == SyncType::Realtime => {
                bail!(Unavailable::new("the folder sends no notices"))
            }
            Some("nothing") => bail!("the folder does not exist"),
            _ => Ok(()),
        }
    }

    #[sync]
    async fn sync(
        &self,
        login: Credentials<Login>,
        mode: SyncType,
        ctx: SyncContext,
    ) -> Result<()> {
        ctx.delete(format!("{mode} {}", login.shown())).await?;
        Ok(())
    }

    /// Who is signed in.
    #[action(read)]
    async fn whoami(&self, login: Credentials<Login>) -> Result<String> {
        Ok(login.shown())
    }

    /// As whom the client works.
    #[action(read)]
    async fn client(&self, tracker: Tracker) -> Result<String> {
        Ok(tracker.login)
    }

    /// What the site of the credential answers.
    #[action(read)]
    async fn ask_site(&self, site: OfSite) -> Result<Value> {
        Ok(site.api.get("hello").read().await?)
    }

    /// Of which site the credential is.
    #[action(read)]
    async fn site(&self, site: CredentialSettings<Site>) -> Result<String> {
        Ok(site.domain.clone().unwrap_or_else(|| "none".to_owned()))
    }

    /// Of which site the credential is, if there is one.
    #[action(read)]
    async fn perhaps(&self, site: Option<CredentialSettings<Site>>) -> Result<bool> {
        Ok(site.is_some())
    }

    #[webhook(path = "/hooks/{source_id}")]
    async fn changed(&self, login: Credentials<Login>, tracker: Tracker) -> Result<Webhook> {
        Ok(Webhook::ignore().answer(format!("{} as {}", login.shown(), tracker.login)))
    }
}

fn row(auth_type: &str, secret: &Value, config: &Value) -> Value {
    json!({
        "id": "K1", "source_id": "S1", "user_id": null, "provider": "atlassian", "auth_type": auth_type,
        "principal_email": null, "credentials": secret, "config": config, "expires_at": null,
        "last_validated_at": null, "created_at": "+002026-08-01T09:00:00.000000000Z",
        "updated_at": "+002026-08-01T09:00:00.000000000Z"
    })
}

async fn call(connector: &Served, action: &str, credentials: Value) -> (u16, Value) {
    let body = json!({ "action": action, "params": {}, "source": support::source(), "credentials": credentials });
    connector.post("/action", body.to_string()).await
}

/// Every form, with its `auth_type` and the output of [`Login::shown`].
fn forms() -> [(&'static str, Value, &'static str); 5] {
    let basic = json!({ "username": "ann", "password": "s3cret" });
    [
        ("basic_auth", basic, "ann:s3cret"),
        ("api_key", json!({ "token": "abcdef" }), "token abcdef"),
        ("bearer_token", json!({ "token": "abcdef" }), "token abcdef"),
        (
            "oauth",
            json!({ "grant": "client", "client_id": "omni" }),
            "client omni",
        ),
        (
            "oauth",
            json!({ "grant": "person", "access_token": "ya29" }),
            "ya29",
        ),
    ]
}

#[tokio::test]
async fn the_auth_type_chooses_the_variant_everywhere_credentials_are_used() {
    for (auth_type, secret, shown) in forms() {
        let manager = Manager::start().await;
        let connector = serve(Several, &manager).await;
        let credentials = row(auth_type, &secret, &json!({}));
        for action in ["whoami", "client"] {
            let (status, answer) = call(&connector, action, credentials.clone()).await;
            assert_eq!(
                (status, &answer["result"]),
                (200, &json!(shown)),
                "{answer}"
            );
        }
        manager.give_row(auth_type, &secret, &json!({}));
        let (status, answer) = connector.start("R1", "incremental").await;
        assert_eq!(status, 200, "{answer}");
        connector.ended("R1").await;
        assert_eq!(manager.documents(), [format!("incremental {shown}")]);
        let answer = connector.send("/hooks/S1", "").await.unwrap();
        assert_eq!(answer.text().await.unwrap(), format!("{shown} as {shown}"));
        let behind = McpCredentials::of(&serde_json::from_value(credentials.clone()).unwrap());
        assert_eq!(behind.secret::<Login>().unwrap().shown(), shown);
        let alone: Login = serde_json::from_value(credentials).unwrap();
        assert_eq!(alone.shown(), shown, "also for a test of the author");
    }
}

#[tokio::test]
async fn an_auth_type_that_is_not_accepted_is_refused_with_the_accepted_ones() {
    let manager = Manager::start().await;
    let connector = serve(Several, &manager).await;
    let secret = json!({ "token": "hunter2" });
    manager.give_row("jwt", &secret, &json!({}));
    let (status, answer) = connector.start("R1", "full").await;
    let message = answer["message"].as_str().unwrap();
    assert_eq!(status, 400, "{answer}");
    assert_eq!(
        message,
        "invalid credentials: the `auth_type` is `jwt`, which this connector does not accept\n\
         help: connect the source with one of `basic_auth`, `api_key`, `bearer_token`, `oauth`"
    );
    for action in ["whoami", "client"] {
        let (status, answer) = call(&connector, action, row("jwt", &secret, &json!({}))).await;
        assert_eq!(
            (status, answer["error"].as_str()),
            (400, Some(message)),
            "{action}"
        );
    }
    let (status, answer) = call(&connector, "client", Value::Null).await;
    assert_eq!(
        (status, &answer["result"]),
        (200, &json!("nobody")),
        "{answer}"
    );
}

#[test]
fn an_invalid_credential_is_refused_with_its_field_and_without_its_value() {
    for (auth_type, secret, problem) in [
        (
            "basic_auth",
            json!({ "username": "hunter2" }),
            "the field `password` is missing",
        ),
        (
            "api_key",
            json!({ "token": ["hunter2"] }),
            "`token` is of the wrong type, expected a string",
        ),
        (
            "api_key",
            json!("hunter2"),
            "it is of the wrong type, expected struct Token",
        ),
        (
            "oauth",
            json!({ "grant": "hunter2" }),
            "`grant` is not valid, expected `client` or `person`",
        ),
    ] {
        let row = row(auth_type, &secret, &Value::Null);
        let credentials = McpCredentials::of(&serde_json::from_value(row).unwrap());
        let error = credentials.secret::<Login>().err().unwrap().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!(error, format!("invalid credentials: {problem}"));
    }
    // A row whose secret precedes its type can also be read.
    let early = r#"{ "credentials": { "token": "abc" }, "auth_type": "api_key" }"#;
    assert_eq!(
        serde_json::from_str::<Login>(early).unwrap().shown(),
        "token abc"
    );
    assert!(
        decode::<Option<Login>>("credentials", Value::Null)
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn settings_of_a_credential_are_an_argument() {
    let manager = Manager::start().await;
    let connector = serve(Several, &manager).await;
    let ask = async |config| {
        let credentials = row("api_key", &json!({ "token": "abc" }), &config);
        let (status, answer) = call(&connector, "site", credentials).await;
        let text = answer["result"].as_str().or(answer["error"].as_str());
        (status, text.unwrap_or_default().to_owned())
    };
    let acme = json!({ "domain": "acme.example", "more": 1 });
    assert_eq!(ask(acme).await, (200, "acme.example".to_owned()));
    assert_eq!(ask(json!({})).await, (200, "none".to_owned()));
    assert_eq!(ask(Value::Null).await, (200, "none".to_owned()));
    let wrong =
        "invalid settings of the credential: `domain` is of the wrong type, expected a string";
    assert_eq!(ask(json!({ "domain": 7 })).await, (400, wrong.to_owned()));
    assert_eq!(call(&connector, "site", Value::Null).await.0, 401);
    for (credentials, is_there) in [
        (Value::Null, false),
        (row("jwt", &Value::Null, &Value::Null), true),
    ] {
        let (_, answer) = call(&connector, "perhaps", credentials).await;
        assert_eq!(answer["result"], is_there, "{answer}");
    }
}

#[tokio::test]
async fn a_client_is_made_of_the_settings_of_its_credential_and_made_anew_when_they_change() {
    let manager = Manager::start().await;
    let connector = serve(Several, &manager).await;
    let ask = async |config: Value| {
        let credentials = row("api_key", &json!({ "token": "abc" }), &config);
        let (status, answer) = call(&connector, "ask_site", credentials).await;
        let text = answer["result"].as_str().or(answer["error"].as_str());
        (status, text.unwrap_or_default().to_owned())
    };
    let sites = [MockServer::start().await, MockServer::start().await];
    for (name, site) in ["one", "two"].into_iter().zip(&sites) {
        Mock::given(header("authorization", "Bearer token abc"))
            .respond_with(ResponseTemplate::new(200).set_body_json(name))
            .mount(site)
            .await;
        let domain = site.address().to_string();
        assert_eq!(
            ask(json!({ "domain": domain })).await,
            (200, name.to_owned())
        );
    }
    let missing = "invalid settings of the credential: the field `domain` is missing";
    assert_eq!(ask(Value::Null).await, (400, missing.to_owned()));
    assert_eq!(call(&connector, "ask_site", Value::Null).await.0, 401);
}

#[tokio::test]
async fn a_mode_that_is_not_available_is_404_and_a_wrong_source_is_400() {
    let manager = Manager::start().await;
    let connector = serve(Several, &manager).await;
    manager.give_row("api_key", &json!({ "token": "abc" }), &json!({}));
    manager.change_source("config", json!({ "offers": "no_notices" }));
    let (status, answer) = connector.start("R1", "realtime").await;
    assert_eq!(
        (status, &answer["message"]),
        (404, &json!("the folder sends no notices"))
    );
    assert_eq!(connector.start("R2", "full").await.0, 200);
    connector.ended("R2").await;
    manager.change_source("config", json!({ "offers": "nothing" }));
    for (run, mode) in [("R3", "realtime"), ("R4", "full")] {
        let (status, answer) = connector.start(run, mode).await;
        assert_eq!(
            (status, &answer["message"]),
            (400, &json!("the folder does not exist")),
            "{mode}"
        );
    }
}
