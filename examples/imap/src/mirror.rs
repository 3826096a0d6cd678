//! Keeps Omni's threads equal to the mailbox: finds the changed folders, and reads the changed threads in them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, OnceLock},
};

use omni_connector::{ManagerError, Partition, RunError, Walk, prelude::*};
use tokio::sync::Mutex;

use crate::{
    list::Row,
    login::Refused,
    server::{Body, Folder, Folders, Mailbox, State},
    settings::{Login, Settings},
    thread::{Thread, document_id},
};

/// The number of mails that are read with one command, and their bytes. A larger mail is read alone.
const AT_ONCE: usize = 100;
const BYTES: u64 = 1 << 20;

/// The state of a source.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Known {
    /// Folders by the server's names. Folders in a checkpoint of Omni's own connector are read anew.
    #[serde(default, rename = "mailboxes")]
    folders: Partitions<String, Kept>,
}

/// The saved state of a folder.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    status: Option<State>,
    /// The scope of the pass that read it.
    #[serde(default)]
    scope: String,
    threads: Inventory<Version>,
}

/// UIDVALIDITY, the UIDs of a thread's mails, and the scope.
type Version = (u32, Vec<u32>, String);

struct Pass {
    settings: Settings,
    login: Login,
    owner: String,
    /// What the documents of unchanged threads depend on.
    scope: String,
    mailbox: Mutex<Option<Mailbox>>,
    /// Set when the server refuses the login. There is no further attempt then.
    refused: OnceLock<Refused>,
}

/// Updates everything.
pub(crate) async fn refresh(
    settings: &Settings,
    login: &Login,
    known: &Checkpoint<Known>,
    ctx: &SyncContext,
) -> Result<()> {
    let mut mailbox = Mailbox::open(settings, login).await?;
    let Folders {
        open: mut folders,
        closed,
    } = mailbox.folders(settings).await?;
    // A known folder that the server does not open is read anyway, which fails, so that its documents stay.
    let all = known.folders.keys();
    for folder in closed {
        if all.contains(&folder.raw) && !mailbox.is_gone(&folder).await? {
            folders.push(folder);
        }
    }
    let owner = ctx.owner_email().await?;
    let pass = Arc::new(Pass {
        scope: format!("{owner} {} {}", login.username(), settings.scope()),
        settings: settings.clone(),
        login: login.clone(),
        owner,
        mailbox: Mutex::new(Some(mailbox)),
        refused: OnceLock::new(),
    });
    let parts = folders.into_iter().map(|it| (it.raw.clone(), it));
    let ran = ctx
        .each(&known.folders, parts)
        .whole(Walked::declared("the server ended its list of folders"))
        .run(|folder, part| {
            let pass = Arc::clone(&pass);
            async move { pass.folder(&folder, part).await }
        })
        .await;
    if let Some(refused) = pass.refused.get() {
        return Err(refused.clone().into());
    }
    ran?;
    if let Some(mailbox) = pass.mailbox.lock().await.take() {
        mailbox.close().await;
    }
    Ok(())
}

impl Pass {
    async fn folder(&self, folder: &Folder, part: Partition<String, Kept>) -> Result<()> {
        let mut held = self.mailbox.lock().await;
        // After an error the connection may be in the middle of a response, so the next folder opens a new one.
        let mut mailbox = match held.take() {
            Some(mailbox) => mailbox,
            None => self.open().await?,
        };
        self.read(&mut mailbox, folder, part).await?;
        *held = Some(mailbox);
        Ok(())
    }

    async fn open(&self) -> Result<Mailbox> {
        if let Some(refused) = self.refused.get() {
            return Err(refused.clone().into());
        }
        let opened = Mailbox::open(&self.settings, &self.login).await;
        if let Err(error) = &opened
            && let Some(refused) = error.downcast_ref::<Refused>()
        {
            self.refused.get_or_init(|| refused.clone());
        }
        opened
    }

    async fn read(
        &self,
        mailbox: &mut Mailbox,
        folder: &Folder,
        mut part: Partition<String, Kept>,
    ) -> Result<()> {
        let status = mailbox.status(folder).await?;
        let mut walk = part.threads.walk(part.ctx());
        let is_full = part.ctx().sync_mode() == SyncType::Full;
        let is_same = part.status == Some(status) && part.scope == self.scope;
        if !is_full && is_same && walk.missing().is_empty() {
            return Ok(());
        }
        let (list, unlisted) = mailbox.list(folder, status.0).await?;
        let threads = list.threads();
        let mut changed = Vec::new();
        let mut mails_of_them = 0;
        for (root, mails) in threads.iter() {
            let id = document_id(folder, &root);
            // A known thread may have mails that were not listed.
            if walk.is_current(&id, &self.version(status, mails))
                || (unlisted > 0 && part.threads.contains(&id))
            {
                continue;
            }
            mails_of_them += mails.len();
            changed.push((id, root, mails));
            if mails_of_them >= AT_ONCE {
                let changed = std::mem::take(&mut changed);
                self.send(mailbox, folder, status, changed, &mut walk, part.ctx())
                    .await?;
                mails_of_them = 0;
            }
        }
        self.send(mailbox, folder, status, changed, &mut walk, part.ctx())
            .await?;
        ensure!(
            unlisted == 0,
            "the server does not list {unlisted} mails of the folder, so only new threads were read"
        );
        walk.finish(Walked::declared(
            "as many mails were listed as the folder has",
        ))
        .await?;
        part.status = Some(status);
        part.scope.clone_from(&self.scope);
        Ok(())
    }

