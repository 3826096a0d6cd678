//! Tests a complete sign-in with a third-party provider: `oidc-provider` from npm.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use omni_connector::{AuthType, CredentialReady, HttpClient, ServerConfig};
use omni_connector_dev::{
    Manager, Options,
    store::{configs, users::UserRole},
};
use reqwest::Url;
use serde_json::{Value, json};

use crate::{
    Paths,
    provider::{self, Provider, Seen, Will, browse},
    report::Report,
    signed::Signed,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A manager, a provider and a connector, configured for each other.
struct Home {
    manager: Manager,
    source: String,
    told: Arc<Mutex<Vec<CredentialReady>>>,
    _provider: Provider,
}

impl Home {
    async fn start(paths: &Paths, options: Options) -> Result<Self> {
        let manager = Manager::start(options).await?;
        let callback = format!("{}/api/oauth/callback", manager.url());
        let provider = provider::start(paths, &callback).await?;
        let told = Arc::default();
        let connector = Signed {
            issuer: provider.issuer.clone(),
            registers: true,
            told: Arc::clone(&told),
        };
        let config = ServerConfig::loopback(manager.url());
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

    /// Stores the client settings as an administrator would.
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

    let mut options = Options::default();
    options.sign_in_life = Duration::ZERO;
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

/// Checks that a call first requires an account, and after the sign-in uses the person's token.
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
