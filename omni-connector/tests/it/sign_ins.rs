//! Sign-ins: the connector is notified, and adds data from the system to the credential.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use crate::support::{Manager, Served, serve_with};
use omni_connector::{CredentialReady, OAuthExtra, OAuthTokens, prelude::*};

/// A system with people.
#[connector(name = "signed", source_types = [Github])]
#[derive(Default)]
struct Signed {
    /// The received notices of sign-ins.
    told: Arc<Mutex<Vec<CredentialReady>>>,
}

#[connector]
impl Signed {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[oauth]
    #[allow(clippy::unused_self, reason = "the signature is that of the marker")]
    fn oauth(&self) -> OAuthConfig {
        OAuthConfig::new("github", "https://a/a", "https://a/t", "https://a/u")
            .enriched_at("/oauth/enrich")
    }

    #[credential_ready]
    async fn welcome(&self, ready: CredentialReady, manager: ManagerClient) -> Result<()> {
        act(&ready.credentials.credentials["access_token"]).await?;
        manager.source(&ready.source_id).await?;
        self.told.lock().unwrap().push(ready);
        Ok(())
    }

    #[enrich]
    async fn enrich(&self, tokens: OAuthTokens) -> Result<OAuthExtra> {
        act(&json!(tokens.access_token.expose())).await?;
        let mut extra = OAuthExtra::default();
        let refreshes = tokens.refresh_token.is_some();
        extra
            .credentials
            .insert("cloud_id".to_owned(), json!("c-7"));
        extra
            .config
            .insert("refreshes".to_owned(), json!(refreshes));
        Ok(extra)
    }
}

/// Acts as the token says, and quotes the token in errors.
async fn act(token: &Value) -> Result<()> {
    match token.as_str() {
        Some(token) if token.starts_with("expired") => {
            bail!(ActionError::unauthorized(format!("{token} has expired")))
        }
        Some(token) if token.starts_with("broken") => bail!("nobody answers to {token}"),
        Some("endless") => std::future::pending().await,
        Some(token) if token.starts_with("panics") => panic!("no account for {token}"),
        _ => Ok(()),
    }
}

async fn serve(connector: Signed, manager: &Manager) -> Served {
    serve_with(connector, manager, |_| ()).await
}

fn ready(token: &str) -> String {
    json!({
        "source_id": "S1", "user_id": "U1", "provider": "github", "flow": "user_write",
        "credentials": {
            "credentials": { "access_token": token }, "config": { "granted_scopes": ["repo"] }, "auth_type": "oauth",
            "principal_email": "ann@example.com",
        },
    })
    .to_string()
}

/// Tokens that cause errors, with the status and message of the answer.
const MISTAKES: [(&str, u16, &str); 3] = [
    ("expired-s3cret", 401, "[redacted] has expired"),
    ("broken-s3cret", 500, "nobody answers to [redacted]"),
    ("panics-s3cret", 500, "panicked"),
];

#[tokio::test]
async fn the_credential_ready_hook_runs_and_an_unchanged_manifest_is_not_returned() {
    let manager = Manager::start().await;
    let connector = Signed::default();
    let told = Arc::clone(&connector.told);
    let served = serve(connector, &manager).await;
    let answer = served.post("/oauth/credential-ready", ready("t")).await;
    assert_eq!(answer, (204, Value::Null));
    let told = told.lock().unwrap().pop().unwrap();
    assert_eq!(
        (
            told.user_id.as_deref(),
            &*told.flow,
            told.credentials.principal_email.as_deref()
        ),
        (Some("U1"), "user_write", Some("ann@example.com"))
    );
    assert_eq!(told.credentials.config["granted_scopes"], json!(["repo"]));
    for (token, status, reason) in MISTAKES {
        let (found, answer) = served.post("/oauth/credential-ready", ready(token)).await;
        let error = answer["error"].as_str().unwrap();
        assert!(found == status && error.contains(reason), "{found} {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn the_enrich_endpoint_adds_data_of_the_system() {
    let manager = Manager::start().await;
    let served = serve(Signed::default(), &manager).await;
    let manifest = manager.told_of("/sdk/register").await;
    assert_eq!(manifest["oauth"]["enrich_endpoint"], "/oauth/enrich");
    let answer = served
        .post(
            "/oauth/enrich",
            r#"{"access_token":"t","refresh_token":null}"#,
        )
        .await;
    let extra = json!({ "credentials_extra": { "cloud_id": "c-7" }, "config_extra": { "refreshes": false } });
    assert_eq!(answer, (200, extra));
    let (_, extra) = served
        .post(
            "/oauth/enrich",
            r#"{"access_token":"t","refresh_token":"r"}"#,
        )
        .await;
    assert_eq!(extra["config_extra"], json!({ "refreshes": true }));
    for (token, status, reason) in MISTAKES {
        let tokens = json!({ "access_token": token }).to_string();
        let (found, answer) = served.post("/oauth/enrich", tokens).await;
        let error = answer["error"].as_str().unwrap();
        assert!(found == status && error.contains(reason), "{found} {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    for body in ["", "{}", "[]", r#"{"access_token":7}"#] {
        assert_eq!(served.post("/oauth/enrich", body).await.0, 400, "{body}");
    }
}

#[tokio::test]
async fn the_enrich_endpoint_is_protected_like_those_of_the_protocol() {
    let manager = Manager::start().await;
    let served = serve_with(Signed::default(), &manager, |config| {
        config.token = Some("t0ken".to_owned().into());
    })
    .await;
    let body = r#"{"access_token":"t"}"#;
    assert_eq!(served.post("/oauth/enrich", body).await.0, 401);
    let request = served.http.post(format!("{}/oauth/enrich", served.url));
    let answer = request.bearer_auth("t0ken").body(body).send().await;
    assert_eq!(answer.unwrap().status(), 200);
}

/// The manager waits 30 s.
#[tokio::test]
async fn a_hook_of_a_sign_in_that_takes_too_long_is_named_before_omni_gives_up() {
    let manager = Manager::start().await;
    let served = serve(Signed::default(), &manager).await;
    let started = Instant::now();
    let tokens = json!({ "access_token": "endless" }).to_string();
    let (enriched, welcomed) = tokio::join!(
        served.post("/oauth/enrich", tokens),
        served.post("/oauth/credential-ready", ready("endless"))
    );
    assert!(started.elapsed() < Duration::from_millis(29_900));
    for (hook, (status, answer)) in [("enrich", enriched), ("credential_ready", welcomed)] {
        let error = format!(
            "`{hook}` of the connector did not end within 29 s, which is as long as Omni waits"
        );
        assert_eq!((status, &answer["error"]), (504, &json!(error)));
    }
}
