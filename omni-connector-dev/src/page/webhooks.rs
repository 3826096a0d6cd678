//! The webhooks of the connector: a person sends a signed call, again, or twice at once, and sees the last deliveries.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;

use super::{
    Page,
    frame::{Frame, Pane},
    sent::Sent,
    show::{ago, counted, cut, foreign},
};
use crate::{
    rules::{self, Delivered, Delivery, Refusal},
    store::StoreError,
};

/// Deliveries that are kept.
const KEPT: usize = 10;

/// The webhooks of a connector.
#[derive(Debug, Default, Serialize)]
pub(super) struct Webhooks {
    paths: Vec<String>,
    /// The fields whose secret can make a signature.
    secrets: Vec<String>,
    deliveries: Vec<Delivered>,
}

impl Webhooks {
    pub(super) async fn read(page: &Page, frame: &Frame) -> Result<Self, StoreError> {
        let (Some(manifest), Some(one)) = (&frame.manifest, &frame.source) else {
            return Ok(Self::default());
        };
        let paths = rules::webhooks(&page.shared, manifest).await;
        let paths = paths.unwrap_or_default().into_iter();
        Ok(Self {
            paths: paths
                .map(|path| path.replace("{source_id}", &one.source.id))
                .collect(),
            secrets: rules::secret_fields(&page.shared, &one.source).await?,
            deliveries: page.memory(|memory| memory.deliveries.clone()),
        })
    }
}

/// Sends a call, once or twice at once.
pub(super) async fn send(sent: Sent) -> Response {
    let delivered = match try_send(&sent).await {
        Ok(delivered) => delivered,
        Err(refusal) => return sent.end_at(Pane::Actions, Err(refusal)),
    };
    let statuses: Vec<_> = delivered.iter().map(status).collect();
    let done = format!(
        "Delivered {}: {}.",
        counted(delivered.len() as u64, "time"),
        statuses.join(", ")
    );
    if sent.ask.wants_json() {
        return Json(json!({ "done": done, "deliveries": delivered })).into_response();
    }
    sent.end_at(Pane::Actions, Ok(done))
}

fn status(delivered: &Delivered) -> String {
    let status = delivered.status.map(|status| status.to_string());
    status.unwrap_or_else(|| "no answer".to_owned())
}

async fn try_send(sent: &Sent) -> Result<Vec<Delivered>, Refusal> {
    let text = |name: &str| sent.field(name).trim().to_owned();
    let delivery = Delivery {
        path: text("path"),
        // Browsers send line ends as two characters, and a signature is made of each byte.
        body: sent.field("body").replace("\r\n", "\n"),
        headers: text("headers"),
        signature_header: text("signature_header"),
        signature_prefix: text("signature_prefix"),
        secret: text("secret"),
    };
    let manifest = sent.frame.manifest.as_ref();
    let manifest =
        manifest.ok_or_else(|| Refusal::Conflict("No connector has registered.".to_owned()))?;
    let times = if sent.field("times") == "2" { 2 } else { 1 };
    let source = &sent.source()?.source;
    let shared = &sent.page.shared;
    let delivered = rules::deliver(shared, source, manifest, &delivery, times).await?;
    sent.page.memory(|memory| {
        let newest = delivered.iter().rev().cloned();
        memory.deliveries.splice(0..0, newest);
        memory.deliveries.truncate(KEPT);
    });
    Ok(delivered)
}

pub(super) fn render(frame: &Frame, webhooks: &Webhooks) -> Markup {
    let last = webhooks.deliveries.first().map(|last| &last.delivery);
    let action = frame.link("/dev/actions/webhook", &[]);
    let of_last = |field: fn(&Delivery) -> &String, other: &str| {
        last.map_or(other.to_owned(), |last| field(last).clone())
    };
    html! {
        @if !webhooks.paths.is_empty() {
            section.card id="webhooks" {
                h2 { "Webhooks " span.counter { (webhooks.paths.len()) } }
                p.quiet { "Calls the connector as another system would. The signature is the HMAC-SHA256 of the body." }
                form.stack method="post" action=(action) {
                    label { "Path" input name="path" list="webhook-paths" value=(of_last(|last| &last.path, &webhooks.paths[0])) required; }
                    datalist id="webhook-paths" { @for path in &webhooks.paths { option value=(path) {} } }
                    label { "Body" textarea.code name="body" rows="4" spellcheck="false" { "\n" (of_last(|last| &last.body, "{}")) } }
                    label { "Headers, one a line" textarea.code name="headers" rows="2" spellcheck="false" placeholder="X-Event: push" { "\n" (of_last(|last| &last.headers, "")) } }
                    div.joined {
                        label { "Signature header" input name="signature_header" placeholder="none" value=(of_last(|last| &last.signature_header, "")); }
                        label { "Text before it" input name="signature_prefix" value=(of_last(|last| &last.signature_prefix, "sha256=")); }
                        label { "Secret" select name="secret" { @for name in &webhooks.secrets { option value=(name) selected[last.is_some_and(|last| last.secret == *name)] { (name) } } } }
                    }
                    div.actions { button.primary name="times" value="1" { "Send" } button name="times" value="2" { "Send twice at once" } }
                }
                @if !webhooks.deliveries.is_empty() { (deliveries(&action, &webhooks.deliveries)) }
            }
        }
    }
}

fn deliveries(action: &str, deliveries: &[Delivered]) -> Markup {
    html! {
        h3 { "Last deliveries" }
        ul {
            @for one in deliveries {
                @let is_good = one.status.is_some_and(|status| (200..300).contains(&status));
                li {
                    details {
                        summary { span.chip.good[is_good].bad[!is_good] { (status(one)) } " " code { (foreign(&cut(&one.delivery.path, 200))) } span.quiet { " · " (one.took_ms) " ms · " (ago(one.at)) } }
                        @if let Some(signature) = &one.signature { p.quiet { code { (one.delivery.signature_header) ": " (signature) } } }
                        pre.text tabindex="0" { (foreign(&one.delivery.body)) }
                        p { "Answer" }
                        pre.text tabindex="0" { (foreign(&one.answer)) }
                        form method="post" action=(action) {
                            @let delivery = &one.delivery;
                            @for (name, value) in [("path", &delivery.path), ("body", &delivery.body), ("headers", &delivery.headers), ("signature_header", &delivery.signature_header), ("signature_prefix", &delivery.signature_prefix), ("secret", &delivery.secret)] {
                                input type="hidden" name=(name) value=(value);
                            }
                            button.small { "Send again" }
                        }
                    }
                }
            }
        }
    }
}
