//! Reads e-mail messages: subject, people, date, body and attached texts.

mod letter;
mod mend;

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use msg_parser::{Outlook, Person};

use super::{Refusal, html, parts::Parts};
use letter::{Letter, addresses, mailbox};

/// Greatest depth of nested messages.
const DEEPEST: usize = 5;

pub(super) fn eml(data: &[u8], parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let mended = mend::mended(data);
    for what in mended.omni_loses {
        parts.omni_loses(what);
    }
    let message = MessageParser::default()
        .parse(&mended.data)
        .ok_or("the message is empty")?;
    message_text(&message, 0, parts);
    Ok(())
}

fn message_text(message: &Message<'_>, depth: usize, parts: &mut Parts<'_>) {
    let letter = Letter {
        subject: message.subject().unwrap_or_default(),
        from: addresses(message.from()),
        to: addresses(message.to()),
        cc: addresses(message.cc()),
        date: message.date().map(mail_parser::DateTime::to_rfc3339),
        body: &body(message, parts),
    };
    parts.text(&letter.text());
    for attached in message.attachments() {
        attachment(attached, depth, parts);
    }
}

/// Returns the text parts, or the HTML parts when the text is blank.
fn body(message: &Message<'_>, parts: &mut Parts<'_>) -> String {
    let text = |part: &MessagePart<'_>| match &part.body {
        PartType::Text(text) => Some(text.to_string()),
        PartType::Html(page) => Some(html::to_markdown(page)),
        _ => None,
    };
    let join = |texts: Vec<String>| texts.join("\n\n");
    let plain = join(message.text_bodies().filter_map(text).collect());
    for part in message.text_bodies().chain(message.html_bodies()) {
        charset(part, parts);
    }
    if !plain.trim().is_empty() {
        return plain;
    }
    let rich = join(message.html_bodies().filter_map(text).collect());
    if !rich.trim().is_empty() {
        parts.omni_loses("HTML beside a blank text");
        return rich;
    }
    plain
}

/// Reports a part whose charset Omni cannot decode: Omni reads messages without East Asian tables.
fn charset(part: &MessagePart<'_>, parts: &mut Parts<'_>) {
    let charset = part
        .content_type()
        .and_then(|kind| kind.attribute("charset"));
    if let Some(charset) = charset
        && mend::is_beyond_omni(charset)
    {
        parts.omni_loses(&format!("text in {}", charset.to_ascii_lowercase()));
    }
}

fn attachment(part: &MessagePart<'_>, depth: usize, parts: &mut Parts<'_>) {
    let name = part.attachment_name().unwrap_or("without a name");
    let text = match &part.body {
        PartType::Text(text) => text.to_string(),
        PartType::Html(page) => html::to_markdown(page),
        PartType::Message(message) if depth < DEEPEST => {
            parts.omni_loses("attached messages");
            parts.text("\n\n");
            message_text(message, depth + 1, parts);
            return;
        }
        PartType::Multipart(_) => return,
        _ => {
            parts.lost(
                format!("attachment `{name}`"),
                "files in messages are not read",
            );
            return;
        }
    };
    if !text.trim().is_empty() {
        parts.omni_loses("attached texts");
        parts.text(&format!("\n\n{text}"));
    }
}

pub(super) fn msg(data: &[u8], parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let message = Outlook::from_slice(data).map_err(|error| error.to_string())?;
    let body = if message.body.is_empty() {
        html::to_markdown(&message.html)
    } else {
        message.body
    };
    if body.trim().is_empty() {
        parts.lost("the body", "it is neither text nor HTML");
    }
    let people = |people: &[Person]| {
        let people = people
            .iter()
            .map(|person| mailbox(&person.name, &person.email));
        people.collect::<Vec<_>>().join(", ")
    };
    let sent = [message.client_submit_time, message.message_delivery_time]
        .into_iter()
        .find(|date| !date.is_empty());
    let letter = Letter {
        subject: &message.subject,
        from: mailbox(&message.sender.name, &message.sender.email),
        to: people(&message.to),
        cc: people(&message.cc),
        date: sent,
        body: &body,
    };
    parts.text(&letter.text());
    Ok(())
}
