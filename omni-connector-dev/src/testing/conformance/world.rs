//! The parts of one run of a check: a new source, a new manager, proxies on both sides of the connector, and its
//! process.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use omni_connector::{AuthType, SyncType};
use serde_json::{Value, json};
use tokio::time::error::Elapsed;

use super::{Address, Conformance, meaning::meaning, victim::Victim};
use crate::{
    manager::Manager,
    store::StoreError,
    testing::{
        documents::Documents,
        fault::Fault,
        journal::{Entry, Journal, Side},
        proxy::{Plan, Proxy},
        runs::Ended,
        setup::{Setup, options},
        source::{Change, Source, Unable},
    },
};

/// The factor by which the connector's pauses are shortened.
const CLOCK: &str = "50";
/// The time after which a run counts as hanging.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);

/// Selects the fault of a call of a route. The number counts from 0 since the world was armed.
type Breaks = dyn Fn(Side, &str, usize) -> Option<Fault> + Send + Sync;

pub(super) struct World {
    pub(super) setup: Setup,
    pub(super) source: Option<Arc<dyn Source>>,
    pub(super) journal: Journal,
    /// The source's credential, for another source of the same connector.
    pub(super) credential: (AuthType, Value),
    /// The folder for the stores of failed runs.
    pub(super) folder: PathBuf,
    armed: Arc<Armed>,
    own_url: Option<String>,
    is_coarse: Arc<AtomicBool>,
    /// Dropping a proxy stops it.
    _proxies: Vec<Proxy>,
}

/// Faults that can be switched on and off.
struct Armed {
    is_on: AtomicBool,
    counts: Mutex<HashMap<(Side, String), usize>>,
    breaks: Box<Breaks>,
    hits: AtomicUsize,
    journal: Journal,
    /// The number of answered calls before the first broken one.
    first_hit: OnceLock<usize>,
}

/// The result of a run that is disturbed.
pub(super) enum Attempt {
    /// It ended, in any state.
    Ended(Box<Ended>),
    /// The connector did not accept it, for example because `#[validate]` failed. Has the message.
    Refused(String),
    /// It does not end, or does not start.
    Hangs(String),
}

impl Attempt {
    /// Returns whether the run is complete, and reports no failure.
    pub(super) fn is_flawless(&self) -> bool {
        matches!(self, Self::Ended(ended) if ended.is_completed() && ended.failures() == 0)
    }

    /// Returns whether the run is complete.
    pub(super) fn is_completed(&self) -> bool {
        matches!(self, Self::Ended(ended) if ended.is_completed())
    }

    /// Returns the failure of the run; empty if it is complete.
    pub(super) fn error(&self) -> String {
        match self {
            Self::Ended(ended) => ended.progress.run.error_message.clone().unwrap_or_default(),
            Self::Refused(message) | Self::Hangs(message) => message.clone(),
        }
    }
}

/// The manager's data, in a comparable form.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    pub(super) documents: Documents,
    /// Members by group. A group without members is omitted.
    pub(super) groups: BTreeMap<String, Vec<String>>,
    pub(super) people: Vec<String>,
}

impl State {
    /// Describes the differences from the expected state.
    pub(super) fn differences(&self, expected: &Self) -> Vec<String> {
        let mut found = self.documents.differences(&expected.documents);
        let groups = self.groups.keys().chain(expected.groups.keys());
        let groups: std::collections::BTreeSet<_> = groups.collect();
        for group in groups {
            let (is, should) = (self.groups.get(group), expected.groups.get(group));
            if is != should {
                let text = |members: Option<&Vec<String>>| {
                    members.map_or("nobody".to_owned(), |all| all.join(", "))
                };
                found.push(format!(
                    "the members of {group} are {} instead of {}",
                    text(is),
                    text(should)
                ));
            }
        }
        if self.people != expected.people {
            found.push(format!(
                "the people are {:?} instead of {:?}",
                self.people, expected.people
            ));
        }
        found
    }
}

