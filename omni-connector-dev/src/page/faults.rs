//! Faults that a person plans for the next calls of a connector to its source: *fail like this*.

use axum::response::Response;
use maud::{Markup, html};
use omni_connector::http::{Fault, PlannedFault};
use reqwest::Method;

use super::{
    frame::{Frame, Pane},
    sent::Sent,
    show::counted,
};
use crate::rules::Refusal;

/// Has the next calls of an operation fail in a chosen way.
pub(super) async fn fail(sent: Sent) -> Response {
    let done = try_fail(&sent).await;
    let run = sent.ask.get("run").unwrap_or_default();
    let to = sent.frame.link(Pane::Requests.path(), &[("run", run)]);
    sent.end(&to, done)
}

async fn try_fail(sent: &Sent) -> Result<String, Refusal> {
    let operation = sent.field("operation").to_owned();
    let name = sent.field("fault").to_owned();
    let fault: Fault = serde_json::from_value(name.clone().into()).map_err(|_| {
        Refusal::BadRequest(format!(
            "`{name}` is not a fault; they are `too_many_requests`, `server_error`, `broken_off` and `empty_page`"
        ))
    })?;
    let times = sent
        .field("times")
        .parse::<u32>()
        .ok()
        .filter(|times| *times > 0);
    let times = times
        .ok_or_else(|| Refusal::BadRequest("A fault happens once or more often.".to_owned()))?;
    let manifest = sent.frame.manifest.as_ref();
    let manifest =
        manifest.ok_or_else(|| Refusal::Conflict("No connector has registered.".to_owned()))?;
    let url = format!("{}/dev/faults", manifest.connector_url);
    let planned = PlannedFault {
        operation: operation.clone(),
        fault,
        times,
    };
    let answer = sent
        .page
        .shared
        .connectors
        .send(Method::POST, &url, Some(&planned));
    match answer.await {
        Ok(answer) if answer.status().is_success() => {
            let attempts = counted(times, "attempt");
            Ok(format!("The next {attempts} of `{operation}` will fail: {}.", words(fault)))
        }
        _ => Err(Refusal::Conflict(
            "The connector takes no planned faults: it was not started by `cargo omni`, or it does not use the HTTP client of omni-connector."
                .to_owned(),
        )),
    }
}

fn words(fault: Fault) -> &'static str {
    match fault {
        Fault::TooManyRequests => "429, try again in 2 s",
        Fault::ServerError => "500",
        Fault::BrokenOff => "the answer breaks off",
        _ => "the lists of the answer are empty",
    }
}

/// A form that plans a fault for the next call of an operation.
pub(super) fn form(frame: &Frame, run: &str, operation: &str) -> Markup {
    let faults = [
        "too_many_requests",
        "server_error",
        "broken_off",
        "empty_page",
    ];
    let names = ["429", "500", "broken off", "empty page"];
    html! {
        form.joined method="post" action=(frame.link("/dev/requests/fail", &[("run", run)])) {
            input type="hidden" name="operation" value=(operation);
            input type="hidden" name="times" value="1";
            select name="fault" aria-label={ "Fault of the next call of " (operation) } {
                @for (value, name) in faults.iter().zip(names) { option value=(value) { (name) } }
            }
            button.small title="The next attempt of this operation fails so" { "Plan" }
        }
    }
}
