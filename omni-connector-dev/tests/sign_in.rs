//! Signing in through the manager, against a provider that a test can make lie.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Form, State},
    http::StatusCode,
    routing::{get, post},
};
use omni_connector::{AuthType, HttpClient};
use omni_connector_dev::{
    Manager, Options,
    store::{configs, credentials},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A provider and a connector in one: what it was asked at its token endpoint and told of sign-ins, and what it grants.
#[derive(Clone, Default)]
struct Provider {
    asked: Arc<Mutex<Vec<Value>>>,
    told: Arc<Mutex<Vec<Value>>>,
    scope: Arc<Mutex<Option<String>>>,
}

impl Provider {
    async fn start(&self) -> String {
        let app = Router::new()
            .route("/health", get(async || "ok"))
            .route("/token", post(token))
            .route(
                "/me",
                get(async || Json(json!({ "user": { "email": "Ann@Example.com" } }))),
            )
            .route("/oauth/credential-ready", post(ready))
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }
}

async fn token(
    State(provider): State<Provider>,
    Form(form): Form<Value>,
) -> (StatusCode, Json<Value>) {
    let is_known = form["code"] == "good";
    provider.asked.lock().unwrap().push(form);
    if !is_known {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_grant" })),
        );
    }
    let mut grant = json!({ "access_token": "at", "token_type": "bearer", "expires_in": 3600 });
    if let Some(scope) = provider.scope.lock().unwrap().clone() {
        grant["scope"] = scope.into();
    }
    (StatusCode::OK, Json(grant))
}

async fn ready(State(provider): State<Provider>, Json(notice): Json<Value>) -> StatusCode {
    provider.told.lock().unwrap().push(notice);
    StatusCode::NO_CONTENT
}

/// A manager that knows the provider as the connector of `github`.
struct Home {
    manager: Manager,
    provider: Provider,
    source: String,
    http: reqwest::Client,
}

impl Home {
    async fn start(life: Duration, oauth: Value) -> Self {
        let options = Options {
            sign_in_life: life,
            ..Options::default()
        };
        let manager = Manager::start(options).await.unwrap();
        let provider = Provider::default();
        let url = provider.start().await;
        let mut config = json!({
            "provider": "github", "auth_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
            "userinfo_endpoint": format!("{url}/me"), "userinfo_email_field": "user.email",
            "identity_scopes": ["email"], "scopes": { "github": { "read": ["read"], "write": ["write"] } },
        });
        for (key, value) in oauth.as_object().unwrap() {
            config[key] = value.clone();
        }
        let manifest = json!({
            "name": "signed", "display_name": "Signed", "version": "1", "sync_modes": ["full"], "connector_id": "signed",
            "connector_url": url, "source_types": ["github"], "oauth": config,
        });
        let http = HttpClient::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let answer = http
            .post(format!("{}/sdk/register", manager.url()))
            .json(&manifest)
            .send()
            .await;
        assert_eq!(answer.unwrap().status(), 200);
        let settings = json!({ "oauth_client_id": "omni", "oauth_client_secret": "hush" });
        let store = manager.store();
        store
            .write(move |db| configs::put(db, "github", &settings))
            .await
            .unwrap();
        let source = manager
            .source("GitHub", "github", json!({}))
            .await
            .unwrap()
            .id;
        Self {
            manager,
            provider,
            source,
            http,
        }
    }

    /// Begins; the query of the provider's address.
    async fn begin(&self, query: &str) -> Vec<(String, String)> {
        let url = format!(
            "{}/api/oauth/start?source_id={}&{query}",
            self.manager.url(),
            self.source
        );
        let answer = self.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let location = answer.headers()["location"].to_str().unwrap();
        let location = reqwest::Url::parse(location).unwrap();
        location.query_pairs().into_owned().collect()
    }

    async fn end(&self, query: &[(&str, &str)]) -> (u16, String) {
        let url = format!("{}/api/oauth/callback", self.manager.url());
        let answer = self.http.get(url).query(query).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

fn of<'q>(query: &'q [(String, String)], name: &str) -> &'q str {
    let mut found = query.iter().filter(|(key, _)| key == name);
    let value = &found.next().unwrap().1;
    assert!(found.next().is_none(), "{name} stands there twice");
    value
}

