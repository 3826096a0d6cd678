//! `cargo omni login`: signing in to the system of a connector, as people do in Omni's web app.

use std::{env, process::Stdio};

use clap::Args;
use reqwest::Url;
use serde_json::json;
use tokio::process::Command;

use super::{
    Code, Failure, Interrupts, Output, StoreFolder, output::note, session::Session,
    settings::SourceArguments, target::ConnectorArguments,
};
use crate::store::{configs, sources::SourceRecord};

/// The variable that holds the secret of our client.
const SECRET_VARIABLE: &str = "OMNI_OAUTH_CLIENT_SECRET";

/// Sign in to the system of a connector, and keep the tokens in the store
#[derive(Debug, Args)]
#[command(
    override_usage = "cargo omni login <PACKAGE> [OPTIONS]\n       cargo omni login [OPTIONS] -- <COMMAND>...",
    after_help = "The provider must know a client with the redirect URI that is printed; providers that let clients register need \
                  none. The client's secret stands in `OMNI_OAUTH_CLIENT_SECRET`."
)]
pub(super) struct Arguments {
    /// The package, unless `--url` or a command names the connector
    package: Option<String>,
    /// Id of our client at the provider, kept for later
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Sign in as this person instead of the organisation
    #[arg(long = "as", value_name = "EMAIL")]
    person: Option<String>,
    /// Ask for these scopes, too, with which actions write; joined by commas. Only with `--as`
    #[arg(long, value_name = "SCOPES", requires = "person")]
    write: Option<String>,
    /// Only print the address; open no browser
    #[arg(long)]
    no_browser: bool,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    connector: ConnectorArguments,
    #[command(flatten)]
    store: StoreFolder,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let session = Session::start(
        &arguments.connector,
        arguments.package.as_deref(),
        &arguments.store.folder,
        interrupts,
    )
    .await?;
    let signed_in = tokio::select! {
        signed_in = sign_in(&session, &arguments) => signed_in,
        () = interrupts.first() => Err(Failure::interrupted()),
    };
    let stopped = session.stop(interrupts).await;
    let email = signed_in?;
    stopped?;
    output.result(
        &json!({ "email": email }),
        format!("signed in as {email}\n"),
    );
    Ok(Code::Done)
}

async fn sign_in(session: &Session, arguments: &Arguments) -> Result<String, Failure> {
    let oauth = session.manifest.oauth.as_ref();
    let provider = oauth
        .and_then(|oauth| oauth["provider"].as_str())
        .ok_or_else(|| {
            Failure::failed(format!(
                "connector `{}` declares no OAuth",
                session.manifest.name
            ))
        })?;
    keep_client(session, provider, arguments.client_id.as_deref()).await?;
    let source = session.source(&arguments.source).await?;
    let signed_in = session.manager.signed_in();
    let url = address(session, arguments, &source)?;
    note(format!(
        "sign in at\n  {url}\nthe provider sends you back to\n  {}/api/oauth/callback",
        session.manager.url()
    ));
    if !arguments.no_browser {
        open(url.as_str());
    }
    Ok(signed_in.await)
}

/// Keeps what the command line says of our client at the provider.
async fn keep_client(session: &Session, provider: &str, id: Option<&str>) -> Result<(), Failure> {
    let Some(id) = id else { return Ok(()) };
    let (provider, id) = (provider.to_owned(), id.to_owned());
    let secret = env::var(SECRET_VARIABLE)
        .ok()
        .filter(|secret| !secret.is_empty());
    let kept = session.manager.store().write(move |db| {
        let mut settings = configs::find(db, &provider)?.unwrap_or_else(|| json!({}));
        settings["oauth_client_id"] = id.into();
        if let Some(secret) = secret {
            settings["oauth_client_secret"] = secret.into();
        }
        configs::put(db, &provider, &settings)
    });
    Ok(kept.await?)
}

fn address(
    session: &Session,
    arguments: &Arguments,
    source: &SourceRecord,
) -> Result<Url, Failure> {
    let start = format!("{}/api/oauth/start", session.manager.url());
    let mut query = vec![("source_id", source.id.as_str())];
    match (&arguments.person, &arguments.write) {
        (None, _) => query.push(("flow", "org_source")),
        (Some(email), None) => query.extend([("flow", "user_read"), ("as", email)]),
        (Some(email), Some(scopes)) => query.extend([
            ("flow", "user_write"),
            ("required_scopes", scopes),
            ("as", email),
        ]),
    }
    Url::parse_with_params(&start, query).map_err(Failure::failed)
}

/// A machine without a browser has the address on the screen.
fn open(url: &str) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let started = Command::new(program)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    drop(started);
}
