//! Reads messages of Outlook: a folder of properties, with folders for recipients, attachments and attached messages.

use std::collections::HashMap;

use encoding_rs::UTF_16LE;
use mail_parser::DateTime;

use super::{
    DEEPEST, has_words,
    letter::{Letter, mailbox},
};
use crate::readers::{
    Refusal,
    charset::Charset,
    compound::{Container, Inner},
    html,
    parts::Parts,
    rtf, text,
};

/// Numbers of properties, and the types that they may have.
mod property {
    pub(super) const SUBJECT: u16 = 0x0037;
    pub(super) const SENT: u16 = 0x0039;
    pub(super) const DELIVERED: u16 = 0x0e06;
    pub(super) const SENDER_NAMES: [u16; 2] = [0x0c1a, 0x0042];
    pub(super) const SENDER_ADDRESSES: [u16; 3] = [0x5d01, 0x0c1f, 0x0065];
    pub(super) const SHOWN_TO: u16 = 0x0e04;
    pub(super) const SHOWN_CC: u16 = 0x0e03;
    pub(super) const TEXT: u16 = 0x1000;
    pub(super) const RTF: u16 = 0x1009;
    pub(super) const HTML: u16 = 0x1013;
    pub(super) const NAMES: [u16; 2] = [0x3001, 0x3a20];
    pub(super) const ADDRESSES: [u16; 2] = [0x39fe, 0x3003];
    pub(super) const RECIPIENT_KIND: u16 = 0x0c15;
    pub(super) const FILE_NAMES: [u16; 3] = [0x3707, 0x3704, 0x3001];
    pub(super) const CODE_PAGES: [u16; 2] = [0x3ffd, 0x3fde];

    pub(super) const UNICODE: u16 = 0x001f;
    pub(super) const BYTES: u16 = 0x001e;
    pub(super) const BINARY: u16 = 0x0102;
    pub(super) const NUMBER: u16 = 0x0003;
    pub(super) const TIME: u16 = 0x0040;
}

const VALUES: &str = "__properties_version1.0";
const RECIPIENT: &str = "__recip_version1.0_";
const ATTACHMENT: &str = "__attach_version1.0_";
const ATTACHED_MESSAGE: &str = "__substg1.0_3701000d";

/// What Omni says of another file.
const NO_CONTAINER: &str = "Error parsing file with ole: Invalid OLE File";

pub(crate) fn msg(data: &[u8], parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let container = Container::open(data).ok_or(NO_CONTAINER)?;
    let root = Folder::of(&container, Container::ROOT);
    let is_message = |name: &String| name.starts_with("__");
    if !root.inner.keys().any(is_message) {
        return Err("it is no message of Outlook".to_owned());
    }
    root.read(0, parts);
    Ok(())
}

/// A message, a recipient or an attachment.
struct Folder<'a> {
    container: &'a Container<'a>,
    /// What it holds, by the name in lower case.
    inner: HashMap<String, usize>,
    /// Values of a fixed size, by number and type.
    values: HashMap<(u16, u16), u64>,
    /// The charset of text that is not in Unicode.
    charset: Option<Charset>,
}

impl<'a> Folder<'a> {
    fn of(container: &'a Container<'a>, entry: usize) -> Self {
        let inner = container.entries(entry).into_iter();
        let inner: HashMap<_, _> = inner
            .map(|Inner { name, entry }| (name.to_ascii_lowercase(), entry))
            .collect();
        let mut folder = Self {
            container,
            inner,
            values: HashMap::new(),
            charset: None,
        };
        folder.read_values();
        folder.charset = folder.charset();
        folder
    }

    /// Reads the list of values. Entries have a size of 16 behind a head whose size depends on the folder.
    fn read_values(&mut self) {
        let Some(list) = self.inner.get(VALUES) else {
            return;
        };
        let list = self.container.bytes(*list);
        let (entries, _) = list[list.len() % 16..].as_chunks::<16>();
        for [
            kind_low,
            kind_high,
            number_low,
            number_high,
            _,
            _,
            _,
            _,
            value @ ..,
        ] in entries
        {
            let kind = u16::from_le_bytes([*kind_low, *kind_high]);
            let number = u16::from_le_bytes([*number_low, *number_high]);
            self.values
                .insert((number, kind), u64::from_le_bytes(*value));
        }
    }

    /// Returns the charset that the message declares, or the likely one of all its texts.
    fn charset(&self) -> Option<Charset> {
        let declared = property::CODE_PAGES.into_iter().find_map(|number| {
            let page = *self.values.get(&(number, property::NUMBER))?;
            // The value has four bytes.
            Charset::of(&format!("cp{}", page & 0xffff_ffff))
        });
        declared.or_else(|| {
            let texts = self.inner.iter().filter(|(name, _)| name.ends_with("001e"));
            let texts: Vec<_> = texts
                .map(|(_, entry)| self.container.bytes(*entry))
                .collect();
            Charset::of(text::charset_of(&texts.join(&b' ')))
        })
    }

    fn stream(&self, number: u16, kind: u16) -> Option<Vec<u8>> {
        let name = format!("__substg1.0_{number:04x}{kind:04x}");
        Some(self.container.bytes(*self.inner.get(&name)?))
    }

