//! Reads e-mail messages: subject, people, date, body and attached texts.

mod letter;
mod mend;

use encoding_rs::Encoding;
use mail_parser::{
    Encoding as Transfer, Message, MessageParser, MessagePart, MimeHeaders, PartType,
    decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode},
};
use msg_parser::{Outlook, Person};

use super::{Refusal, html, parts::Parts, text};
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
        attachment(message, attached, depth, parts);
    }
}

/// Reads the pages of a web archive (MHTML), which has the form of a message.
pub(super) fn pages(data: &[u8], parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let message = MessageParser::default()
        .parse(data)
        .ok_or("the web archive is empty")?;
    let mut has_page = false;
    for part in &message.parts {
        if let PartType::Html(_) = part.body {
            let page = text_of(&message, part, parts).unwrap_or_default();
            parts.text(&page);
            parts.text("\n");
            has_page = true;
        }
    }
    if has_page {
        Ok(())
    } else {
        Err("the web archive has no page".to_owned())
    }
}

/// Returns the text parts, or the HTML parts when the text has no word.
fn body(message: &Message<'_>, parts: &mut Parts<'_>) -> String {
    let mut join = |bodies: Vec<&MessagePart<'_>>| {
        let texts = bodies
            .into_iter()
            .filter_map(|part| text_of(message, part, parts));
        texts.collect::<Vec<_>>().join("\n\n")
    };
    let plain = join(message.text_bodies().collect());
    let has_words = |text: &str| text.contains(char::is_alphanumeric);
    let rich = if has_words(&plain) {
        String::new()
    } else {
        join(message.html_bodies().collect())
    };
    for part in message.text_bodies().chain(message.html_bodies()) {
        charset(part, parts);
    }
    if has_words(&rich) && rich != plain {
        parts.omni_loses("HTML beside a blank text");
        return rich;
    }
    plain
}

/// Returns the text of a part as Markdown. Decodes it again when it does not have the charset that
/// it declares, or declares none.
fn text_of(message: &Message<'_>, part: &MessagePart<'_>, parts: &mut Parts<'_>) -> Option<String> {
    const UNDECODED: char = '\u{fffd}';
    let (decoded, is_page) = match &part.body {
        PartType::Text(text) => (text, false),
        PartType::Html(page) => (page, true),
        _ => return None,
    };
    let mended = decoded.contains(UNDECODED).then(|| {
        let range = part.offset_body as usize..part.offset_end as usize;
        let raw = message.raw_message.get(range)?;
        let bytes = match part.encoding {
            Transfer::None => raw.to_vec(),
            Transfer::Base64 => base64_decode(raw)?,
            Transfer::QuotedPrintable => quoted_printable_decode(raw)?,
        };
        let label = part
            .content_type()
            .and_then(|kind| kind.attribute("charset"));
        let label =
            label.and_then(|label| Encoding::for_label_no_replacement(label.trim().as_bytes()));
        let declared = label.or_else(|| html::declared(&bytes).filter(|_| is_page));
        Some(text::decode(&bytes, declared, parts).into_owned())
    });
    let mended = mended.flatten().filter(|text| !text.contains(UNDECODED));
    let text = mended.as_deref().unwrap_or(decoded);
    Some(if is_page {
        html::to_markdown(text)
    } else {
        text.to_owned()
    })
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

fn attachment(message: &Message<'_>, part: &MessagePart<'_>, depth: usize, parts: &mut Parts<'_>) {
    let name = part.attachment_name().unwrap_or("without a name");
    let text = match &part.body {
        PartType::Text(_) | PartType::Html(_) => text_of(message, part, parts).unwrap_or_default(),
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
    let body = if message.body.trim().is_empty() {
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
    for attached in &message.attachments {
        let names = [
            &attached.long_file_name,
            &attached.file_name,
            &attached.display_name,
        ];
        let name = names.into_iter().find(|name| !name.is_empty());
        let name = name.map_or("without a name", String::as_str);
        parts.lost(
            format!("attachment `{name}`"),
            "files in messages are not read",
        );
    }
    Ok(())
}
