//! `cargo omni call`: calls one action of a connector through the manager, as Omni does.

mod answer;

use std::{path::PathBuf, time::Instant};

use clap::Args;
use reqwest::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Code, Failure, Interrupts, Output, StoreFolder, parameters,
    session::Session,
    settings::{self, SourceArguments},
    taping::TapeArguments,
    target::ConnectorArguments,
};
use crate::rules::{ActionAnswer, Change, DryRun};
use answer::{Shown, print};

/// Call an action of a connector
#[derive(Debug, Args)]
#[command(
    override_usage = "cargo omni call <PACKAGE> <ACTION> [KEY=VALUE]... [OPTIONS]\n       \
                      cargo omni call --url <URL> <ACTION> [KEY=VALUE]... [OPTIONS]\n       \
                      cargo omni call <ACTION> [KEY=VALUE]... [OPTIONS] -- <COMMAND>...",
    after_help = "Examples:\n  cargo omni call filesystem validate_path base_path=/srv/docs"
)]
pub(super) struct Arguments {
    /// The package unless `--url` or a command names the connector, the action, and its parameters, which are read like
    /// `--set`
    #[arg(required = true, value_name = "PACKAGE ACTION KEY=VALUE")]
    words: Vec<String>,
    /// The parameters as JSON; `key=value` overrides them
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    /// The person who calls; without it the system calls
    #[arg(long = "as", value_name = "EMAIL")]
    actor: Option<String>,
    /// Stop each request that may change something, and print the first; needs an action that calls its source by
    /// `omni_connector::http`
    #[arg(long, conflicts_with = "file")]
    dry_run: bool,
    /// Where to save a file that the action returns
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    tape: TapeArguments,
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
    let words = &arguments.words[..];
    let (package, rest) = if arguments.connector.names_a_connector() {
        (None, words)
    } else {
        (
            words.first().map(String::as_str),
            words.get(1..).unwrap_or_default(),
        )
    };
    let Some((action, params)) = rest.split_first() else {
        return Err(Failure::usage("no action is named")
            .help("`cargo omni manifest <package>` lists the actions of a connector"));
    };
    let base = base(arguments.params.as_deref())?;
    // Report a mistake that needs no connector before building one.
    settings::merged(base.clone(), params)?;
    arguments.source.config()?;
    let taping = arguments.tape.taping()?;

    let session = Session::start(
        &arguments.connector,
        package,
        &arguments.store.folder,
        taping,
        interrupts,
    )
    .await?;
    let started = Instant::now();
    let answer = call(&session, &arguments, action, base, params, interrupts).await;
    let took = started.elapsed();
    let taped = session.finish_tape().await;
    session.stop_with_warnings(interrupts).await;
    let done = answer?;
    taped?;
    match done {
        Done::Called(answer) => print(answer, took, arguments.file, *output),
        Done::Tried(tried) => {
            output.result(&tried, Shown(&tried));
            Ok(Code::Done)
        }
    }
}

/// The outcome of a call.
enum Done {
    Called(ActionAnswer),
    Tried(DryRun),
}

impl Done {
    fn has_worked(&self) -> bool {
        match self {
            Self::Called(answer) => answer.status.is_success(),
            Self::Tried(tried) => (200..300).contains(&tried.status),
        }
    }
}

fn base(params: Option<&str>) -> Result<Value, Failure> {
    let Some(text) = params else {
        return Ok(Value::Object(Map::new()));
    };
    serde_json::from_str(text)
        .map_err(|error| Failure::usage(format!("`--params` is not JSON: {error}")))
}

async fn call(
    session: &Session,
    arguments: &Arguments,
    action: &str,
    base: Value,
    given: &[String],
    interrupts: &Interrupts,
) -> Result<Done, Failure> {
    let client = &session.client;
    let actions = &session.manifest.actions;
    let declared = actions.iter().find(|known| known.name == action);
    let params = match declared {
        Some(declared) => parameters::read(action, &declared.input_schema, base, given)?,
        None => settings::merged(base, given)?,
    };
    let described = session.source(&arguments.source, true).await?;
    let source = &described.source.id;
    let done = tokio::select! {
        done = call_of_source(session, arguments, source, action, params) => done,
        () = interrupts.first() => Err(Failure::interrupted()),
    };
    let has_worked = done.as_ref().is_ok_and(Done::has_worked);
    if !has_worked && described.change != Change::Unchanged {
        // Keep the settings once the connector worked with them.
        client.take_back(source).await?;
    }
    let done = done?;
    if let Done::Called(answer) = &done
        && answer.status == StatusCode::BAD_REQUEST
        && declared.is_none()
    {
        let names: Vec<_> = actions
            .iter()
            .map(|action| format!("`{}`", action.name))
            .collect();
        let failure = Failure::failed(format!("there is no action `{action}`"));
        return Err(if names.is_empty() {
            failure.help("the connector has no actions")
        } else {
            failure.help(format!("there are {}", names.join(", ")))
        });
    }
    Ok(done)
}

/// Calls or tries an action of a described source.
async fn call_of_source(
    session: &Session,
    arguments: &Arguments,
    source: &str,
    action: &str,
    params: Value,
) -> Result<Done, Failure> {
    #[derive(Serialize)]
    struct Call<'a> {
        source_id: &'a str,
        user_id: Option<&'a str>,
        action: &'a str,
        params: Value,
    }
    let client = &session.client;
    let actor = match &arguments.actor {
        Some(email) => Some(client.user(email).await?.id),
        None => None,
    };
    if let (Some(email), Some(person)) = (&arguments.actor, &actor) {
        consented(session, arguments, (email, person), source, action).await?;
    }
    let call = Call {
        source_id: source,
        user_id: actor.as_deref(),
        action,
        params,
    };
    if arguments.dry_run {
        return client.dry_run(&call).await.map(Done::Tried);
    }
    let answer = client.call(&call).await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.map_err(|error| {
        Failure::failed(format!("the answer broke off: {}", error.without_url()))
    })?;
    if status == StatusCode::PRECONDITION_FAILED && arguments.actor.is_some() {
        return Err(needs_sign_in(arguments));
    }
    Ok(Done::Called(ActionAnswer {
        status,
        headers,
        body,
    }))
}

/// Checks before the call whether the person granted the required scopes, as Omni's AI service does.
async fn consented(
    session: &Session,
    arguments: &Arguments,
    (email, person): (&str, &str),
    source: &str,
    action: &str,
) -> Result<(), Failure> {
    let missing = session.client.missing_scopes(source, person, action);
    let missing = missing.await?;
    if missing.is_empty() {
        return Ok(());
    }
    let login = login(
        arguments,
        &format!("--as {email} --write {}", missing.join(",")),
    );
    let missing = missing.join("`, `");
    let message = format!("`{email}` has not granted `{missing}`, which `{action}` requires");
    Err(Failure::failed(message).help(format!("grant it with `{login}`")))
}

fn needs_sign_in(arguments: &Arguments) -> Failure {
    let email = arguments.actor.as_deref().unwrap_or_default();
    let login = login(arguments, &format!("--as {email}"));
    Failure::failed(format!(
        "`{email}` has connected no account of their own to this source"
    ))
    .help(format!(
        "connect one with `{login}`, or leave `--as` out to act as the organisation"
    ))
}

/// Returns the command that signs in to the same connector.
fn login(arguments: &Arguments, options: &str) -> String {
    let connector = &arguments.connector;
    if connector.names_a_connector() {
        return format!("cargo omni login {options} {}", connector.shown(None));
    }
    let package = arguments.words.first().map_or("", String::as_str);
    format!("cargo omni login {package} {options}")
}