    /// Returns the first text of some properties.
    fn text(&self, numbers: &[u16], parts: &mut Parts<'_>) -> String {
        let texts = numbers.iter().filter_map(|number| {
            if let Some(wide) = self.stream(*number, property::UNICODE) {
                return Some(UTF_16LE.decode_without_bom_handling(&wide).0.into_owned());
            }
            let bytes = self.stream(*number, property::BYTES)?;
            let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
            Some(text::decode(bytes, self.charset, parts).into_owned())
        });
        let mut texts = texts.map(|text| text.trim_end_matches('\0').to_owned());
        texts.find(|text| !text.is_empty()).unwrap_or_default()
    }

    fn read(&self, depth: usize, parts: &mut Parts<'_>) {
        let body = self.body(parts);
        if !has_words(&body) {
            parts.lost("the body", "it has no text");
        }
        let (to, cc) = self.recipients(parts);
        let sender = self.text(&property::SENDER_NAMES, parts);
        let address = self.text(&property::SENDER_ADDRESSES, parts);
        let letter = Letter {
            subject: &self.text(&[property::SUBJECT], parts),
            from: mailbox(&sender, &address),
            to,
            cc,
            date: self.date(),
            body: &body,
        };
        parts.text(&letter.text());
        for attachment in self.folders(ATTACHMENT) {
            self.attachment(&attachment, depth, parts);
        }
    }

    /// Returns the text, or the HTML or RTF if the text has no word.
    fn body(&self, parts: &mut Parts<'_>) -> String {
        let plain = self.text(&[property::TEXT], parts);
        if has_words(&plain) {
            return plain;
        }
        let page = match self.stream(property::HTML, property::BINARY) {
            Some(page) => {
                parts.omni_loses("HTML of a message of Outlook");
                html::decoded(&page, self.charset, parts).into_owned()
            }
            None => self.text(&[property::HTML], parts),
        };
        let page = html::to_markdown(&page, parts);
        if has_words(&page) {
            return page;
        }
        let rich = self.stream(property::RTF, property::BINARY);
        let Some(rich) = rich.and_then(|packed| rtf::unpacked(&packed)) else {
            return plain;
        };
        parts.omni_loses("RTF of a message of Outlook");
        let rtf::Text { text, is_page } = rtf::text(&rich);
        if is_page {
            html::to_markdown(&text, parts)
        } else {
            text
        }
    }

    /// Returns the people in "To" and in "Cc".
    fn recipients(&self, parts: &mut Parts<'_>) -> (String, String) {
        const CC: u64 = 2;
        const BCC: u64 = 3;
        let (mut to, mut cc) = (Vec::new(), Vec::new());
        for mut recipient in self.folders(RECIPIENT) {
            recipient.charset = self.charset;
            let kind = recipient
                .values
                .get(&(property::RECIPIENT_KIND, property::NUMBER));
            let name = recipient.text(&property::NAMES, parts);
            let address = recipient.text(&property::ADDRESSES, parts);
            match kind.map_or(0, |kind| kind & 0xff) {
                BCC => {}
                CC => cc.push(mailbox(&name, &address)),
                _ => to.push(mailbox(&name, &address)),
            }
        }
        let shown = |people: &[String], shown: u16, parts: &mut Parts<'_>| {
            if people.is_empty() {
                self.text(&[shown], parts)
            } else {
                people.join(", ")
            }
        };
        (
            shown(&to, property::SHOWN_TO, parts),
            shown(&cc, property::SHOWN_CC, parts),
        )
    }

    fn date(&self) -> Option<String> {
        /// Seconds from the year 1601, in which the format begins, to 1970.
        const EPOCH: u64 = 11_644_473_600;
        let times = [property::SENT, property::DELIVERED].into_iter();
        let ticks = times.filter_map(|number| self.values.get(&(number, property::TIME)));
        let seconds = ticks.filter_map(|ticks| (ticks / 10_000_000).checked_sub(EPOCH));
        let seconds = seconds.filter_map(|seconds| i64::try_from(seconds).ok());
        let date = seconds.map(DateTime::from_timestamp).next()?;
        Some(date.to_rfc3339())
    }

    /// Returns the folders whose names begin with a word, in order.
    fn folders(&self, start: &str) -> Vec<Self> {
        let names = self
            .inner
            .iter()
            .filter(|(name, _)| name.starts_with(start));
        let mut names: Vec<_> = names.collect();
        names.sort();
        let folders = names.into_iter();
        folders
            .map(|(_, entry)| Self::of(self.container, *entry))
            .collect()
    }

    fn attachment(&self, attachment: &Self, depth: usize, parts: &mut Parts<'_>) {
        if let Some(message) = attachment.inner.get(ATTACHED_MESSAGE)
            && depth < DEEPEST
        {
            parts.omni_loses("attached messages");
            parts.text("\n\n");
            Self::of(self.container, *message).read(depth + 1, parts);
            return;
        }
        let name = attachment.text(&property::FILE_NAMES, parts);
        let name = if name.is_empty() {
            "without a name"
        } else {
            &*name
        };
        let why = "files in messages are not read";
        parts.lost(format!("attachment `{name}`"), why);
    }
}
