//! Lists the folders and mails of the server, and reads mails. Every response has a time limit.

use std::{collections::HashMap, time::Duration};

use async_imap::{
    error::Error as ImapError,
    extensions::idle::IdleResponse,
    imap_proto::{MailboxDatum, Response, Status},
    types::{Capabilities, Flag},
};
use futures_util::TryStreamExt;
use omni_connector::prelude::*;
use tokio::time::timeout;

use crate::{
    list::{List, Row},
    login::{Session, connect, log_in},
    names::{decode, unescape},
    settings::{Login, Settings},
};

/// The time limit of a response,
const PATIENCE: Duration = Duration::from_mins(1);
/// and what a mail may take beyond it: the bytes a second of the slowest connection.
const SLOWEST: u64 = 20_000;

/// A folder: the server's name, and the name that people read.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) raw: String,
    pub(crate) name: String,
}

/// The folders of an account.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    pub(crate) open: Vec<Folder>,
    /// Names that the server does not open: of folders that were deleted but for folders in them, or without rights.
    pub(crate) closed: Vec<Folder>,
}

/// UIDVALIDITY, UIDNEXT and the number of mails. Any arrival or removal of a mail changes one of them.
pub(crate) type State = (u32, u32, u32);

/// A mail that was read.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) uid: u32,
    pub(crate) size: u32,
    pub(crate) flags: Vec<String>,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct Mailbox {
    session: Session,
    /// The server's capabilities after the login. `None` if it did not include them in its answer.
    offers: Option<Capabilities>,
}

impl Mailbox {
    pub(crate) async fn open(settings: &Settings, login: &Login) -> Result<Self> {
        let client = timed(connect(settings)).await.and_then(|outcome| outcome);
        let client = client.with_context(|| {
            format!(
                "the server `{}:{}` of the settings `host` and `port` cannot be used",
                settings.host,
                settings.port()
            )
        })?;
        let (session, offers) = timed(log_in(client, settings, login)).await??;
        Ok(Self { session, offers })
    }

    /// Returns whether the server has a capability.
    pub(crate) async fn offers(&mut self, name: &str) -> Result<bool> {
        let offers = match self.offers.take() {
            Some(offers) => offers,
            None => timed(self.session.capabilities()).await??,
        };
        Ok(self.offers.insert(offers).has_str(name))
    }

