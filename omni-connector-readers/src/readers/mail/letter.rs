//! Formats a message as text.

use std::fmt::Write;

use mail_parser::Address;

pub(super) struct Letter<'a> {
    pub(super) subject: &'a str,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) cc: String,
    pub(super) date: Option<String>,
    pub(super) body: &'a str,
}

impl Letter<'_> {
    pub(super) fn text(&self) -> String {
        let subject = if self.subject.is_empty() {
            "(no subject)"
        } else {
            self.subject
        };
        let mut text = format!("# {subject}\n\n");
        let date = self.date.as_deref().unwrap_or_default();
        for (name, value) in [
            ("From", self.from.as_str()),
            ("To", &self.to),
            ("Cc", &self.cc),
            ("Date", date),
        ] {
            if !value.is_empty() {
                let _ = writeln!(text, "**{name}:** {value}");
            }
        }
        let _ = write!(text, "\n---\n\n{}", self.body);
        text
    }
}

pub(super) fn addresses(addresses: Option<&Address<'_>>) -> String {
    let Some(addresses) = addresses else {
        return String::new();
    };
    let mailboxes = addresses.iter().map(|address| {
        mailbox(
            address.name().unwrap_or_default(),
            address.address().unwrap_or_default(),
        )
    });
    mailboxes.collect::<Vec<_>>().join(", ")
}

/// Formats `Ada <ada@example.com>`, or the only part present.
pub(super) fn mailbox(name: &str, address: &str) -> String {
    match (name, address) {
        ("", only) | (only, "") => only.to_owned(),
        (name, address) if name == address => name.to_owned(),
        (name, address) => format!("{name} <{address}>"),
    }
}
