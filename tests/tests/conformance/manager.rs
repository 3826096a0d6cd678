//! Tests the manager (`protocol.md` §3, §5, §6): a manager process with a scripted connector. Rows
//! that need only a manager's public and SDK routes run against `MANAGER_URL`, if set.

use std::{
    collections::{BTreeMap, VecDeque},
    env,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use omni_connector_dev::store::{Store, StoreError, sources};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    ask::{SOON, Subject},
    peer::Peer,
    process::Process,
    report::{Outcome, Report},
    roles::ScriptedConnector,
    row::{Names, Reply, Row, Step, Unset, read},
};

/// Names of prepared data, in environment variables with the prefix `OMNI_TEST_`; see the README.
const PREPARED: [&str; 21] = [
    "CONNECTOR_HOST",
    "SOURCE_TYPE",
    "UNSERVED_TYPE",
    "PROVIDER",
    "ADMIN",
    "ADMIN_EMAIL",
    "USER",
    "USER_EMAIL",
    "SOURCE",
    "SOURCE_2",
    "SOURCE_3",
    "SOURCE_FRESH",
    "SOURCE_INACTIVE",
    "SOURCE_DELETED",
    "SOURCE_UNSERVED",
    "SOURCE_BARE",
    "SOURCE_READ_ONLY",
    "SOURCE_READ_ONLY_TEXT",
    "SOURCE_PERSONAL",
    "SOURCE_SHARED",
    "SOURCE_REMOTE_MCP",
];

/// Time in which an upload usually begins.
const HEAD_START: Duration = Duration::from_millis(50);

/// A manager under test and its connector.
struct World {
    subject: Subject,
    connector: Peer<ScriptedConnector>,
    names: Names,
    /// State of a manager that this test started.
    own: Option<Own>,
}

struct Own {
    store: Store,
    _process: Process,
    _folder: TempDir,
}

/// Returns the settings of the managers for special rows.
fn settings(of: &str) -> Result<&'static [&'static str]> {
    Ok(match of {
        "any" => &[],
        "limited" => &[
            "concurrent=3",
            "concurrent_per_class=2",
            "extractions=1",
            "extract_retry_after=7",
            "extract_input=2000",
            "extract_text=100",
            "extract_rows=2",
        ],
        // No event is lost in between: ticks are short, the other waits are not.
        "ticking" => &["tick=50", "probe=500", "stale=600000"],
        "hasty" => &["call=500"],
        "impatient" => &["tick=50", "stale=1500"],
        "scheduling" => &["tick=100", "stale=600000", "backoff=300000"],
        "breaking" => &["tick=100", "stale=600000", "backoff=1", "failures=2"],
        "forgetful" => &["ttl=1500"],
        other => bail!("there is no manager `{other}`"),
    })
}

impl World {
    async fn start(of: &str) -> Result<Self> {
        let given = env::var("MANAGER_URL").ok().filter(|_| of == "any");
        let (names, own) = match given {
            Some(url) => {
                let mut names = Names::default();
                names.set("MANAGER_URL", url.trim_end_matches('/'));
                for name in PREPARED {
                    if let Ok(value) = env::var(format!("OMNI_TEST_{name}")) {
                        names.set(name, value);
                    }
                }
                (names, None)
            }
            None => {
                let folder = tempfile::tempdir()?;
                let (process, names) = Process::manager(folder.path(), settings(of)?)?;
                let own = Own {
                    store: Store::open(folder.path())?,
                    _process: process,
                    _folder: folder,
                };
                (names, Some(own))
            }
        };
        let host = names
            .get("CONNECTOR_HOST")
            .unwrap_or("127.0.0.1")
            .to_owned();
        let connector = Peer::start(&host, ScriptedConnector).await?;
        let mut names = names;
        names.set("CONNECTOR_URL", &connector.url);
        names.set("UNKNOWN", "01K3NNE0000000000000000001");
        let subject = Subject::new(names.text("$MANAGER_URL")?)?;
        connector.set_subject(subject.clone());
        Ok(Self {
            subject,
            connector,
            names,
            own,
        })
    }

