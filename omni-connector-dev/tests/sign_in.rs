//! Tests sign-ins through the manager against a provider that can send wrong answers.

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
use omni_connector::{AuthType, HttpClient, ServiceCredential, wire::SourceScope};
use omni_connector_dev::{
    Manager, Options,
    store::{
        configs, credentials,
        sources::{self, SourceRecord},
        users::UserRole,
    },
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A provider and a connector in one. Records token requests, sign-in notices and calls; holds the
/// scopes it grants.
#[derive(Clone, Default)]
struct Provider {
    asked: Arc<Mutex<Vec<Value>>>,
    told: Arc<Mutex<Vec<Value>>>,
    /// Bodies of `/sync` and `/action`.
    called: Arc<Mutex<Vec<Value>>>,
    scope: Arc<Mutex<Option<String>>>,
    /// Fixed status and body of the token endpoint, if set.
    answer: Arc<Mutex<Option<(u16, String)>>>,
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
            .route("/register", post(register))
            .route("/sync", post(called))
            .route("/action", post(called))
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }
}

async fn token(State(provider): State<Provider>, Form(form): Form<Value>) -> (StatusCode, String) {
    let is_known = form["code"] == "good";
    provider.asked.lock().unwrap().push(form);
    if let Some((status, body)) = provider.answer.lock().unwrap().clone() {
        return (StatusCode::from_u16(status).unwrap(), body);
    }
    if !is_known {
        return (
            StatusCode::BAD_REQUEST,
            json!({ "error": "invalid_grant" }).to_string(),
        );
    }
    let mut grant = json!({ "access_token": "at", "token_type": "bearer", "expires_in": 3600 });
    if let Some(scope) = provider.scope.lock().unwrap().clone() {
        grant["scope"] = scope.into();
    }
    (StatusCode::OK, grant.to_string())
}

async fn ready(State(provider): State<Provider>, Json(notice): Json<Value>) -> StatusCode {
    provider.told.lock().unwrap().push(notice);
    StatusCode::NO_CONTENT
}

async fn register(State(provider): State<Provider>, Json(client): Json<Value>) -> Json<Value> {
    provider.called.lock().unwrap().push(client);
    Json(json!({ "client_id": "registered" }))
}

async fn called(State(provider): State<Provider>, Json(call): Json<Value>) -> Json<Value> {
    provider.called.lock().unwrap().push(call);
    Json(json!({ "status": "success", "result": "done" }))
}

/// A manager for which the provider is the connector of `github`.
struct Home {
    manager: Manager,
    provider: Provider,
    source: String,
    http: reqwest::Client,
}

