//! `cargo omni call`: calls one action of a connector through the manager, as Omni does.

use std::{
    fmt, fs,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use reqwest::{
    StatusCode,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Code, Failure, Interrupts, Output, StoreFolder,
    output::printable,
    parameters,
    session::Session,
    settings::{self, SourceArguments},
    taping::TapeArguments,
    target::ConnectorArguments,
};
use crate::{
    options::CallLimits,
    rules::{ActionAnswer, Change, DryRun},
};

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

/// The answer as JSON for programs.
#[derive(Debug, Default, Serialize)]
struct Answer {
    status: u16,
    content_type: Option<String>,
    result: Option<Value>,
    text: Option<String>,
    file: Option<PathBuf>,
    bytes: usize,
    error: Option<String>,
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
    let answer = tokio::select! {
        answer = call(&session, &arguments, action, base, params) => answer,
        () = interrupts.first() => Err(Failure::interrupted()),
    };
    let took = started.elapsed();
    let taped = session.finish_tape().await;
    session.stop(interrupts).await;
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

/// A dry run for people.
struct Shown<'a>(&'a DryRun);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DryRun {
            input,
            credential,
            stopped,
            status,
            ..
        } = self.0;
        match stopped {
            Some(request) => {
                let url = printable(&request.url);
                writeln!(f, "stopped     {} {url}", request.method)?;
                if !request.body.is_null() {
                    writeln!(f, "{:#}", request.body)?;
                }
            }
            None => writeln!(f, "no request was stopped")?,
        }
        let account = credential.account.as_deref().unwrap_or_default();
        let reason = printable(&credential.reason);
        writeln!(
            f,
            "credential  {} {}: {reason}",
            printable(&credential.provider),
            printable(account)
        )?;
        writeln!(f, "input       {input}")?;
        writeln!(f, "answer      {status}")
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
) -> Result<Done, Failure> {
    #[derive(Serialize)]
    struct Call<'a> {
        source_id: &'a str,
        user_id: Option<&'a str>,
        action: &'a str,
        params: Value,
    }
    let client = &session.client;
    let actions = &session.manifest.actions;
    let declared = actions.iter().find(|known| known.name == action);
    let params = match declared {
        Some(declared) => parameters::read(action, &declared.input_schema, base, given)?,
        None => settings::merged(base, given)?,
    };
    let described = session.source(&arguments.source, true).await?;
    let source = &described.source.id;
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
    if !status.is_success() && described.change != Change::Unchanged {
        // Keep the settings once the connector worked with them.
        client.take_back(source).await?;
    }
    if declared.is_none() && status == StatusCode::BAD_REQUEST {
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

/// Prints the answer by the conventions of its callers (`protocol.md` §6.5).
fn print(
    answer: ActionAnswer,
    took: Duration,
    file: Option<PathBuf>,
    output: Output,
) -> Result<Code, Failure> {
    let content_type = header(&answer.headers, CONTENT_TYPE.as_str());
    let media_type = content_type.as_deref().unwrap_or_default();
    let media_type = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    let mut shown = Answer {
        status: answer.status.as_u16(),
        content_type,
        bytes: answer.body.len(),
        ..Answer::default()
    };
    let json = (media_type == "application/json")
        .then(|| serde_json::from_slice::<Value>(&answer.body).ok())
        .flatten();
    if let Some(json) = json {
        shown.error = match &json["error"] {
            Value::String(error) => Some(error.clone()),
            _ if json["status"] == "error" || !answer.status.is_success() => Some(json.to_string()),
            _ => None,
        };
        shown.result = Some(json.get("result").cloned().unwrap_or(json));
    } else if !answer.status.is_success() {
        shown.error = Some(String::from_utf8_lossy(&answer.body).into_owned());
    }
    if let Some(error) = shown.error.take() {
        return fail(shown, explained(error, took), output);
    }

    if let Some(path) = file {
        fs::write(&path, &answer.body).map_err(|error| {
            Failure::failed(format!("`{}` cannot be written: {error}", path.display()))
        })?;
        let text = format!("{} bytes in `{}`\n", answer.body.len(), path.display());
        shown.file = Some(path);
        output.result(&shown, text);
        return Ok(Code::Done);
    }
    if let Some(result) = &shown.result {
        let text = match result {
            Value::String(text) => format!("{text}\n"),
            other => format!("{other:#}\n"),
        };
        output.result(&shown, text);
        return Ok(Code::Done);
    }
    let is_text =
        media_type.starts_with("text/") && !answer.headers.contains_key(CONTENT_DISPOSITION);
    if is_text && let Ok(text) = std::str::from_utf8(&answer.body) {
        shown.text = Some(text.to_owned());
        output.result(&shown, text);
        return Ok(Code::Done);
    }
    if output.is_json() || io::stdout().is_terminal() {
        let name = header(&answer.headers, "x-file-name").unwrap_or_else(|| "download".to_owned());
        return Err(Failure::failed(format!(
            "the answer is a file of {} bytes",
            answer.body.len()
        ))
        .help(format!("write it with `-o {name}`")));
    }
    let _ = io::stdout().lock().write_all(&answer.body);
    Ok(Code::Done)
}

fn fail(mut shown: Answer, error: String, output: Output) -> Result<Code, Failure> {
    if !output.is_json() {
        let help = help(&error);
        let failure = Failure::failed(&error);
        return Err(match help {
            Some(help) => failure.help(help),
            None => failure,
        });
    }
    shown.error = Some(error);
    output.result(&shown, "");
    Ok(Code::Failed)
}

/// Returns help for an error that the connector itself cannot give.
fn help(error: &str) -> Option<String> {
    if error.starts_with(LATE) {
        let help = "Omni waits no longer; give the action a `timeout` that is shorter, and let long work go on in a sync";
        return Some(help.to_owned());
    }
    settings::missing(error)
}

/// The beginning of the message for an action that took too long.
const LATE: &str = "the action did not answer within";

/// Replaces Omni's message about a timed-out answer, which only names a URL, by the reason.
fn explained(error: String, took: Duration) -> String {
    let limit = CallLimits::default().call;
    if took >= limit && error.starts_with("Request failed: ") {
        return format!("{LATE} {} s", limit.as_secs());
    }
    error
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_that_takes_too_long_is_told_with_the_limit_and_the_way_out() {
        let error = "Request failed: error sending request for url (http://127.0.0.1:1/action)";
        let late = explained(error.to_owned(), Duration::from_secs(31));
        assert_eq!(late, "the action did not answer within 30 s");
        assert!(help(&late).unwrap().contains("`timeout`"));
        let early = explained(error.to_owned(), Duration::from_secs(1));
        assert_eq!(early, error, "the connector is gone");
    }
}
