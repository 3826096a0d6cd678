//! Indexes the mails of an IMAP account, one document a thread. It replaces Omni's own connector, with the same ids and
//! settings.
//!
//! [`login`] connects to the server, [`server`] reads from it, [`list`] groups mails into threads, [`thread`] makes a document of each, and
//! [`mirror`] makes a run of all three.

mod list;
mod login;
mod mirror;
mod names;
mod server;
mod settings;
mod thread;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use omni_connector::prelude::*;

use crate::{
    login::Refused,
    mirror::{Known, refresh},
    server::Mailbox,
    settings::{Login, Server, Settings},
    thread::Thread,
};

/// The interval at which IDLE is restarted, which also detects a connection that died silently.
const IDLE: Duration = Duration::from_mins(9);

/// The mails of one person, which nobody else may see.
#[connector(
    name = "imap",
    display_name = "IMAP",
    source_types = [Imap],
    sync_modes = [full, incremental, realtime],
    config = Settings,
    credentials = Login,
    state = Known,
    read_only,
)]
struct Imap;

#[connector]
impl Imap {
    #[validate]
    async fn check(
        &self,
        config: Config<Settings>,
        login: Credentials<Login>,
        mode: SyncType,
    ) -> Result<()> {
        config.check()?;
        let mut mailbox = Mailbox::open(&config, &login).await?;
        mailbox.folders(&config).await?;
        if mode == SyncType::Realtime && !mailbox.offers("IDLE").await? {
            bail!(Unavailable::new(
                "the server does not offer IDLE, so it cannot be watched; let the source be read at intervals"
            ));
        }
        mailbox.close().await;
        Ok(())
    }

    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        login: Credentials<Login>,
        known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
        if config.sync_enabled {
            refresh(&config, &login, &known, &ctx).await?;
            known.save().await?;
        }
        Ok(())
    }

    /// Watches INBOX. A change there checks all folders.
    #[sync(realtime)]
    async fn watch(
        &self,
        config: Config<Settings>,
        login: Credentials<Login>,
        known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
        if !config.sync_enabled {
            return Ok(());
        }
        let (settings, entry) = (config.0.clone(), login.0.clone());
        // A watch reconnects repeatedly, and repeated refused logins would lock the account. So a refusal is passed to
        // the loop below.
        let refused = Arc::new(OnceLock::<Refused>::new());
        let refusal = Arc::clone(&refused);
        let mut watching = Watch::default().start(&ctx, move || {
            let (settings, entry) = (settings.clone(), entry.clone());
            let refusal = Arc::clone(&refusal);
            async move {
                let mut mailbox = match Mailbox::open(&settings, &entry).await {
                    Ok(mailbox) => mailbox,
                    Err(error) => {
                        let error = error.downcast::<Refused>()?;
                        refusal.get_or_init(|| error);
                        return Ok(stream::pending().boxed());
                    }
                };
                let seen = mailbox.look("INBOX").await?;
                let news = stream::try_unfold((mailbox, seen), |(mut mailbox, seen)| async move {
                    let now = mailbox.look("INBOX").await?;
                    if now != seen {
                        return Ok(Some((Some(()), (mailbox, now))));
                    }
                    Ok(Some((None, (mailbox.idle(IDLE).await?, now))))
                });
                Ok(news.boxed())
            }
        });
        while watching.next().await?.is_some() {
            if let Some(refused) = refused.get() {
                return Err(refused.clone().into());
            }
            refresh(&config, &login, &known, &ctx).await?;
            known.save().await?;
        }
        Ok(())
    }

    /// Check that a person can log in
    #[action(read, hidden)]
    async fn validate_credentials(
        &self,
        login: Credentials<Login>,
        server: Args<Server>,
    ) -> Result<Value> {
        let settings = Settings::from(server.0);
        Mailbox::open(&settings, &login).await?.close().await;
        Ok(Value::from_iter([("valid", true)]))
    }

    /// List the folders of an account
    #[action(read, hidden)]
    async fn list_folders(&self, login: Credentials<Login>, server: Args<Server>) -> Result<Value> {
        let settings = Settings::from(server.0);
        let mut mailbox = Mailbox::open(&settings, &login).await?;
        let folders = mailbox.folders(&settings).await?;
        mailbox.close().await;
        let names: Vec<_> = folders.open.into_iter().map(|it| it.name).collect();
        Ok(Value::from_iter([("folders", names)]))
    }

    /// `from:ada@example.com` finds the threads that a person began.
    #[search_operator]
    fn from(thread: &Thread) -> Option<omni_connector::wire::Email> {
        omni_connector::wire::Email::parse(&thread.from).ok()
    }

    /// `folder:inbox` finds the threads in a folder.
    #[search_operator]
    fn folder(thread: &Thread) -> &str {
        &thread.folder
    }

    /// `subject:boats` finds threads by their subject.
    #[search_operator]
    fn subject(thread: &Thread) -> &str {
        &thread.subject
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::run(Imap).await
}