impl Home {
    async fn start(life: Duration, oauth: Value) -> Self {
        let mut options = Options::default();
        options.sign_in_life = life;
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
        if config["token_endpoint_auth_method"] == "none" {
            config["registration_endpoint"] = format!("{url}/register").into();
        }
        let manifest = json!({
            "name": "signed", "display_name": "Signed", "version": "1", "sync_modes": ["full"], "connector_id": "signed",
            "connector_url": url, "source_types": ["github", "notion"], "oauth": &config,
            "actions": [{ "name": "star", "description": "Stars.", "input_schema": { "type": "object" }, "mode": "write",
                          "source_types": ["github"], "required_scopes": ["write"] }],
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
        if config["token_endpoint_auth_method"] != "none" {
            let settings = json!({ "oauth_client_id": "omni", "oauth_client_secret": "hush" });
            let store = manager.store();
            store
                .write(move |db| configs::put(db, "github", &settings))
                .await
                .unwrap();
        }
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

    /// Starts a sign-in for the source. Returns the query of the provider's URL.
    async fn begin(&self, query: &str) -> Vec<(String, String)> {
        let start = format!("/api/oauth/start?source_id={}&{query}", self.source);
        self.begin_at(&start).await
    }

    async fn begin_at(&self, start: &str) -> Vec<(String, String)> {
        let url = format!("{}{start}", self.manager.url());
        let answer = self.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let location = answer.headers()["location"].to_str().unwrap();
        let location = reqwest::Url::parse(location).unwrap();
        location.query_pairs().into_owned().collect()
    }

    /// Starts a sign-in at a path, consents and follows the callback.
    async fn sign_in(&self, start: &str) {
        let query = self.begin_at(start).await;
        let back = [("code", "good"), ("state", of(&query, "state"))];
        let (status, page) = self.end(&back).await;
        assert_eq!(status, 200, "{page}");
    }

    async fn end(&self, query: &[(&str, &str)]) -> (u16, String) {
        let url = format!("{}/api/oauth/callback", self.manager.url());
        let answer = self.http.get(url).query(query).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn row(&self, source: &str, user: Option<&str>) -> Option<ServiceCredential> {
        let (source, user) = (source.to_owned(), user.map(str::to_owned));
        let store = self.manager.store();
        let row = store.read(move |db| credentials::find(db, &source, user.as_deref()));
        row.await.unwrap()
    }

    /// Returns personal sources, by type.
    async fn own_sources(&self) -> Vec<SourceRecord> {
        let mut all = self.manager.store().read(sources::all).await.unwrap();
        all.retain(|source| source.scope == SourceScope::User);
        all.sort_by(|a, b| a.source_type.cmp(&b.source_type));
        all
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
async fn a_sign_in_is_stored_and_the_connector_is_notified() {
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
    assert_eq!(signed_in.await.as_deref(), Ok("ann@example.com"));
    let asked = home.provider.asked.lock().unwrap()[0].clone();
    assert_eq!(
        (&asked["client_secret"], &asked["resource"]),
        (&json!("hush"), &json!("https://x/mcp"))
    );
    let row = home.row(&home.source, None).await.unwrap();
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
async fn a_state_works_once_and_only_if_it_was_issued() {
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
async fn a_denial_and_a_missing_scope_leave_no_credential() {
    let home = Home::start(LONG, json!({ "token_endpoint_auth_method": "none" })).await;
    let query = home.begin("flow=org_source").await;
    assert_eq!(of(&query, "code_challenge_method"), "S256");
    let ended = home.manager.signed_in();
    let denied = [("error", "access_denied"), ("state", of(&query, "state"))];
    assert_eq!(home.end(&denied).await.0, 403);
    assert_eq!(
        ended.await,
        Err("the provider refused: access_denied".to_owned()),
        "who waits for it is told"
    );
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
async fn a_client_is_registered_once_for_all_scopes() {
    let home = Home::start(LONG, json!({ "token_endpoint_auth_method": "none" })).await;
    for flow in ["flow=user_read", "flow=user_write"] {
        let query = home.begin(flow).await;
        assert_eq!(of(&query, "client_id"), "registered");
    }
    let registered = home.provider.called.lock().unwrap().clone();
    let [client] = &registered[..] else {
        panic!("{registered:?}");
    };
    assert_eq!(client["scope"], "email read write");
    let back = format!("{}/api/oauth/callback", home.manager.url());
    assert_eq!(client["redirect_uris"], json!([back]));
    assert_eq!(client["token_endpoint_auth_method"], "none");
    assert_eq!(client["client_name"], "Omni github MCP");
}

#[tokio::test]
async fn one_sign_in_creates_a_personal_source_for_each_type() {
    let scopes = json!({ "github": { "read": ["read"], "write": ["write"] }, "notion": { "read": ["pages"], "write": [] } });
    let home = Home::start(LONG, json!({ "scopes": scopes })).await;
    let start = "/api/oauth/start?source_types=github,notion&as=bob@example.com";
    let query = home.begin_at(start).await;
    assert_eq!(of(&query, "scope"), "email read pages");
    assert!(
        home.own_sources().await.is_empty(),
        "nothing is made before the end"
    );

    home.sign_in(start).await;
    let user = home
        .manager
        .user("bob@example.com", UserRole::User)
        .await
        .unwrap();
    let own = home.own_sources().await;
    let types: Vec<_> = own.iter().map(|source| &*source.source_type).collect();
    assert_eq!(types, ["github", "notion"]);
    for source in &own {
        assert_eq!(source.created_by, user.id);
        let row = home.row(&source.id, Some(&user.id)).await.unwrap();
        assert_eq!(row.principal_email.as_deref(), Some("ann@example.com"));
        assert_eq!(
            row.config["granted_scopes"],
            json!(["email", "read", "pages"])
        );
        assert!(home.row(&source.id, None).await.is_none());
    }
    let ids: Vec<_> = own.iter().map(|source| json!(source.id)).collect();
    let told = home.provider.told.lock().unwrap().clone();
    let of_told = |key: &str| {
        told.iter()
            .map(|notice| notice[key].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of_told("source_id"), ids);
    assert_eq!(of_told("user_id"), [json!(user.id), json!(user.id)]);
    assert_eq!(of_told("flow"), ["user_read", "user_read"]);
    let synced = home.provider.called.lock().unwrap().clone();
    let synced: Vec<_> = synced
        .iter()
        .map(|call| (call["source_id"].clone(), call["sync_mode"].clone()))
        .collect();
    assert_eq!(
        synced,
        [
            (ids[0].clone(), json!("full")),
            (ids[1].clone(), json!("full"))
        ]
    );

    home.sign_in(start).await;
    let again: Vec<_> = home
        .own_sources()
        .await
        .into_iter()
        .map(|source| source.id)
        .collect();
    assert_eq!(
        json!(again),
        json!(ids),
        "the same sources are connected again"
    );
}

#[tokio::test]
async fn an_action_asks_the_person_to_connect_and_to_grant_its_scopes() {
    let home = Home::start(LONG, json!({})).await;
    let organisation = json!({ "access_token": "of all" });
    home.manager
        .put_credential(&home.source, None, "github", AuthType::Oauth, organisation)
        .await
        .unwrap();
    let user = home
        .manager
        .user("bob@example.com", UserRole::User)
        .await
        .unwrap();
    let star = async || {
        let call =
            json!({ "source_id": home.source, "user_id": user.id, "action": "star", "params": {} });
        let url = format!("{}/action", home.manager.url());
        let answer = home.http.post(url).json(&call).send().await.unwrap();
        (
            answer.status().as_u16(),
            answer.json::<Value>().await.unwrap(),
        )
    };
    let missing = async || {
        home.manager
            .missing_scopes(&home.source, &user.id, "star")
            .await
            .unwrap()
    };

    let (status, needed) = star().await;
    assert_eq!((status, &needed["error"]), (412, &json!("needs_user_auth")));
    assert_eq!(
        missing().await,
        Vec::<String>::new(),
        "connecting comes first"
    );

    // The provider grants reading only; a repeated consent asks for the missing scope.
    *home.provider.scope.lock().unwrap() = Some("email read".to_owned());
    let start = needed["oauth_start_url"].as_str().unwrap();
    home.sign_in(&format!("{start}&flow=user_read&as=bob@example.com"))
        .await;
    assert_eq!(missing().await, ["write"]);
    assert_eq!(star().await.0, 200, "the manager itself enforces no scopes");

    *home.provider.scope.lock().unwrap() = Some("email read write".to_owned());
    let consent = format!("{start}&flow=user_write&required_scopes=write&as=bob@example.com");
    assert_eq!(
        of(&home.begin_at(&consent).await, "scope"),
        "email read write"
    );
    home.sign_in(&consent).await;
    assert_eq!(missing().await, Vec::<String>::new());
    assert_eq!(
        star().await,
        (200, json!({ "status": "success", "result": "done" }))
    );
    let called = home.provider.called.lock().unwrap().pop().unwrap();
    assert_eq!(
        called["credentials"]["credentials"]["access_token"], "at",
        "the person's own token"
    );
    assert_eq!(called["actor_email"], "bob@example.com");
}

#[tokio::test]
async fn a_sign_in_that_cannot_begin_explains_why() {
    let home = Home::start(LONG, json!({})).await;
    let start = async |query: &str| {
        let url = format!("{}/api/oauth/start?{query}", home.manager.url());
        home.http.get(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!(start("").await, 400);
    assert_eq!(start("source_id=none&flow=org_source").await, 404);
    assert_eq!(start("source_types=jira").await, 404);
    assert_eq!(
        start("source_types=github,jira").await,
        400,
        "one sign-in is one connector's"
    );
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

#[tokio::test]
async fn a_token_is_read_however_the_provider_writes_it() {
    for (answer, lives) in [
        (
            json!({ "access_token": "at", "token_type": "bearer", "expires_in": "3600" }),
            true,
        ),
        (
            json!({ "access_token": "at", "token_type": "bearer", "expires_in": 3600.0 }),
            true,
        ),
        (
            json!({ "access_token": "at", "token_type": "bearer", "scope": ["email", "read"] }),
            false,
        ),
        (json!({ "access_token": "at", "expires_in": null }), false),
    ] {
        let home = Home::start(LONG, json!({})).await;
        *home.provider.answer.lock().unwrap() = Some((200, answer.to_string()));
        let start = format!("/api/oauth/start?source_id={}&flow=org_source", home.source);
        home.sign_in(&start).await;
        let row = home.row(&home.source, None).await.unwrap();
        assert_eq!(row.credentials["access_token"], "at", "{answer}");
        assert_eq!(row.expires_at.is_some(), lives, "{answer}");
    }
}

#[tokio::test]
async fn a_refusal_shows_the_providers_message_for_every_status() {
    let github = json!({ "error": "bad_verification_code", "error_description": "The code passed is incorrect or expired." });
    let said = "bad_verification_code: The code passed is incorrect or expired.";
    for (status, body, said) in [
        (200, github.to_string(), said),
        (401, github.to_string(), said),
        (
            200,
            json!({ "ok": false, "error": "invalid_code" }).to_string(),
            "invalid_code",
        ),
        (500, "<html>".to_owned(), "HTTP 500"),
        (
            400,
            json!({ "error": { "type": "OAuthException", "message": "Old code" } }).to_string(),
            "OAuthException: Old code",
        ),
    ] {
        let home = Home::start(LONG, json!({})).await;
        *home.provider.answer.lock().unwrap() = Some((status, body.clone()));
        let query = home.begin("flow=org_source").await;
        let back = [("code", "good"), ("state", of(&query, "state"))];
        let (answered, page) = home.end(&back).await;
        assert_eq!(answered, 502, "{body}: {page}");
        assert!(page.contains(said), "{body}: {page}");
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_is_kept_however_its_answer_is_written() {
    for life in [json!("3600"), json!(3600.0), json!(3600)] {
        let home = Home::start(LONG, json!({})).await;
        let start = format!("/api/oauth/start?source_id={}&flow=org_source", home.source);
        let first = json!({ "access_token": "at", "refresh_token": "once", "expires_in": 1 });
        *home.provider.answer.lock().unwrap() = Some((200, first.to_string()));
        home.sign_in(&start).await;
        let next = json!({ "access_token": "newer", "refresh_token": "twice", "expires_in": life });
        *home.provider.answer.lock().unwrap() = Some((200, next.to_string()));
        let url = format!("{}/sdk/credentials/{}", home.manager.url(), home.source);
        let read: Value = home
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(
            read["credentials"]["access_token"], "newer",
            "{life}: {read}"
        );
        let row = home.row(&home.source, None).await.unwrap();
        assert_eq!(row.credentials["refresh_token"], "twice", "{life}");
    }
}
