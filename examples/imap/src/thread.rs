//! Makes a document of each thread.

use std::fmt::Write as _;

use mail_parser::{Address, MessageParser, MimeHeaders};
use omni_connector::prelude::*;

use crate::server::{Body, Folder};

/// Returns the id that Omni's own connector gives a thread.
pub(crate) fn document_id(folder: &Folder, root: &str) -> String {
    format!(
        "imap-thread:{}:{}",
        encode(&folder.raw, "&"),
        encode(root, "")
    )
}

/// Encodes a string as part of an address, except for the bytes in `kept`.
fn encode(text: &str, kept: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-_.~".contains(character) || kept.contains(character) {
            encoded.push(character);
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// A thread, built mail by mail.
#[derive(Debug, Default)]
pub(crate) struct Thread {
    pub(crate) folder: String,
    pub(crate) subject: String,
    pub(crate) from: String,
    to: Vec<String>,
    cc: Vec<String>,
    flags: Vec<String>,
    participants: Vec<String>,
    message_ids: Vec<String>,
    uids: Vec<u32>,
    size: u64,
    text: String,
    /// Why an attachment could not be read for now.
    pub(crate) unread: Option<String>,
    times: Vec<OffsetDateTime>,
}

impl Thread {
    /// Adds a mail. Returns the attachments whose text must be extracted: name, MIME type and bytes.
    pub(crate) fn add(&mut self, body: &Body) -> Result<Vec<(String, String, Vec<u8>)>> {
        let mail = MessageParser::default()
            .parse(&body.bytes[..])
            .context("the mail has no header")?;
        let subject = mail.subject().unwrap_or("(no subject)").to_owned();
        let (from, to, cc) = (
            addresses(mail.from()),
            addresses(mail.to()),
            addresses(mail.cc()),
        );
        if self.uids.is_empty() {
            self.from = from.first().cloned().unwrap_or_default();
            self.text = format!("Subject: {subject}");
            self.subject = subject;
        }
        self.uids.push(body.uid);
        self.size += u64::from(body.size);
        let number = self.uids.len();
        let _ = write!(
            self.text,
            "\n\n=== Message {number} ===\nFrom: {}",
            from.join(", ")
        );
        for (name, list) in [("To", &to), ("Cc", &cc)] {
            if !list.is_empty() {
                let _ = write!(self.text, "\n{name}: {}", list.join(", "));
            }
        }
        let date = mail.date().map(mail_parser::DateTime::to_timestamp);
        if let Some(time) = date.and_then(|it| OffsetDateTime::from_unix_timestamp(it).ok()) {
            let _ = write!(self.text, "\nDate: {time}");
            self.times.push(time);
        }
        for position in 0..mail.text_body_count() {
            if let Some(text) = mail.body_text(position) {
                self.text += "\n\n";
                self.text += text.trim();
            }
        }
        let mut others = Vec::new();
        for part in mail.attachments() {
            if let Some(mail) = part.message() {
                let name = mail.subject().or(part.attachment_name());
                let texts = (0..mail.text_body_count()).filter_map(|at| mail.body_text(at));
                let text = texts.collect::<Vec<_>>().join("\n\n");
                self.add_attachment(name.unwrap_or("a mail"), &text);
                continue;
            }
            let Some(name) = part.attachment_name() else {
                continue;
            };
            if let Some(text) = part.text_contents() {
                self.add_attachment(name, text);
            } else if let Some(kind) = part.content_type() {
                let mime = format!(
                    "{}/{}",
                    kind.ctype(),
                    kind.subtype().unwrap_or("octet-stream")
                );
                others.push((name.to_owned(), mime, part.contents().to_vec()));
            }
        }
        if let Some(id) = mail.message_id() {
            self.message_ids.push(format!("<{id}>"));
        }
        join(&mut self.participants, from.iter().chain(&to).chain(&cc));
        join(&mut self.flags, &body.flags);
        join(&mut self.to, &to);
        join(&mut self.cc, &cc);
        Ok(others)
    }

    pub(crate) fn add_attachment(&mut self, name: &str, text: &str) {
        let _ = write!(self.text, "\n\n[Attachment: {name}]\n{}", text.trim());
    }

    pub(crate) fn count(&self) -> usize {
        self.uids.len()
    }

    pub(crate) fn document<'it>(
        &'it self,
        id: &str,
        root: &str,
        account: &str,
        raw_folder: &str,
        url: Option<&str>,
        owner: &str,
    ) -> Document<'it> {
        let (created, updated) = (
            self.times.iter().min().copied(),
            self.times.iter().max().copied(),
        );
        let day = updated.map(|it| it.date().to_string()).unwrap_or_default();
        let mut document = Document::new(id, DocumentPermissions::users([owner]))
            .title(&self.subject)
            .text(&self.text)
            .author(&self.from)
            .content_type("email_thread")
            .mime_type("application/x-imap-thread")
            .path(format!("{account}/{}", self.folder))
            .size(self.size)
            .created_at(created)
            .updated_at(updated)
            .attribute("source_name", account)
            .attribute("to", &self.to)
            .attribute("cc", &self.cc)
            .attribute("flags", &self.flags)
            .attribute("thread_id", root)
            .attribute("message_count", self.count())
            .attribute("created_at", created.map(OffsetDateTime::unix_timestamp))
            .attribute("updated_at", updated.map(OffsetDateTime::unix_timestamp))
            .attribute(
                "doc_source",
                format!(
                    "imap:{account} / {} / {day} / {}",
                    self.folder, self.subject
                ),
            )
            .extra("account", account)
            .extra("folder", &self.folder)
            .extra("from", &self.from)
            .extra("to", &self.to)
            .extra("cc", &self.cc)
            .extra("imap_uids", &self.uids)
            .extra("message_count", self.count())
            .extra("message_ids", &self.message_ids)
            .extra("participants", &self.participants)
            .extra("thread_id", root)
            .attributes_of(self);
        if let (Some(url), Some(uid)) = (url, self.uids.last()) {
            let message = self.message_ids.last().map_or("", String::as_str);
            document = document.url(
                url.replace("{folder}", &encode(raw_folder, ""))
                    .replace("{uid}", &uid.to_string())
                    .replace("{message_id}", &encode(message, "")),
            );
        }
        document
    }
}