    /// Checks a row.
    async fn hold(&self, row: &Row) -> Result<()> {
        let mut names = self.names.clone();
        let outcome = self.walk(row, &mut names).await;
        if row.schedules.is_some() {
            self.unschedule(&names).await.context("cleaning up")?;
        }
        let runs: Vec<_> = names
            .iter()
            .filter(|(name, _)| name.starts_with("RUN"))
            .collect();
        let runs: Vec<_> = runs.into_iter().map(|(_, run)| run.to_owned()).collect();
        self.connector.begin(BTreeMap::new());
        for run in runs {
            let cancel = json!({ "call": "POST /sdk/sync/cancel", "json": { "sync_run_id": run } });
            let cancel: Step = serde_json::from_value(cancel)?;
            self.subject
                .ask(&cancel, &mut names)
                .await
                .context("cleaning up")?;
        }
        outcome
    }

    async fn walk(&self, row: &Row, names: &mut Names) -> Result<()> {
        let answers = |names: &Names| -> Result<BTreeMap<String, VecDeque<Reply>>> {
            let answers = row.answers.iter();
            let answers = answers
                .map(|(call, replies)| Ok((names.text(call)?, replies.iter().cloned().collect())));
            answers.collect()
        };
        // A registration can trigger the manager's calls; with a created run, they begin later.
        let begins_with_registration = row.register.is_some() && row.run.is_none();
        if begins_with_registration {
            self.connector.begin(answers(names)?);
        } else {
            self.connector.begin(BTreeMap::new());
        }
        let mut register: Step = serde_json::from_value(json!({ "call": "POST /sdk/register" }))?;
        register.manifest = Some(row.register.clone().unwrap_or_default());
        self.subject
            .ask(&register, names)
            .await
            .context("registering")?;
        if let Some(interval) = &row.schedules {
            self.schedule(interval, names).await?;
        }
        if let Some(mode) = &row.run {
            let create = json!({
                "call": "POST /sdk/sync/create", "json": { "source_id": "$SOURCE", "sync_type": mode },
                "save": { "RUN": "/sync_run_id" }
            });
            let create: Step = serde_json::from_value(create)?;
            self.subject
                .ask(&create, names)
                .await
                .context("creating a run")?;
        }
        if !begins_with_registration {
            self.connector.begin(answers(names)?);
        }
        for step in &row.before {
            self.subject
                .ask_until(step, names)
                .await
                .context("before")?;
        }
        if row.disables {
            self.unschedule(names).await?;
        }
        if row.touches.is_some() {
            self.forget_activity(names).await?;
        }
        match &row.held {
            Some(route) => self.ask_beside_an_upload(route, &row.ask, names).await?,
            None => self.subject.ask(&row.ask, names).await?,
        }
        if let Some(touches) = row.touches
            && let Some(is_touched) = self.is_touched(names).await?
            && is_touched != touches
        {
            bail!("activity of the run: {is_touched}");
        }
        self.connector.was_called(&row.called, names).await?;
        for step in &row.after {
            self.subject.ask_until(step, names).await.context("after")?;
        }
        let seen = self.connector.seen();
        for call in &row.not_called {
            let call = names.text(call)?;
            if seen.iter().any(|seen| seen.call == call) {
                bail!("the connector was called `{call}`");
            }
        }
        for call in &row.once {
            let call = names.text(call)?;
            let times = seen.iter().filter(|seen| seen.call == call).count();
            if times != 1 {
                bail!("the connector was called `{call}` {times} times");
            }
        }
        Ok(())
    }

    /// Replaces `SOURCE_SCHEDULED` by a new active source with the same settings.
    async fn schedule(&self, interval: &Value, names: &mut Names) -> Result<()> {
        let own = self.own.as_ref().context("a manager of our own")?;
        let like = names.text("$SOURCE_SCHEDULED")?;
        let interval = interval.as_i64().map(i32::try_from).transpose()?;
        let id = ulid::Ulid::generate().to_string();
        names.set("SOURCE_SCHEDULED", &id);
        own.store
            .write(move |db| {
                let Some(mut source) = sources::find(db, &like)? else {
                    return Ok(false);
                };
                source.id = id;
                source.is_active = true;
                source.sync_interval_seconds = interval;
                sources::put(db, &source)?;
                Ok::<_, StoreError>(true)
            })
            .await?
            .then_some(())
            .context("no source is prepared")
    }

