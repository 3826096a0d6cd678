//! The whole way of a sign-in, with a provider that nobody here wrote: `oidc-provider` from npm.

use std::{
    collections::HashMap,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use omni_connector::{
    ActionDefinition, ActionMode, ActionResponse, AuthType, Connector, CredentialReady, HttpClient,
    ManagerClient, OAuthConfig, Response, ServerConfig, ServiceCredential, Source, SourceType,
    SyncContext, async_trait,
};
use omni_connector_dev::{
    Manager, Options,
    store::{configs, users::UserRole},
};
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{Paths, report::Report, servers::free_port};

const PATIENCE: Duration = Duration::from_secs(30);

/// A connector whose people sign in at the provider, and which remembers who did.
struct Signed {
    issuer: String,
    told: Arc<Mutex<Vec<CredentialReady>>>,
}

#[async_trait]
impl Connector for Signed {
    type Config = Value;
    type Credentials = Value;
    type State = Value;

    fn name(&self) -> &'static str {
        "signed"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Github]
    }

    fn oauth_config(&self) -> Option<OAuthConfig> {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let config = OAuthConfig::new("github", at("/auth"), at("/token"), at("/me"))
            .identity_scopes(["openid", "email"])
            .read_scopes(SourceType::Github, ["api:read"])
            .write_scopes(SourceType::Github, ["api:write"])
            .registered_at(at("/reg"));
        Some(config)
    }

    fn actions(&self) -> Vec<ActionDefinition> {
        vec![ActionDefinition {
            name: "token".to_owned(),
            description: "Says with which token it was called.".to_owned(),
            input_schema: json!({ "type": "object", "properties": {} }),
            mode: ActionMode::Write,
            source_types: Vec::new(),
            admin_only: false,
            hidden: false,
        }]
    }

    fn action_scopes(&self, _: &str) -> Option<Vec<String>> {
        Some(vec!["api:write".to_owned()])
    }

    async fn execute_action(
        &self,
        _: &str,
        _: Value,
        credentials: Option<ServiceCredential>,
    ) -> Result<Response> {
        let token = credentials.map(|row| row.credentials["access_token"].clone());
        Ok(ActionResponse::success(token.unwrap_or_default()).into_response())
    }

    async fn credential_ready(&self, ready: CredentialReady, _: &ManagerClient) -> Result<()> {
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(ready);
        Ok(())
    }

    async fn sync(
        &self,
        _: Source,
        _: Option<ServiceCredential>,
        _: Option<Value>,
        _: SyncContext,
    ) -> Result<()> {
        Ok(())
    }
}

/// A manager, a provider and a connector that know each other.
struct Home {
    manager: Manager,
    source: String,
    told: Arc<Mutex<Vec<CredentialReady>>>,
    _provider: Child,
}

impl Home {
    async fn start(paths: &Paths, options: Options) -> Result<Self> {
        let manager = Manager::start(options).await?;
        let port = free_port()?;
        let mut provider = Command::new("node")
            .arg(paths.scripts.canonicalize()?.join("provider.mjs"))
            .arg(port.to_string())
            .arg(format!("{}/api/oauth/callback", manager.url()))
            .current_dir(&paths.cache)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("node is needed")?;
        let output = provider.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await? {
            if line == "listening" {
                break;
            }
        }
        // It goes on writing, and must not find the pipe closed.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let told = Arc::default();
        let connector = Signed {
            issuer: format!("http://127.0.0.1:{port}"),
            told: Arc::clone(&told),
        };
        let config = ServerConfig {
            listen: [127, 0, 0, 1].into(),
            ..ServerConfig::new(manager.url(), "127.0.0.1", 0)
        };
        tokio::spawn(omni_connector::serve_with_config(connector, config));
        manager
            .registration("signed", PATIENCE)
            .await
            .context("the connector does not register")?;
        let source = manager.source("signed", "github", json!({})).await?.id;
        Ok(Self {
            manager,
            source,
            told,
            _provider: provider,
        })
    }

    /// What an admin says of the client.
    async fn client(&self, settings: Value) -> Result<()> {
        let store = self.manager.store();
        store
            .write(move |db| configs::put(db, "github", &settings))
            .await?;
        Ok(())
    }

    fn start_url(&self, query: &str) -> Result<Url> {
        let source = &self.source;
        Ok(format!(
            "{}/api/oauth/start?source_id={source}&{query}",
            self.manager.url()
        )
        .parse()?)
    }