/// Returns whether an address is a URL that a proxy can stand before.
fn is_http(address: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| address.starts_with(scheme))
}

impl World {
    /// Starts a world without faults.
    pub(super) async fn calm(suite: &Conformance) -> Result<Self> {
        Self::start(suite, Victim::default(), |_, _, _| None).await
    }

    /// Starts a world in which `breaks` selects the faults of calls. It is armed from the beginning.
    pub(super) async fn start(
        suite: &Conformance,
        victim: Victim,
        breaks: impl Fn(Side, &str, usize) -> Option<Fault> + Send + Sync + 'static,
    ) -> Result<Self> {
        let journal = Journal::default();
        let armed = Arc::new(Armed {
            is_on: AtomicBool::new(true),
            counts: Mutex::default(),
            breaks: Box::new(breaks),
            hits: AtomicUsize::new(0),
            journal: journal.clone(),
            first_hit: OnceLock::new(),
        });
        let source: Option<Arc<dyn Source>> = suite.source.as_ref().map(|start| start().into());
        let mut proxies = Vec::new();
        let mut own_url = None;
        if let Some(source) = &source {
            victim.set_source(source);
            let url = source.url();
            own_url = Some(if is_http(&url) {
                let plan = Armed::plan(&armed, Side::Source);
                let proxy = Proxy::to_source(&url, plan, journal.clone()).await?;
                let own = proxy.url();
                proxies.push(proxy);
                own
            } else {
                url
            });
        }
        let manager = Manager::start(options()).await?;
        let plan = Armed::plan(&armed, Side::Manager);
        let to_manager = Proxy::to_manager(&manager.url(), plan, journal.clone()).await?;
        let config = (suite.config)(&Address(own_url.clone().unwrap_or_default()));
        let mut builder = Setup::of(&suite.binary)
            .config(config)
            .auth_type(suite.auth_type)
            .env("OMNI_TEST_CLOCK", CLOCK)
            .env("OMNI_CONNECTOR_GRACE_SECONDS", "2")
            // The store of a failed run has the requests of the run.
            .env("OMNI_DEV_REQUESTS", "1");
        if let Some(credentials) = &suite.credentials {
            builder = builder.credentials(credentials.clone());
        }
        for (name, value) in &suite.environment {
            builder = builder.env(name, value);
        }
        let setup = builder.start_with(manager, &to_manager.url()).await?;
        proxies.push(to_manager);
        victim.set_process(&setup.process);
        Ok(Self {
            setup,
            source,
            journal,
            credential: (
                suite.auth_type,
                suite.credentials.clone().unwrap_or_else(|| json!({})),
            ),
            folder: suite.kept_at(),
            armed,
            own_url,
            is_coarse: Arc::clone(&suite.is_coarse),
            _proxies: proxies,
        })
    }

    /// Runs a sync that may also be refused, or hang.
    pub(super) async fn attempt(&self, mode: SyncType) -> Result<Attempt> {
        self.attempt_within(mode, PATIENCE).await
    }

    pub(super) async fn attempt_within(
        &self,
        mode: SyncType,
        patience: Duration,
    ) -> Result<Attempt> {
        let (run, starts) = match self.setup.started(mode).await {
            Ok(begun) => begun,
            Err(error) if error.is::<Elapsed>() => return Ok(Attempt::Hangs(format!("{error:#}"))),
            Err(error) => return Ok(Attempt::Refused(format!("{error:#}"))),
        };
        match self.setup.end_of(&run, starts, patience).await {
            Ok(ended) => Ok(Attempt::Ended(Box::new(ended))),
            Err(error) if error.is::<Elapsed>() => Ok(Attempt::Hangs(format!("{error:#}"))),
            Err(error) => Err(error),
        }
    }

    /// Runs a sync until it ends in any state.
    pub(super) async fn run(&self, mode: SyncType) -> Result<Ended> {
        self.setup.run_within(mode, PATIENCE).await
    }