    /// Runs a command, and reads its answer line by line. Whatever async-imap reads as a stream seems to be complete when the
    /// server refuses the command in the middle, or the connection is lost.
    async fn ask(
        &mut self,
        command: &str,
        mut read: impl FnMut(&Response<'_>) + Send,
    ) -> Result<()> {
        let asked = timed(async {
            let sent = self.session.run_command(command).await?;
            loop {
                let line = self.session.read_response().await?;
                let line = line.context("the connection was lost")?;
                match line.parsed() {
                    Response::Done {
                        tag,
                        status,
                        outcome,
                    } if *tag == sent => {
                        ensure!(*status == Status::Ok, "the server says {outcome:?}");
                        return Ok(());
                    }
                    other => read(other),
                }
            }
        });
        asked.await?
    }

    /// Returns all folders that the settings include.
    pub(crate) async fn folders(&mut self, settings: &Settings) -> Result<Folders> {
        // Some servers mark special folders only on request.
        let can_ask = self.offers("SPECIAL-USE").await? && self.offers("LIST-EXTENDED").await?;
        let which = if can_ask {
            "* RETURN (SPECIAL-USE)"
        } else {
            "*"
        };
        let mut names = Vec::new();
        let command = format!(r#"LIST "" {which}"#);
        let listing = self.ask(&command, |line| {
            if let Response::MailboxData(MailboxDatum::List(list)) = line {
                let attributes = list.name_attributes.iter().map(|it| format!("{it:?}"));
                let attributes: Vec<_> = attributes.map(|it| it.to_lowercase()).collect();
                let delimiter = list.delimiter.as_ref().map(ToString::to_string);
                names.push((attributes, delimiter, unescape(&list.name)));
            }
        });
        listing
            .await
            .context("the server does not list its folders")?;
        let mut folders = Folders::default();
        for (attributes, delimiter, raw) in names {
            let has = |wanted: &str| attributes.iter().any(|it| it.contains(wanted));
            let is_trash = attributes.iter().any(|it| it == "trash" || it == "junk");
            if has("nonexistent") {
                continue;
            }
            let decoded = decode(&raw);
            let last = match &delimiter {
                Some(delimiter) => decoded.rsplit(&**delimiter).next().unwrap_or(&decoded),
                None => &decoded,
            };
            if settings.wants(&decoded, last, is_trash) {
                let folder = Folder { raw, name: decoded };
                if has("noselect") {
                    folders.closed.push(folder);
                } else {
                    folders.open.push(folder);
                }
            }
        }
        ensure!(
            !folders.open.is_empty(),
            "no folder is left to read; look at the settings `folder_allowlist` and `folder_denylist`"
        );
        Ok(folders)
    }

    /// Returns whether the server says that a folder does not exist. A folder that it cannot open may exist.
    pub(crate) async fn is_gone(&mut self, folder: &Folder) -> Result<bool> {
        match timed(self.session.status(&folder.raw, "(MESSAGES)")).await? {
            // Dovecot has no response code for it.
            Err(ImapError::No(said)) => Ok(["exist", "EXIST", "no such"]
                .iter()
                .any(|it| said.contains(it))),
            Ok(_) | Err(ImapError::Bad(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn status(&mut self, folder: &Folder) -> Result<State> {
        // async-imap drops a status whose name has escapes, so such a folder is opened instead.
        let status = if folder.raw.contains(['"', '\\']) {
            timed(self.session.examine(&folder.raw)).await?
        } else {
            let status = self
                .session
                .status(&folder.raw, "(UIDVALIDITY UIDNEXT MESSAGES)");
            timed(status).await?
        };
        let status = status.map_err(|error| match error {
            ImapError::No(said) => anyhow!(
                "the server does not open the folder; give the account the right to read it, or name it in `folder_denylist`: {said}"
            ),
            error => error.into(),
        })?;
        match (status.uid_validity, status.uid_next) {
            (Some(validity), Some(next)) => Ok((validity, next, status.exists)),
            _ => bail!("the server gives no UIDVALIDITY and UIDNEXT"),
        }
    }

    /// Opens a folder read only, and lists all its mails. Also returns how many more it has, which the server did not list.
    pub(crate) async fn list(&mut self, folder: &Folder, validity: u32) -> Result<(List, usize)> {
        let opened = timed(self.session.examine(&folder.raw)).await??;
        let mut list = List::default();
        if opened.exists > 0 {
            let what =
                "(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID REFERENCES IN-REPLY-TO)])";
            let mut answers = timed(self.session.uid_fetch("1:*", what)).await??;
            while let Some(mail) = timed(answers.try_next()).await?? {
                if let Some(uid) = mail.uid {
                    let header = mail.header().unwrap_or_default();
                    list.add(uid, mail.size.unwrap_or_default(), header, validity);
                }
            }
        }
        let unlisted = usize::try_from(opened.exists)?.saturating_sub(list.settle());
        Ok((list, unlisted))
    }

    /// Reads mails of the open folder, or only their headers. Mails that have vanished are not among them.
    pub(crate) async fn read(&mut self, rows: &[Row], whole: bool) -> Result<HashMap<u32, Body>> {
        let what = if whole {
            "(UID FLAGS RFC822.SIZE BODY.PEEK[])"
        } else {
            "(UID FLAGS RFC822.SIZE BODY.PEEK[HEADER])"
        };
        let wanted: Vec<_> = rows.iter().map(|row| row.uid.to_string()).collect();
        let largest = rows.iter().map(|row| u64::from(row.size)).max();
        let patience = patience(largest.filter(|_| whole).unwrap_or_default());
        let mut answers = timed(self.session.uid_fetch(wanted.join(","), what)).await??;
        let mut bodies = HashMap::new();
        while let Some(mail) = within(patience, answers.try_next()).await?? {
            let bytes = if whole { mail.body() } else { mail.header() };
            if let (Some(bytes), Some(uid)) = (bytes, mail.uid) {
                let body = Body {
                    uid,
                    size: mail.size.unwrap_or_default(),
                    flags: mail
                        .flags()
                        .map(flag)
                        .filter(|it| it != "\\Recent")
                        .collect(),
                    bytes: bytes.to_vec(),
                };
                bodies.insert(uid, body);
            }
        }
        Ok(bodies)
    }

    /// Returns whether the open folder still has a mail.
    pub(crate) async fn has(&mut self, uid: u32) -> Result<bool> {
        // The server reports removed mails at NOOP; before that a search may still find them.
        timed(self.session.noop()).await??;
        let mut is_found = false;
        let search = format!("UID SEARCH UID {uid}");
        let search = self.ask(&search, |line| {
            if let Response::MailboxData(MailboxDatum::Search(found)) = line {
                is_found |= found.contains(&uid);
            }
        });
        search.await?;
        Ok(is_found)
    }

    /// Opens a folder read only. The result changes when a mail arrives or is removed.
    pub(crate) async fn look(&mut self, folder: &str) -> Result<(Option<u32>, Option<u32>, u32)> {
        let opened = timed(self.session.examine(folder)).await??;
        Ok((opened.uid_validity, opened.uid_next, opened.exists))
    }

    /// Waits until the server reports a change of the open folder, or until the time is over.
    pub(crate) async fn idle(self, within: Duration) -> Result<Self> {
        let mut idle = self.session.idle();
        timed(idle.init()).await??;
        let (news, interrupt) = idle.wait_with_timeout(within);
        let heard = news.await?;
        drop(interrupt);
        ensure!(
            !matches!(heard, IdleResponse::ManualInterrupt),
            "the connection was lost"
        );
        Ok(Self {
            session: timed(idle.done()).await??,
            offers: self.offers,
        })
    }

    pub(crate) async fn close(mut self) {
        // The work is done, so a failed logout does not matter.
        drop(timed(self.session.logout()).await);
    }
}

async fn timed<F: Future>(work: F) -> Result<F::Output> {
    within(PATIENCE, work).await
}

async fn within<F: Future>(patience: Duration, work: F) -> Result<F::Output> {
    let seconds = patience.as_secs();
    timeout(patience, work)
        .await
        .with_context(|| format!("the server did not answer within {seconds} seconds"))
}

/// Returns the time limit of a mail.
const fn patience(bytes: u64) -> Duration {
    Duration::from_secs(PATIENCE.as_secs() + bytes / SLOWEST)
}

fn flag(flag: Flag<'_>) -> String {
    match flag {
        Flag::Seen => "\\Seen".to_owned(),
        Flag::Answered => "\\Answered".to_owned(),
        Flag::Flagged => "\\Flagged".to_owned(),
        Flag::Deleted => "\\Deleted".to_owned(),
        Flag::Draft => "\\Draft".to_owned(),
        Flag::Recent => "\\Recent".to_owned(),
        Flag::MayCreate => "\\*".to_owned(),
        Flag::Custom(name) => name.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_mail_has_the_time_that_a_slow_connection_takes_for_it() {
        assert_eq!(patience(3_000), Duration::from_mins(1));
        assert!(patience(50_000_000) > Duration::from_mins(40));
    }
}