const LONG: Duration = Duration::from_mins(15);

#[tokio::test]
async fn a_sign_in_is_stored_and_the_connector_hears_of_it() {
    let extra = json!({ "extra_auth_params": { "prompt": "consent" }, "scope_separator": ",", "resource": "https://x/mcp" });
    let home = Home::start(LONG, extra).await;
    let signed_in = home.manager.signed_in();
    let query = home.begin("flow=org_source").await;
    assert_eq!(of(&query, "scope"), "email,read");
    assert_eq!(of(&query, "prompt"), "consent");
    assert_eq!(of(&query, "client_id"), "omni");
    let (status, page) = home
        .end(&[("code", "good"), ("state", of(&query, "state"))])
        .await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(signed_in.await, "ann@example.com");
    let asked = home.provider.asked.lock().unwrap()[0].clone();
    assert_eq!(
        (&asked["client_secret"], &asked["resource"]),
        (&json!("hush"), &json!("https://x/mcp"))
    );
    let source = home.source.clone();
    let row = home
        .manager
        .store()
        .read(move |db| credentials::find(db, &source, None));
    let row = row.await.unwrap().unwrap();
    assert_eq!(
        (row.auth_type, row.principal_email.as_deref()),
        (AuthType::Oauth, Some("ann@example.com"))
    );
    assert_eq!(row.credentials["access_token"], "at");
    assert!(row.expires_at.is_some());
    let told = home.provider.told.lock().unwrap()[0].clone();
    assert_eq!(
        (&told["flow"], &told["user_id"]),
        (&json!("user_read"), &Value::Null)
    );
}

#[tokio::test]
async fn a_state_works_once_and_only_if_it_was_given_out() {
    let home = Home::start(LONG, json!({})).await;
    let query = home.begin("flow=org_source").await;
    let state = of(&query, "state");
    assert_eq!(
        home.end(&[("code", "good"), ("state", "made-up")]).await.0,
        400
    );
    assert_eq!(
        home.end(&[("code", "stolen"), ("state", state)]).await.0,
        502
    );
    assert_eq!(
        home.end(&[("code", "good"), ("state", state)]).await.0,
        400,
        "a failed exchange used it up, too"
    );
    let home = Home::start(Duration::ZERO, json!({})).await;
    let query = home.begin("flow=org_source").await;
    assert_eq!(
        home.end(&[("code", "good"), ("state", of(&query, "state"))])
            .await
            .0,
        400
    );
    assert!(home.provider.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_denial_and_a_scope_that_was_not_granted_leave_no_credential() {
    let home = Home::start(LONG, json!({ "token_endpoint_auth_method": "none" })).await;
    let query = home.begin("flow=org_source").await;
    assert_eq!(of(&query, "code_challenge_method"), "S256");
    let denied = [("error", "access_denied"), ("state", of(&query, "state"))];
    assert_eq!(home.end(&denied).await.0, 403);
    *home.provider.scope.lock().unwrap() = Some("email,read".to_owned());
    let query = home.begin("flow=user_write&required_scopes=write").await;
    assert_eq!(of(&query, "scope"), "email read write");
    let (status, page) = home
        .end(&[("code", "good"), ("state", of(&query, "state"))])
        .await;
    assert!(
        status == 403 && page.contains("did not grant write"),
        "{status} {page}"
    );
    assert!(home.provider.asked.lock().unwrap()[0]["code_verifier"].is_string());
    assert!(home.provider.told.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_begin_says_why() {
    let home = Home::start(LONG, json!({})).await;
    let start = async |query: &str| {
        let url = format!("{}/api/oauth/start?{query}", home.manager.url());
        home.http.get(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!(start("").await, 400);
    assert_eq!(start("source_id=none&flow=org_source").await, 404);
    assert_eq!(start("source_types=jira").await, 404);
    assert_eq!(
        start(&format!("source_id={}&flow=odd", home.source)).await,
        400
    );
    home.manager
        .store()
        .write(move |db| configs::put(db, "github", &json!({})))
        .await
        .unwrap();
    assert_eq!(start(&format!("source_id={}", home.source)).await, 412);
}