    async fn credential(&self) -> Result<Value> {
        let url = format!("{}/sdk/credentials/{}", self.manager.url(), self.source);
        Ok(HttpClient::new().get(url).send().await?.json().await?)
    }
}

/// What a person does at the provider.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Will {
    Consent,
    Deny,
}

/// Where a browser ended.
struct Seen {
    status: StatusCode,
    body: String,
    /// The provider's answer to the manager.
    callback: Option<Url>,
}

/// A browser: follows redirects, keeps cookies and fills in forms.
async fn browse(start: Url, will: Will) -> Result<Seen> {
    let http = HttpClient::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let mut cookies: HashMap<String, String> = HashMap::new();
    let mut callback = None;
    let (mut method, mut url, mut form) = (Method::GET, start, Vec::new());
    for _ in 0..20 {
        if url.path() == "/api/oauth/callback" {
            callback = Some(url.clone());
        }
        let jar: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = http
            .request(method.clone(), url.clone())
            .header("cookie", jar.join("; "));
        let request = if method == Method::POST {
            request.form(&form)
        } else {
            request
        };
        let answer = request.send().await?;
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, value) = cookie
                .to_str()?
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
                .context("an odd cookie")?;
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if answer.status().is_redirection() {
            let location = answer
                .headers()
                .get("location")
                .context("no location")?
                .to_str()?;
            (method, url) = (Method::GET, url.join(location)?);
            continue;
        }
        let status = answer.status();
        let body = answer.text().await?;
        if !url.path().starts_with("/interaction/") || !status.is_success() {
            return Ok(Seen {
                status,
                body,
                callback,
            });
        }
        if will == Will::Deny {
            url.set_path(&format!("{}/abort", url.path()));
        } else if body.contains("value=\"login\"") {
            method = Method::POST;
            form = vec![("prompt", "login"), ("login", "ann"), ("password", "x")];
        } else {
            method = Method::POST;
            form = vec![("prompt", "consent")];
        }
    }
    anyhow::bail!("the browser goes round in circles")
}

pub(crate) async fn all(paths: &Paths, report: &mut Report) -> Result<()> {
    report.row("OAuth", "oidc-provider");
    let home = Home::start(paths, Options::default()).await?;
    let user = home.manager.user("ann@example.com", UserRole::User).await?;

    report.check(
        "PKCE, with a client that registered itself",
        self::registered(&home).await.map_err(text),
    );
    report.check(
        "a secret in the form, and refresh",
        secret(&home, "client_secret_post").await.map_err(text),
    );
    report.check(
        "a secret in the header, and refresh",
        secret(&home, "client_secret_basic").await.map_err(text),
    );
    report.check(
        "a person's own account",
        person(&home, &user.id).await.map_err(text),
    );
    report.check("a denial", denied(&home).await.map_err(text));
    report.check(
        "a scope that is not granted",
        missing(&home).await.map_err(text),
    );
    report.check(
        "a wrong state and a replayed code",
        replayed(&home).await.map_err(text),
    );
    home.manager.shutdown().await;

    let options = Options {
        sign_in_life: Duration::ZERO,
        ..Options::default()
    };
    let home = Home::start(paths, options).await?;
    report.check("an expired state", expired(&home).await.map_err(text));
    home.manager.shutdown().await;
    Ok(())
}

fn text(error: anyhow::Error) -> String {
    format!("{error:#}")
}

fn connected(seen: &Seen) -> Result<()> {
    ensure!(seen.status == 200, "{} {}", seen.status, seen.body);
    ensure!(
        seen.body.contains("Connected as ann@example.com"),
        "{}",
        seen.body
    );
    Ok(())
}

async fn registered(home: &Home) -> Result<()> {
    let begun = HttpClient::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let begun = begun.get(home.start_url("flow=org_source")?).send().await?;
    let location = begun
        .headers()
        .get("location")
        .context("no location")?
        .to_str()?;
    for part in [
        "code_challenge=",
        "code_challenge_method=S256",
        "state=",
        "scope=openid+email+api%3Aread",
    ] {
        ensure!(location.contains(part), "`{part}` is not in {location}");
    }
    connected(&browse(home.start_url("flow=org_source")?, Will::Consent).await?)?;
    let credential = home.credential().await?;
    ensure!(credential["auth_type"] == "oauth", "{credential}");
    ensure!(
        credential["principal_email"] == "ann@example.com",
        "{credential}"
    );
    ensure!(
        credential["credentials"]["token_endpoint_auth_method"] == "none",
        "{credential}"
    );
    let told = home.told.lock().unwrap_or_else(PoisonError::into_inner);
    let last = told.last().context("the connector was not told")?;
    ensure!(
        last.flow == "user_read" && last.user_id.is_none(),
        "{last:?}"
    );
    ensure!(
        last.credentials.credentials["access_token"].is_string(),
        "no token"
    );
    Ok(())
}

