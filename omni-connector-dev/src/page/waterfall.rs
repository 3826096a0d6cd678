//! Calls of a run as bars on a line of time: waits and attempts, each where it was.

use maud::{Markup, html};
use omni_connector::SourceRequest;
use serde::Serialize;

use super::show::{bytes, count, cut, foreign};

/// The width of the line of time, in units of its picture.
const WIDTH: u64 = 1000;

/// A call, with the time when its process began with the run.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Call {
    pub(super) began_ms: u64,
    #[serde(flatten)]
    pub(super) request: SourceRequest,
}

impl Call {
    fn begins(&self) -> u64 {
        self.began_ms + self.request.at_ms
    }

    /// Whether the call or one of its attempts failed.
    pub(super) fn has_failed(&self) -> bool {
        self.request.outcome != "ok" || self.request.steps.iter().any(|step| step.error.is_some())
    }

    /// How long it waited for anything but the source's answer.
    pub(super) fn waited_ms(&self) -> u64 {
        let waits = self.request.steps.iter().filter(|step| step.wait.is_some());
        waits.map(|step| step.took_ms).sum()
    }

    /// Returns the call as a command for a terminal. The secret is a variable.
    fn curl(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let (method, url) = (&self.request.method, &self.request.url);
        format!(
            "curl -X {method} -H \"Authorization: $AUTHORIZATION\" {}",
            quoted(url)
        )
    }

    fn status(&self) -> Option<u16> {
        self.request.steps.iter().rev().find_map(|step| step.status)
    }
}

/// One line a call.
pub(super) fn render(calls: &[Call], link: impl Fn(&Call) -> String) -> Markup {
    let first = calls.iter().map(Call::begins).min().unwrap_or_default();
    let last = calls
        .iter()
        .map(|call| call.begins() + call.request.took_ms);
    let whole = last.max().unwrap_or_default().saturating_sub(first).max(1);
    html! {
        p.quiet { "From the first call to the last: " (count(whole)) " ms" }
        ol.waterfall {
            @for call in calls {
                li {
                    details {
                        summary {
                            @let is_good = call.request.outcome == "ok";
                            span.chip.good[is_good].bad[!is_good] { @match call.status() { Some(status) => (status), None => (call.request.outcome) } } " "
                            code { (foreign(&cut(&call.request.operation, 60))) }
                            @if let Some(page) = call.request.page { span.quiet { " page " (page) } }
                            (bar(call, first, whole))
                            span.quiet { (count(call.request.took_ms)) " ms" }
                        }
                        (more(call, first, &link(call)))
                    }
                }
            }
        }
    }
}

fn bar(call: &Call, first: u64, whole: u64) -> Markup {
    let place = |at: u64| at.saturating_sub(first) * WIDTH / whole;
    html! {
        svg.bar viewBox={ "0 0 " (WIDTH) " 10" } preserveAspectRatio="none" aria-hidden="true" {
            @for step in &call.request.steps {
                @let x = place(call.began_ms + step.at_ms);
                @let end = place(call.began_ms + step.at_ms + step.took_ms);
                @let kind = match (&step.wait, &step.error) { (Some(_), _) => "wait", (None, Some(_)) => "failed", (None, None) => "answered" };
                rect class=(kind) x=(x) y="1" width=(end.saturating_sub(x).max(3)) height="8" {}
            }
        }
    }
}

/// The parts of a call, one after the other.
fn more(call: &Call, first: u64, link: &str) -> Markup {
    let request = &call.request;
    html! {
        p { code { (request.method) " " (foreign(&cut(&request.url, 600))) } span.quiet { " · " (bytes(request.bytes)) " · " (request.outcome) } " " a href=(link) { "Request and answer" } }
        ul {
            @for step in &request.steps {
                li {
                    span.quiet { "at " (count((call.began_ms + step.at_ms).saturating_sub(first))) " ms: " }
                    @match (&step.wait, step.status) {
                        (Some(wait), _) => { "waited " (count(step.took_ms)) " ms for " (reason(wait)) },
                        (None, Some(status)) => { "answered " (status) " after " (count(step.took_ms)) " ms" },
                        (None, None) => { "no answer within " (count(step.took_ms)) " ms" },
                    }
                    @if let Some(error) = &step.error { ": " (foreign(&cut(error, 400))) }
                }
            }
        }
        details { summary { "As curl" } pre.text tabindex="0" { (foreign(&cut(&call.curl(), 1000))) } }
    }
}

/// What a wait was for.
fn reason(wait: &str) -> &str {
    match wait {
        "slot" => "one of the calls that may be made at once",
        "pace" => "the quota of the source",
        "retry" => "another attempt",
        "credential" => "a new credential",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_a_command_whose_url_cannot_end_its_quotes() {
        let mut request = SourceRequest::default();
        request.method = "GET".to_owned();
        request.url = "https://acme.example/it's?a=$(id)".to_owned();
        let call = Call {
            began_ms: 0,
            request,
        };
        let expected = r#"curl -X GET -H "Authorization: $AUTHORIZATION" 'https://acme.example/it'\''s?a=$(id)'"#;
        assert_eq!(call.curl(), expected);
    }
}
