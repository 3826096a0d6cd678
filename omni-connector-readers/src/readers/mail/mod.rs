//! Reads e-mail messages: subject, people, date, body and attached texts.

mod boundary;
mod letter;
mod mend;
mod nesting;
mod outlook;
mod transfer;

use mail_parser::{ContentType, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::{Refusal, charset::Charset, html, parts::Parts, text};
use letter::{Letter, addresses};
pub(super) use outlook::msg;
pub(super) use transfer::base64;

/// Greatest depth of nested messages.
const DEEPEST: usize = 5;

pub(super) fn eml(data: &[u8], parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let mended = mend::mended(data);
    for what in mended.omni_loses {
        parts.omni_loses(what);
    }
    for why in mended.guesses {
        parts.lost(text::LETTERS, why);
    }
    let message = MessageParser::default()
        .parse(&mended.data)
        .ok_or("the message is empty or has no headings")?;
    message_text(&message, 0, parts);
    Ok(())
}

fn message_text(message: &Message<'_>, depth: usize, parts: &mut Parts<'_>) {
    let letter = Letter {
        subject: message.subject().unwrap_or_default(),
        from: addresses(message.from()),
        to: addresses(message.to()),
        cc: addresses(message.cc()),
        date: date(message, parts),
        body: &body(message, parts),
    };
    parts.text(&letter.text());
    for attached in message.attachments() {
        attachment(message, attached, depth, parts);
    }
}

/// Returns the date in the standard's form, or as it is written if it has another form.
fn date(message: &Message<'_>, parts: &mut Parts<'_>) -> Option<String> {
    if let Some(date) = message.date() {
        return Some(date.to_rfc3339());
    }
    let written = message.header_raw("Date")?.trim();
    if !written.is_empty() {
        parts.omni_loses("dates in a form of their own");
    }
    Some(written.to_owned())
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

/// Returns the text parts, and the HTML parts in place of those without a word.
fn body(message: &Message<'_>, parts: &mut Parts<'_>) -> String {
    let plain: Vec<_> = message.text_bodies().collect();
    let rich: Vec<_> = message.html_bodies().collect();
    for part in plain.iter().chain(&rich) {
        charset(part, parts);
    }
    let mut texts = Vec::new();
    if plain.len() == rich.len() {
        // Each text has its HTML, which is the part itself when the message has only one of them.
        for (plain, rich) in plain.into_iter().zip(rich) {
            texts.extend(best_of(message, plain, rich, parts));
        }
    } else {
        texts.extend(
            plain
                .iter()
                .filter_map(|part| text_of(message, part, parts)),
        );
        if !texts.iter().any(|text| has_words(text)) {
            texts = rich
                .iter()
                .filter_map(|part| text_of(message, part, parts))
                .collect();
            if texts.iter().any(|text| has_words(text)) {
                parts.omni_loses(BLANK);
            }
        }
    }
    texts.join("\n\n")
}

/// Text that Omni loses: it always prefers the plain text.
const BLANK: &str = "HTML beside a blank text";

/// Returns the text, the HTML when the text has no word, or both when the text is only a notice such as "this message is
/// in HTML".
fn best_of(
    message: &Message<'_>,
    plain: &MessagePart<'_>,
    rich: &MessagePart<'_>,
    parts: &mut Parts<'_>,
) -> Option<String> {
    const NOTICE: usize = 12;
    let text = text_of(message, plain, parts);
    if std::ptr::eq(plain, rich) {
        return text;
    }
    let text = text.unwrap_or_default();
    let words = |text: &str| {
        text.split_whitespace()
            .filter(|word| has_words(word))
            .count()
    };
    let plain_words = if has_words(&text) { words(&text) } else { 0 };
    if plain_words > NOTICE {
        return Some(text);
    }
    let page = text_of(message, rich, parts).unwrap_or_default();
    if plain_words == 0 && has_words(&page) {
        parts.omni_loses(BLANK);
        return Some(page);
    }
    if words(&page) > 3 * plain_words + NOTICE {
        parts.omni_loses("HTML beside a short text");
        return Some(format!("{text}\n\n{page}"));
    }
    Some(text)
}

/// Returns whether a text has a word besides what programs write in place of pictures and of nothing.
fn has_words(text: &str) -> bool {
    /// Letters that are blank.
    const BLANK: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];
    let mut rest = text;
    let is_word = |piece: &str| {
        let piece = piece.replace("&nbsp;", " ");
        piece.contains(|c: char| c.is_alphanumeric() && !BLANK.contains(&c))
    };
    while let Some(start) = rest.find('[') {
        let (before, after) = rest.split_at(start);
        let is_picture = after.starts_with("[cid:") || after.starts_with("[image");
        let end = after.find(']').filter(|_| is_picture);
        let piece = if end.is_some() {
            before
        } else {
            &rest[..=start]
        };
        if is_word(piece) {
            return true;
        }
        rest = &after[end.unwrap_or(0) + 1..];
    }
    is_word(rest)
}

/// Returns the text of a part as Markdown. Decodes it again when the parser could not, or when it does not have the
/// charset that it declares.
fn text_of(message: &Message<'_>, part: &MessagePart<'_>, parts: &mut Parts<'_>) -> Option<String> {
    const UNDECODED: char = '\u{fffd}';
    let (PartType::Text(decoded) | PartType::Html(decoded)) = &part.body else {
        return None;
    };
    let is_page = matches!(part.body, PartType::Html(_))
        || part.content_type().and_then(|kind| kind.subtype()) == Some("html");
    let label = part
        .content_type()
        .and_then(|kind| kind.attribute("charset"))
        .unwrap_or_default();
    let declared = Charset::of(label);
    let is_in_doubt = decoded.contains(UNDECODED)
        || !label.is_empty() && declared.is_none()
        || part.is_encoding_problem
        || transfer::is_left(part)
        || matches!(declared, Some(Charset::Shifted(_) | Charset::Dos(..)))
        || declared == Some(Charset::Web(encoding_rs::ISO_2022_JP))
        || mend::may_be_utf_8(label) && !decoded.is_ascii();
    let mended = is_in_doubt.then(|| {
        let range = part.offset_body as usize..part.offset_end as usize;
        let bytes = transfer::decoded(part, message.raw_message.get(range)?, declared);
        if transfer::is_left(part) {
            parts.omni_loses("text whose transfer encoding has errors");
        }
        if mend::may_be_utf_8(label) && !bytes.is_ascii() && std::str::from_utf8(&bytes).is_ok() {
            parts.omni_loses("text in UTF-8 that says it is in another charset");
            return String::from_utf8(bytes).ok();
        }
        let declared = declared.or_else(|| html::declared(&bytes).filter(|_| is_page));
        Some(match declared {
            Some(_) => text::decode(&bytes, declared, parts).into_owned(),
            None => text::decode_as(&bytes, label, parts).into_owned(),
        })
    });
    let is_better = |text: &String| declared.is_none() || !text.contains(UNDECODED);
    let mended = mended.flatten().filter(is_better);
    let text = mended.as_deref().unwrap_or(decoded);
    let is_joined = |kind: &ContentType<'_>| {
        let is = |name, value| {
            let found = kind.attribute(name);
            found.is_some_and(|found| found.eq_ignore_ascii_case(value))
        };
        is("format", "flowed") && is("delsp", "yes")
    };
    Some(if is_page {
        html::to_markdown(text, parts)
    } else if part.content_type().is_some_and(is_joined) {
        joined(text)
    } else {
        text.to_owned()
    })
}

/// Joins the lines of a flowed text that were broken within a word (RFC 3676, `delsp=yes`).
fn joined(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let goes_on = line != "-- " && !line.starts_with('>');
        let goes_on = goes_on && lines.peek().is_some_and(|next| !next.starts_with('>'));
        match line.strip_suffix(' ').filter(|_| goes_on) {
            Some(line) => joined.push_str(line),
            None => {
                joined.push_str(line);
                joined.push('\n');
            }
        }
    }
    joined
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
        // Reports of delivery and the like, which are lines of text.
        PartType::Binary(data) | PartType::InlineBinary(data) if is_message(part) => {
            text::decode(data, None, parts).into_owned()
        }
        other => {
            let why = match other {
                PartType::Message(_) => "a message within so many others is not read",
                _ => "files in messages are not read",
            };
            parts.lost(format!("attachment `{name}`"), why);
            return;
        }
    };
    if !text.trim().is_empty() {
        parts.omni_loses("attached texts");
        parts.text(&format!("\n\n{text}"));
    }
}

fn is_message(part: &MessagePart<'_>) -> bool {
    let kind = part.content_type();
    kind.is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("message"))
}