async fn secret(home: &Home, method: &str) -> Result<()> {
    home.client(json!({
        "oauth_client_id": method, "oauth_client_secret": format!("secret of {method}"),
        "oauth_token_endpoint_auth_method": method,
    }))
    .await?;
    connected(&browse(home.start_url("flow=org_source")?, Will::Consent).await?)?;
    let (first, second) = (home.credential().await?, home.credential().await?);
    for key in ["access_token", "refresh_token"] {
        let (first, second) = (&first["credentials"][key], &second["credentials"][key]);
        ensure!(
            first.is_string() && first != second,
            "{key} is not refreshed: {first}, {second}"
        );
    }
    Ok(())
}

/// Before: told to connect. After: called with the person's own token.
async fn person(home: &Home, user: &str) -> Result<()> {
    let call = async || {
        let body =
            json!({ "source_id": home.source, "user_id": user, "action": "token", "params": {} });
        let url = format!("{}/action", home.manager.url());
        let answer = HttpClient::new().post(url).json(&body).send().await?;
        let status = answer.status();
        Ok::<_, anyhow::Error>((status, answer.json::<Value>().await?))
    };
    let (status, body) = call().await?;
    ensure!(
        status == 412 && body["error"] == "needs_user_auth",
        "{status} {body}"
    );
    let query = "flow=user_write&required_scopes=api:write&as=ann@example.com";
    connected(&browse(home.start_url(query)?, Will::Consent).await?)?;
    let (source, user) = (home.source.clone(), user.to_owned());
    let row = home
        .manager
        .store()
        .read(move |db| omni_connector_dev::store::credentials::find(db, &source, Some(&user)));
    let row = row.await?.context("no row of the person")?;
    ensure!(row.auth_type == AuthType::Oauth, "{row:?}");
    let (status, body) = call().await?;
    ensure!(
        status == 200 && body["result"].is_string(),
        "{status} {body}"
    );
    let granted = &row.config["granted_scopes"];
    ensure!(
        granted
            .as_array()
            .is_some_and(|scopes| scopes.contains(&json!("api:write"))),
        "{granted}"
    );
    let told = home.told.lock().unwrap_or_else(PoisonError::into_inner);
    ensure!(
        told.last()
            .is_some_and(|ready| ready.flow == "user_write" && ready.user_id.is_some()),
        "the connector was not told"
    );
    Ok(())
}

async fn denied(home: &Home) -> Result<()> {
    let before = home.credential().await?["id"].clone();
    let seen = browse(home.start_url("flow=org_source")?, Will::Deny).await?;
    ensure!(
        seen.status == 403 && seen.body.contains("access_denied"),
        "{} {}",
        seen.status,
        seen.body
    );
    ensure!(
        home.credential().await?["id"] == before,
        "the credential changed"
    );
    Ok(())
}

async fn missing(home: &Home) -> Result<()> {
    let query = "flow=user_write&required_scopes=api:admin";
    let seen = browse(home.start_url(query)?, Will::Consent).await?;
    ensure!(
        seen.status == 403 && seen.body.contains("did not grant api:admin"),
        "{} {}",
        seen.status,
        seen.body
    );
    Ok(())
}

async fn replayed(home: &Home) -> Result<()> {
    let http = HttpClient::new();
    let wrong = format!(
        "{}/api/oauth/callback?code=x&state=made-up",
        home.manager.url()
    );
    ensure!(
        http.get(wrong).send().await?.status() == 400,
        "a state that nobody made is believed"
    );
    let seen = browse(home.start_url("flow=org_source")?, Will::Consent).await?;
    connected(&seen)?;
    let again = http
        .get(seen.callback.context("no callback")?)
        .send()
        .await?;
    ensure!(again.status() == 400, "a code is taken twice");
    Ok(())
}

async fn expired(home: &Home) -> Result<()> {
    let seen = browse(home.start_url("flow=org_source")?, Will::Consent).await?;
    ensure!(
        seen.status == 400 && seen.body.contains("too old"),
        "{} {}",
        seen.status,
        seen.body
    );
    Ok(())
}
