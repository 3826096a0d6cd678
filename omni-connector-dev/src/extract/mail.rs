//! Messages: a heading, the people, the date, and the body.

use std::fmt::Write;

use mail_parser::{Address, MessageParser, PartType};
use msg_parser::{Outlook, Person};

use super::{ExtractError, html};

pub(super) fn eml(data: &[u8]) -> Result<String, ExtractError> {
    let message = MessageParser::default()
        .parse(data)
        .ok_or(ExtractError::Eml)?;
    let body: Vec<_> = message
        .text_bodies()
        .filter_map(|part| match &part.body {
            PartType::Text(text) => Some(text.to_string()),
            PartType::Html(page) => Some(html::to_markdown(page)),
            _ => None,
        })
        .collect();
    Ok(Letter {
        subject: message.subject().unwrap_or_default(),
        from: addresses(message.from()),
        to: addresses(message.to()),
        cc: addresses(message.cc()),
        date: message.date().map(mail_parser::DateTime::to_rfc3339),
        body: &body.join("\n\n"),
    }
    .text())
}

pub(super) fn msg(data: &[u8]) -> Result<String, ExtractError> {
    let message =
        Outlook::from_slice(data).map_err(|error| ExtractError::Msg(error.to_string()))?;
    let body = if message.body.is_empty() {
        html::to_markdown(&message.html)
    } else {
        message.body
    };
    let people = |people: &[Person]| {
        let people = people
            .iter()
            .map(|person| mailbox(&person.name, &person.email));
        people.collect::<Vec<_>>().join(", ")
    };
    let sent = [message.client_submit_time, message.message_delivery_time]
        .into_iter()
        .find(|date| !date.is_empty());
    Ok(Letter {
        subject: &message.subject,
        from: mailbox(&message.sender.name, &message.sender.email),
        to: people(&message.to),
        cc: people(&message.cc),
        date: sent,
        body: &body,
    }
    .text())
}

struct Letter<'a> {
    subject: &'a str,
    from: String,
    to: String,
    cc: String,
    date: Option<String>,
    body: &'a str,
}

impl Letter<'_> {
    fn text(&self) -> String {
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

fn addresses(addresses: Option<&Address<'_>>) -> String {
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

/// `Ada <ada@example.com>`, or whichever of the two there is.
fn mailbox(name: &str, address: &str) -> String {
    match (name, address) {
        ("", only) | (only, "") => only.to_owned(),
        (name, address) => format!("{name} <{address}>"),
    }
}
