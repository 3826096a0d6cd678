//! Reads the XML of office files up to the first syntax error.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use quick_xml::{
    Reader, escape,
    events::{BytesRef, BytesStart, Event},
};

/// Decodes a part by its byte order mark, its first bytes or its declaration, else as UTF-8.
pub(super) fn decode(data: &[u8]) -> String {
    if let Some((encoding, length)) = Encoding::for_bom(data) {
        return encoding
            .decode_without_bom_handling(&data[length..])
            .0
            .into_owned();
    }
    if let Some(wide) = wide(data) {
        return wide.decode_without_bom_handling(data).0.into_owned();
    }
    let head = String::from_utf8_lossy(&data[..data.len().min(200)]);
    let declared = head
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("encoding="))
        .and_then(|(_, rest)| rest.split(['"', '\'']).nth(1))
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        .filter(|encoding| encoding.is_ascii_compatible())
        .unwrap_or(UTF_8);
    declared.decode_without_bom_handling(data).0.into_owned()
}

/// Returns the encoding of a part in UTF-16 without a byte order mark.
fn wide(data: &[u8]) -> Option<&'static Encoding> {
    match data {
        [b'<', 0, ..] => Some(UTF_16LE),
        [0, b'<', ..] => Some(UTF_16BE),
        _ => None,
    }
}

/// Returns whether a part is in UTF-16.
pub(in crate::readers) fn is_wide(data: &[u8]) -> bool {
    matches!(data, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || wide(data).is_some()
}

/// Writes a part as UTF-8, without its declaration.
pub(in crate::readers) fn narrow(data: &[u8]) -> Vec<u8> {
    let text = decode(data);
    let declaration = text
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"));
    declaration
        .map_or(&*text, |(_, rest)| rest)
        .as_bytes()
        .to_vec()
}

pub(super) struct Events<'a> {
    reader: Reader<&'a [u8]>,
    /// The syntax error that ended reading.
    pub(super) broken: Option<String>,
}

impl<'a> Events<'a> {
    pub(super) fn of(xml: &'a str) -> Self {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        Self {
            reader,
            broken: None,
        }
    }

    /// Returns the next event, or `None` at the end or an error.
    pub(super) fn next(&mut self) -> Option<Event<'a>> {
        match self.reader.read_event() {
            Ok(Event::Eof) => None,
            Ok(event) => Some(event),
            Err(error) => {
                self.broken = Some(error.to_string());
                None
            }
        }
    }

    /// Returns the next start tag or empty tag.
    pub(super) fn next_tag(&mut self) -> Option<BytesStart<'a>> {
        loop {
            if let Event::Start(tag) | Event::Empty(tag) = self.next()? {
                return Some(tag);
            }
        }
    }

    pub(super) fn end(self) -> Result<(), String> {
        self.broken.map_or(Ok(()), Err)
    }
}

/// Knows which of two spellings of the same content is read: the choice for newer programs, or the next one when it
/// has no text.
#[derive(Default)]
pub(super) struct Alternatives {
    open: Vec<Alternative>,
}

#[derive(Default)]
struct Alternative {
    has_text: bool,
    /// Whether the open spelling comes after one with text.
    is_repeated: bool,
}

impl Alternatives {
    pub(super) fn start(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "AlternateContent" => self.open.push(Alternative::default()),
            "Choice" | "Fallback" => {
                if let Some(open) = self.open.last_mut() {
                    open.is_repeated = open.has_text;
                }
            }
            _ => {}
        }
    }

    pub(super) fn end(&mut self, name: &str) {
        match name {
            "AlternateContent" => {
                self.open.pop();
            }
            "Choice" | "Fallback" => {
                if let Some(open) = self.open.last_mut() {
                    open.is_repeated = false;
                }
            }
            _ => {}
        }
    }

    /// Notes text.
    pub(super) fn text(&mut self, text: &str) {
        if !text.trim().is_empty() {
            for open in &mut self.open {
                open.has_text = true;
            }
        }
    }

    /// Returns whether content here is read.
    pub(super) fn are_shown(&self) -> bool {
        self.open.iter().all(|open| !open.is_repeated)
    }
}

/// Finds an attribute by its name without prefix.
pub(in crate::readers) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = tag.attributes();
    attributes
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .map(|attribute| {
            let value = attribute.value.as_ref();
            escape::unescape(value).map_or_else(|_| value.to_owned(), Cow::into_owned)
        })
}

/// Returns the text of an event: characters, entities such as `&amp;`, and CDATA.
pub(in crate::readers) fn characters(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Text(text) => Some(text.xml10_content().into_owned()),
        Event::CData(text) => Some(text.xml10_content().into_owned()),
        Event::GeneralRef(reference) => Some(character(reference)),
        _ => None,
    }
}

/// Returns the character of an entity. One that XML does not define, such as `&nbsp;`, becomes a blank.
fn character(reference: &BytesRef<'_>) -> String {
    match reference.resolve_char_ref() {
        Ok(Some(c)) => c.to_string(),
        _ => escape::resolve_xml_entity(reference)
            .unwrap_or(" ")
            .to_owned(),
    }
}