    /// Stops scheduled runs of a row's source.
    async fn unschedule(&self, names: &Names) -> Result<()> {
        let own = self.own.as_ref().context("a manager of our own")?;
        let id = names.text("$SOURCE_SCHEDULED")?;
        let disable = "UPDATE sources SET is_active = FALSE WHERE id = ?1";
        let disabled = own.store.write(move |db| {
            db.execute(disable, [id])?;
            Ok::<_, StoreError>(())
        });
        disabled.await?;
        Ok(())
    }

    async fn forget_activity(&self, names: &Names) -> Result<()> {
        let Some(own) = &self.own else { return Ok(()) };
        let run = names.text("$RUN")?;
        own.store
            .write(move |db| {
                db.execute(
                    "UPDATE sync_runs SET last_activity_at = 0 WHERE id = ?1",
                    [run],
                )?;
                Ok::<_, StoreError>(())
            })
            .await?;
        Ok(())
    }

    async fn is_touched(&self, names: &Names) -> Result<Option<bool>> {
        let Some(own) = &self.own else {
            return Ok(None);
        };
        let run = names.text("$RUN")?;
        let touched = own.store.read(move |db| {
            let sql = "SELECT last_activity_at > 0 FROM sync_runs WHERE id = ?1";
            Ok::<_, StoreError>(db.query_row(sql, [run], |row| row.get::<_, bool>(0))?)
        });
        Ok(Some(touched.await?))
    }

    /// Sends a request during an upload. Either of the two may get the permit, so it repeats until
    /// the upload has it.
    async fn ask_beside_an_upload(&self, route: &str, ask: &Step, names: &mut Names) -> Result<()> {
        let begun = Instant::now();
        loop {
            let upload = self.upload_without_end(route).await?;
            tokio::time::sleep(HEAD_START).await;
            let asked = self.subject.ask(ask, names).await;
            drop(upload);
            if asked.is_ok() || begun.elapsed() > SOON {
                return asked;
            }
        }
    }

    /// Starts an upload that lasts until the return value is dropped.
    async fn upload_without_end(&self, route: &str) -> Result<TcpStream> {
        let address = self.subject.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await?;
        let head = format!(
            "POST {route} HTTP/1.1\r\nhost: {address}\r\ncontent-type: multipart/form-data; boundary=x\r\n\
             content-length: 1000\r\n\r\n--x\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        Ok(stream)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_keeps_the_protocol() {
    let mut worlds: BTreeMap<String, World> = BTreeMap::new();
    let mut report = Report::default();
    for (file, text) in [
        ("register.json", include_str!("rows/register.json")),
        ("events.json", include_str!("rows/events.json")),
        ("content.json", include_str!("rows/content.json")),
        ("progress.json", include_str!("rows/progress.json")),
        ("source.json", include_str!("rows/source.json")),
        ("create.json", include_str!("rows/create.json")),
        ("lifecycle.json", include_str!("rows/lifecycle.json")),
        ("action.json", include_str!("rows/action.json")),
        ("mcp.json", include_str!("rows/mcp.json")),
    ] {
        for row in read(file, text).unwrap() {
            let of = row.of.as_deref().unwrap_or("any");
            if !worlds.contains_key(of) {
                worlds.insert(of.to_owned(), World::start(of).await.unwrap());
            }
            let outcome = match worlds[of].hold(&row).await {
                Ok(()) => Outcome::Holds,
                Err(error) => match error.downcast_ref::<Unset>() {
                    Some(unset) => Outcome::LeftOut(unset.to_string()),
                    None => Outcome::Broken(format!("{error:#}")),
                },
            };
            report.add(&row.section, &row.name, outcome);
        }
    }
    report.close("a manager");
}