    fn version(&self, status: State, mails: &[Row]) -> Version {
        let uids = mails.iter().map(|row| row.uid).collect();
        (status.0, uids, self.scope.clone())
    }

    /// Reads threads, and sends their documents.
    async fn send(
        &self,
        mailbox: &mut Mailbox,
        folder: &Folder,
        status: State,
        threads: Vec<(String, String, &[Row])>,
        walk: &mut Walk<Version>,
        ctx: &SyncContext,
    ) -> Result<()> {
        let mails = threads.iter().flat_map(|it| it.2).copied().collect();
        let mut ahead = Ahead {
            mailbox,
            most: self.settings.max_message_size,
            mails,
            bodies: HashMap::new(),
        };
        for (id, root, mails) in threads {
            let (mut thread, mails) = self.thread(&mut ahead, folder, mails, ctx).await?;
            if mails.is_empty() {
                continue;
            }
            let lost = mails.len() - thread.count();
            let lost = (lost > 0).then(|| format!("{lost} mails of the thread could not be read"));
            if let Some(why) = lost.or(thread.unread.take()) {
                walk.failed(&id, why, None);
                continue;
            }
            let account = self
                .settings
                .display_name
                .as_deref()
                .filter(|it| !it.is_empty());
            let document = thread.document(
                &id,
                &root,
                account.unwrap_or_else(|| self.login.username()),
                &folder.raw,
                self.settings.template(),
                &self.owner,
            );
            walk.upsert(document, &self.version(status, &mails)).await?;
        }
        Ok(())
    }

    /// Reads a thread. Returns it with its mails, without those that vanished since they were listed.
    async fn thread(
        &self,
        ahead: &mut Ahead<'_>,
        folder: &Folder,
        mails: &[Row],
        ctx: &SyncContext,
    ) -> Result<(Thread, Vec<Row>)> {
        let mut there = Vec::with_capacity(mails.len());
        let mut thread = Thread::default();
        thread.folder.clone_from(&folder.name);
        for row in mails {
            let mut body = ahead.body(row.uid).await?;
            if body.is_none() {
                if !ahead.mailbox.has(row.uid).await? {
                    continue;
                }
                // One mail can fail a command for several.
                body = ahead.read(&[*row]).await?.remove(&row.uid);
            }
            there.push(*row);
            let Some(body) = body else {
                continue;
            };
            let Ok(attachments) = thread.add(&body) else {
                continue;
            };
            for (name, mime, bytes) in attachments {
                match ctx.extract_text(bytes, &mime, Some(&name)).await {
                    Ok(text) => thread.add_attachment(&name, &text),
                    // The manager, or what reads files for it, is too busy or away.
                    Err(RunError::Manager(error @ ManagerError::Refused { status, .. }))
                        if matches!(status.as_u16(), 429 | 502..=504) =>
                    {
                        thread.unread = Some(format!("the attachment `{name}`: {error}"));
                    }
                    Err(RunError::Manager(error @ ManagerError::Refused { .. })) => {
                        ctx.skip_with(name, "attachment without a readable text", error);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok((thread, there))
    }
}

/// Reads mails in a known order, several with one command.
struct Ahead<'a> {
    mailbox: &'a mut Mailbox,
    /// The setting `max_message_size`.
    most: u64,
    mails: VecDeque<Row>,
    bodies: HashMap<u32, Body>,
}

impl Ahead<'_> {
    /// Returns a mail. `None` if the server did not send it.
    async fn body(&mut self, uid: u32) -> Result<Option<Body>> {
        if self.mails.front().is_some_and(|next| next.uid == uid) {
            let (mut rows, mut bytes) = (Vec::<Row>::new(), 0);
            while let Some(row) = self.mails.front() {
                bytes += u64::from(row.size);
                let is_full = bytes > BYTES || rows.len() == AT_ONCE;
                if rows
                    .first()
                    .is_some_and(|first| is_full || self.is_whole(first) != self.is_whole(row))
                {
                    break;
                }
                rows.extend(self.mails.pop_front());
            }
            self.bodies = self.read(&rows).await?;
        }
        Ok(self.bodies.remove(&uid))
    }

    /// Reads mails, all of them whole or none.
    async fn read(&mut self, rows: &[Row]) -> Result<HashMap<u32, Body>> {
        let whole = rows.first().is_some_and(|first| self.is_whole(first));
        self.mailbox.read(rows, whole).await
    }

    fn is_whole(&self, row: &Row) -> bool {
        self.most == 0 || u64::from(row.size) <= self.most
    }
}