    /// Changes the source.
    pub(super) fn change(&self, change: &Change) -> Result<(), Unable> {
        match &self.source {
            Some(source) => source.change(change),
            None => Err(Unable(
                "the connector is tested without a source".to_owned(),
            )),
        }
    }

    /// Switches faults on or off, and restarts the counting of calls.
    pub(super) fn arm(&self, is_on: bool) {
        self.armed
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.armed.is_on.store(is_on, Ordering::Relaxed);
    }

    /// Returns the number of broken calls.
    pub(super) fn hits(&self) -> usize {
        self.armed.hits.load(Ordering::Relaxed)
    }

    /// Returns the number of answered calls before the first broken one.
    pub(super) fn first_hit(&self) -> usize {
        self.armed.first_hit.get().copied().unwrap_or_default()
    }

    /// Returns the URL or the path at which the connector reaches the source.
    pub(super) fn own_url(&self) -> Option<&str> {
        self.own_url.as_deref()
    }

    /// Returns the calls to the source so far.
    pub(super) fn calls(&self) -> Vec<Entry> {
        let all = self.journal.entries().into_iter();
        all.filter(|entry| entry.side == Side::Source).collect()
    }

    /// Returns the source's checkpoint in a comparable form.
    pub(super) async fn checkpoint(&self) -> Value {
        let checkpoint = self.setup.checkpoint().await.unwrap_or_default();
        let mut text = checkpoint.to_string();
        if let Some(url) = &self.own_url {
            text = text.replace(url.as_str(), "http://source");
        }
        text = text.replace(&self.setup.source.id, "source");
        meaning(serde_json::from_str(&text).unwrap_or(checkpoint))
    }

    pub(super) async fn state(&self) -> Result<State> {
        let documents = self.setup.documents().await;
        let documents = match &self.own_url {
            Some(url) => documents.with(url, "http://source"),
            None => documents,
        };
        // Ids may be made with that of the source, which is another one in every world.
        let documents = documents.with(&self.setup.source.id, "source");
        let is_coarse = self.is_coarse.load(Ordering::Relaxed);
        let documents = if is_coarse {
            documents.coarse()
        } else {
            documents
        };
        let id = self.setup.source.id.clone();
        let (groups, people) = self
            .setup
            .manager
            .store()
            .read(move |db| {
                let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
                let mut members = db.prepare(
                    "SELECT group_email, member_email FROM group_members WHERE source_id = ?1 ORDER BY 1, 2",
                )?;
                let rows = members.query_map([&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
                for row in rows {
                    let (group, member): (String, String) = row?;
                    groups.entry(group).or_default().push(member);
                }
                let mut people = db.prepare("SELECT email FROM people WHERE source_id = ?1 ORDER BY 1")?;
                let people = people.query_map([&id], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
                Ok::<_, StoreError>((groups, people))
            })
            .await?;
        Ok(State {
            documents,
            groups,
            people,
        })
    }
}

impl Armed {
    fn plan(armed: &Arc<Self>, side: Side) -> Plan {
        let armed = Arc::clone(armed);
        Box::new(move |route, _| {
            if !armed.is_on.load(Ordering::Relaxed) {
                return None;
            }
            let number = {
                let mut counts = armed.counts.lock().unwrap_or_else(PoisonError::into_inner);
                let count = counts.entry((side, route.to_owned())).or_default();
                *count += 1;
                *count - 1
            };
            let fault = (armed.breaks)(side, route, number)?;
            armed.hits.fetch_add(1, Ordering::Relaxed);
            let _ = armed.first_hit.set(armed.journal.len());
            Some(fault)
        })
    }
}

impl Conformance {
    /// Returns the folder for the stores of failed runs: `target/omni`.
    fn kept_at(&self) -> PathBuf {
        let target = self.binary.parent().and_then(std::path::Path::parent);
        target
            .map_or_else(|| PathBuf::from("target"), std::path::Path::to_owned)
            .join("omni")
    }
}
