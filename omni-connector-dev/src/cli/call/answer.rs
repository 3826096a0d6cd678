//! Prints the answer of an action, or of its dry run, for people and for programs.

use std::{
    fmt, fs,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    time::Duration,
};

use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap};
use serde::Serialize;
use serde_json::Value;

use crate::{
    cli::{Code, Failure, Output, output::printable, settings},
    options::CallLimits,
    rules::{ActionAnswer, DryRun},
};

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

/// A dry run for people.
pub(super) struct Shown<'a>(pub(super) &'a DryRun);

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

/// Prints the answer by the conventions of its callers (`protocol.md` §6.5).
pub(super) fn print(
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
        output.foreign_text(&shown, &text);
        return Ok(Code::Done);
    }
    let is_text =
        media_type.starts_with("text/") && !answer.headers.contains_key(CONTENT_DISPOSITION);
    if is_text && let Ok(text) = std::str::from_utf8(&answer.body) {
        shown.text = Some(text.to_owned());
        output.foreign_text(&shown, text);
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
    settings::help_for(error)
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
