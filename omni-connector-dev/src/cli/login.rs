//! `cargo omni login`: signs in to the system of a connector, as people do in Omni's web app.

use std::{env, process::Stdio};

use clap::Args;
use omni_connector::HttpClient;
use reqwest::{StatusCode, Url, redirect::Policy};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{
    Code, Failure, Interrupts, Output, StoreFolder,
    client::manager_failure,
    output::{note, with_cause},
    session::Session,
    settings::SourceArguments,
    taping::Taping,
    target::ConnectorArguments,
};
use crate::{
    rules::{Change, Described},
    store::sources::SourceRecord,
};

/// The variable with the secret of our client.
const SECRET_VARIABLE: &str = "OMNI_OAUTH_CLIENT_SECRET";

/// Sign in to the system of a connector, and keep the tokens in the store
#[derive(Debug, Args)]
#[command(
    override_usage = "cargo omni login <PACKAGE> [OPTIONS]\n       cargo omni login [OPTIONS] -- <COMMAND>...",
    after_help = "The provider must know a client with the redirect URI that is printed, which is the same every time unless \
                  `--port` is another one; providers that let clients register need none. The client's secret stands in \
                  `OMNI_OAUTH_CLIENT_SECRET`."
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
    /// Also request these scopes for actions that write, joined by commas; only with `--as`
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
    mut arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    // A provider redirects only to the registered address.
    arguments.connector.keep_port();
    let mut session = Session::start(
        &arguments.connector,
        arguments.package.as_deref(),
        &arguments.store.folder,
        Taping::None,
        interrupts,
    )
    .await?;
    let signed_in = sign_in(&mut session, &arguments, interrupts).await;
    session.stop_with_warnings(interrupts).await;
    let email = signed_in?;
    let next = arguments.next();
    output.result(
        &json!({ "email": email, "store": arguments.store.folder, "next": next }),
        format!("signed in as {email}\nthe tokens are kept for this source; go on with the same settings: {next}\n"),
    );
    Ok(Code::Done)
}

impl Arguments {
    /// Describes the next steps.
    fn next(&self) -> String {
        let connector = &self.connector;
        match (&self.person, self.package.as_deref()) {
            (None, package) => format!("cargo omni sync {}", connector.shown(package)),
            (Some(person), Some(package)) => {
                format!("cargo omni call {package} <ACTION> --as {person}")
            }
            (Some(person), None) => {
                let shown = connector.shown(None);
                format!("cargo omni call <ACTION> --as {person} {shown}")
            }
        }
    }
}

async fn sign_in(
    session: &mut Session,
    arguments: &Arguments,
    interrupts: &Interrupts,
) -> Result<String, Failure> {
    let oauth = session.manifest.oauth.as_ref();
    let provider = oauth
        .and_then(|oauth| oauth["provider"].as_str())
        .ok_or_else(|| {
            Failure::failed(format!(
                "connector `{}` declares no OAuth",
                session.manifest.name
            ))
            .help("it says how people sign in with `#[oauth]`; a secret goes into `--credentials` of `cargo omni sync`")
        })?;
    keep_client(session, provider, arguments.client_id.as_deref()).await?;
    let Described { source, change } = session.source(&arguments.source, false).await?;
    let signed_in = tokio::select! {
        signed_in = sign_in_to(session, arguments, &source) => signed_in,
        () = interrupts.first() => Err(Failure::interrupted()),
    };
    if signed_in.is_err() && change != Change::Unchanged {
        session.client.take_back(&source.id).await?;
    }
    signed_in
}

/// Waits until a person has signed in to a described source.
async fn sign_in_to(
    session: &mut Session,
    arguments: &Arguments,
    source: &SourceRecord,
) -> Result<String, Failure> {
    let client = session.client.clone();
    let earlier = client.ended_sign_ins().await?;
    let url = address(session, arguments, source)?;
    let callback = format!("{}/api/oauth/callback", session.client.url());
    check(&url, &callback).await?;
    note(format!(
        "sign in at\n  {url}\nthe provider sends you back to\n  {callback}"
    ));
    if !arguments.no_browser {
        open(url.as_str());
    }
    let died = async {
        match &mut session.process {
            Some(process) => process.exited().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = client.signed_in(earlier) => ended?.map_err(|why| {
            manager_failure(&why).help("run the same command again; what is asked for stands under `oauth` in `cargo omni manifest`")
        }),
        status = died => Err(Failure::not_started(format!(
            "the connector ended with {status} before anybody signed in"
        ))
        .help("all that it printed is in `connector.log` in the store")),
    }
}

/// Stores the client at the provider that the command line describes.
async fn keep_client(session: &Session, provider: &str, id: Option<&str>) -> Result<(), Failure> {
    let Some(id) = id else { return Ok(()) };
    let secret = env::var(SECRET_VARIABLE)
        .ok()
        .filter(|secret| !secret.is_empty());
    session
        .client
        .keep_oauth_client(provider, id, secret.as_deref())
        .await
}

/// Requests the redirect to the provider once, so that a problem is reported here and not in a browser.
async fn check(start: &Url, callback: &str) -> Result<(), Failure> {
    let http = HttpClient::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build();
    let answer = async { http?.get(start.clone()).send().await };
    let answer = answer
        .await
        .map_err(|error| Failure::failed(with_cause(&error)))?;
    let status = answer.status();
    if status.is_redirection() {
        return Ok(());
    }
    let body: Value = answer.json().await.unwrap_or_default();
    let why = body["error"].as_str().unwrap_or("no sign-in can begin");
    let failure = manager_failure(why);
    Err(if status == StatusCode::PRECONDITION_FAILED {
        failure.help(format!(
            "register one there with the redirect URI `{callback}`, then run this again with `--client-id ID`, \
             and its secret in `{SECRET_VARIABLE}`"
        ))
    } else {
        failure
    })
}

fn address(
    session: &Session,
    arguments: &Arguments,
    source: &SourceRecord,
) -> Result<Url, Failure> {
    let start = format!("{}/api/oauth/start", session.client.url());
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

/// Opens a browser. Without one, the address is on the screen.
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
