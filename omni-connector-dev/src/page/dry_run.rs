//! A dry run of an action: what would have been sent, and with which credential.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    frame::Frame,
    show::{cut, foreign, json},
};
use crate::rules::DryRun;

/// Renders a dry run, with the button that makes the same call.
pub(super) fn render(frame: &Frame, link: &str, tried: &DryRun) -> Markup {
    let credential = &tried.credential;
    let auth_type = serde_json::to_value(credential.auth_type).unwrap_or_default();
    html! {
        section.card id="dry-run" {
            h2 { "Dry run" }
            @match &tried.stopped {
                Some(stopped) => {
                    p { span.chip.write { "stopped" } " " code { (stopped.method) " " (foreign(&cut(&stopped.url, 600))) } " was not sent." }
                    @match &stopped.body {
                        Value::Null => {},
                        Value::String(text) => p.quiet { (foreign(&cut(text, 600))) },
                        body => (json(body)),
                    }
                },
                None => p { "No request was stopped: through " code { "omni_connector::http" } " it would change nothing." },
            }
            p.quiet { "Only requests through " code { "omni_connector::http" } " are stopped; those that only read were made." }
            dl.members {
                dt { "Credential" }
                dd { (foreign(&credential.provider)) " " (auth_type.as_str().unwrap_or_default()) @if let Some(account) = &credential.account { " of " (foreign(account)) } ": " (foreign(&credential.reason)) "." }
                dt { "Answer" }
                dd { (tried.status) " " code { (cut(&tried.answer.to_string(), 400)) } }
            }
            details { summary { "Input with its defaults" } (json(&tried.input)) }
            form method="post" action=(link) {
                input type="hidden" name="as_json" value="1";
                input type="hidden" name="json" value=(tried.input);
                button { "Call for real" @if let Some(viewer) = &frame.viewer { " as " (viewer) } }
            }
        }
    }
}
