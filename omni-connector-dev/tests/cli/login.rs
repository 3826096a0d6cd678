//! Tests sign-in through the command, with a fake provider and a browser that follows redirects.

use std::{
    io::{BufRead, BufReader, Read},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    response::Redirect,
    routing::{get, post},
};
use omni_connector::HttpClient;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{Desk, Done, SERVE, program};

/// The provider of Ann's account. She consents unless the test says otherwise.
#[derive(Clone, Default)]
struct Provider {
    refuses: Arc<AtomicBool>,
    tokens: Arc<AtomicUsize>,
}

/// A desk with a connector whose people sign in at a provider.
struct Home {
    desk: Desk,
    provider: Provider,
    runtime: Runtime,
}

impl Home {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let provider = Provider::default();
        let url = runtime.block_on(provider.start());
        Self {
            desk: Desk::new().with("SHELF_OAUTH", &url),
            provider,
            runtime,
        }
    }

    /// Signs in. The browser opens the URL that the command prints, if any.
    fn login(&self, arguments: &[&str]) -> Done {
        let program = program();
        let options = ["login", "--json", "--port", "0", "--no-browser"];
        let all = [&options, arguments, &["--", &program], &SERVE].concat();
        let mut child = self
            .desk
            .command(&all)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while stderr.read_line(&mut said).unwrap() > 0 {
            let line = said.lines().last().unwrap_or_default().trim();
            if line.starts_with("http://") {
                self.browse(line.to_owned());
                break;
            }
        }
        stderr.read_to_string(&mut said).unwrap();
        let mut done = Done::from(child.wait_with_output().unwrap());
        done.stderr = said;
        done
    }

    fn browse(&self, url: String) {
        let page = async {
            let page = HttpClient::new().get(url).send().await?;
            page.text().await
        };
        self.runtime.block_on(page).unwrap();
    }

    fn call(&self, arguments: &[&str]) -> Done {
        self.desk
            .run_with_connector(&[&["call", "--json", "token"], arguments].concat())
    }
}

impl Provider {
    async fn start(&self) -> String {
        let app = Router::new()
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route(
                "/me",
                get(async || Json(json!({ "email": "ann@example.com" }))),
            )
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }
}

/// Uses the requested scopes as the code.
async fn authorize(State(provider): State<Provider>, Query(asked): Query<Value>) -> Redirect {
    let text = |key: &str| asked[key].as_str().unwrap().to_owned();
    let mut back: reqwest::Url = text("redirect_uri").parse().unwrap();
    let (key, value) = if provider.refuses.load(Ordering::SeqCst) {
        ("error", "access_denied".to_owned())
    } else {
        ("code", text("scope"))
    };
    back.query_pairs_mut()
        .append_pair("state", &text("state"))
        .append_pair(key, &value);
    Redirect::to(back.as_str())
}

async fn token(State(provider): State<Provider>, Form(asked): Form<Value>) -> Json<Value> {
    assert_eq!(
        (&asked["client_id"], &asked["client_secret"]),
        (&json!("omni"), &json!("hush"))
    );
    let n = provider.tokens.fetch_add(1, Ordering::SeqCst);
    Json(
        json!({ "access_token": format!("token-{n}"), "token_type": "bearer", "expires_in": 3600, "scope": asked["code"] }),
    )
}

#[test]
fn a_sign_in_by_the_command_is_used_by_the_next_commands() {
    let mut home = Home::new();
    let without = home.login(&[]);
    let failed = without.ended(1);
    assert_eq!(
        failed["error"],
        "no OAuth client is configured for provider `github`"
    );
    let help = failed["help"].as_str().unwrap();
    for part in [
        "/api/oauth/callback`",
        "`--client-id ID`",
        "`OMNI_OAUTH_CLIENT_SECRET`",
    ] {
        assert!(help.contains(part), "{help}");
    }

    home.desk = home.desk.with("OMNI_OAUTH_CLIENT_SECRET", "hush");
    let done = home.login(&["--client-id", "omni"]).ended(0);
    assert_eq!(done["email"], "ann@example.com");
    let next = done["next"].as_str().unwrap();
    assert!(next.starts_with("cargo omni sync -- "), "{next}");
    assert_eq!(home.call(&[]).ended(0)["result"], "token-0");
    let run = home.desk.run_with_connector(&["sync", "--json"]).ended(0);
    assert_eq!(run["mode"], "full");
}

#[test]
fn the_error_shows_how_to_connect_and_how_to_grant_missing_scopes() {
    let mut home = Home::new();
    home.desk = home.desk.with("OMNI_OAUTH_CLIENT_SECRET", "hush");
    let bob = ["--as", "bob@example.com"];
    let failed = home.call(&bob).ended(1);
    assert_eq!(
        failed["error"],
        "`bob@example.com` has connected no account of their own to this source"
    );
    let help = failed["help"].as_str().unwrap();
    assert!(
        help.contains("`cargo omni login --as bob@example.com -- "),
        "{help}"
    );

    let done = home
        .login(&["--client-id", "omni", "--as", "bob@example.com"])
        .ended(0);
    let next = done["next"].as_str().unwrap();
    assert!(
        next.starts_with("cargo omni call <ACTION> --as bob@example.com -- "),
        "{next}"
    );
    let failed = home.call(&bob).ended(1);
    assert_eq!(
        failed["error"],
        "`bob@example.com` has not granted `lend`, which `token` requires"
    );
    let help = failed["help"].as_str().unwrap();
    assert!(
        help.contains("`cargo omni login --as bob@example.com --write lend -- "),
        "{help}"
    );

    // The client is stored from the first sign-in.
    home.login(&["--as", "bob@example.com", "--write", "lend"])
        .ended(0);
    assert_eq!(home.call(&bob).ended(0)["result"], "token-1");
}

#[test]
fn a_refusal_ends_the_command_with_the_providers_message() {
    let mut home = Home::new();
    home.desk = home.desk.with("OMNI_OAUTH_CLIENT_SECRET", "hush");
    home.provider.refuses.store(true, Ordering::SeqCst);
    let failed = home.login(&["--client-id", "omni"]).ended(1);
    assert_eq!(failed["error"], "the provider refused: access_denied");
    assert!(
        failed["help"]
            .as_str()
            .unwrap()
            .contains("run the same command again")
    );
}

#[test]
fn a_connector_without_oauth_needs_no_sign_in() {
    let desk = Desk::new();
    let failed = desk
        .run_with_connector(&["login", "--json", "--port", "0"])
        .ended(1);
    assert_eq!(failed["error"], "connector `shelf` declares no OAuth");
    assert!(failed["help"].as_str().unwrap().contains("`--credentials`"));
}