fn addresses(header: Option<&Address<'_>>) -> Vec<String> {
    let all = header.into_iter().flat_map(Address::iter);
    all.filter_map(|it| it.address().map(str::to_lowercase))
        .collect()
}

fn join<'it>(all: &mut Vec<String>, more: impl IntoIterator<Item = &'it String>) {
    for one in more {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use omni_connector_dev::testing;

    use super::*;
    use crate::Imap;

    #[test]
    fn ids_equal_those_of_omnis_own_connector() {
        let folder = |raw: &str| Folder {
            raw: raw.into(),
            name: String::new(),
        };
        assert_eq!(
            document_id(&folder("Entw&APw-rfe"), "<m8@example.com>"),
            "imap-thread:Entw&APw-rfe:%3Cm8%40example.com%3E"
        );
        assert_eq!(
            document_id(&folder("Projects/Harbour"), "<m6@example.com>"),
            "imap-thread:Projects%2FHarbour:%3Cm6%40example.com%3E"
        );
    }

    #[test]
    fn a_mail_that_was_forwarded_without_a_file_name_is_part_of_the_text() {
        let mail = "From: ada@x\r\nSubject: Fwd\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
            --b\r\nContent-Type: text/plain\r\n\r\nPlease read.\r\n\
            --b\r\nContent-Type: message/rfc822\r\n\r\n\
            Subject: Boats\r\nContent-Transfer-Encoding: base64\r\n\r\nVGhlIGtlZWwgaXMgb2FrLg==\r\n\r\n--b--\r\n";
        let mut thread = Thread::default();
        let body = Body {
            uid: 1,
            size: 9,
            flags: Vec::new(),
            bytes: mail.into(),
        };
        assert_eq!(thread.add(&body).unwrap(), []);
        let expected = "[Attachment: Boats]\nThe keel is oak.";
        assert!(thread.text.contains(expected), "{}", thread.text);
    }

    #[tokio::test]
    async fn a_thread_is_one_document_for_the_owner_of_the_mailbox_alone() {
        let mut thread = Thread::default();
        for (uid, name) in [(1, "boats"), (2, "oars")] {
            let mail = format!(
                "From: Ada <Ada@Example.com>\r\nTo: bo@example.com\r\nSubject: About {name}\r\n\
                 Message-ID: <{name}@x>\r\n\r\nThe text of {name}.\r\n"
            );
            let body = Body {
                uid,
                size: 9,
                flags: Vec::new(),
                bytes: mail.into_bytes(),
            };
            thread.add(&body).unwrap();
        }
        let (ctx, collected) = testing::context().connector(&Imap).await;
        let url = Some("https://mail.example.com/{folder}/{uid}");
        let document = thread.document("t1", "<boats@x>", "ada", "INBOX", url, "Ada@Example.com");
        ctx.upsert(document).await.unwrap();

        let found = collected.document("t1").await;
        assert_eq!(found.title, "About boats");
        assert_eq!(found.readers(), ["ada@example.com"]);
        assert!(!found.is_public());
        assert_eq!(found.url(), Some("https://mail.example.com/INBOX/2"));
        assert_eq!(found.attribute("message_count"), Some(&json!(2)));
        let (first, second) = (
            found.text.find("The text of boats."),
            found.text.find("The text of oars."),
        );
        assert!(first.is_some() && first < second, "{}", found.text);
    }
}
