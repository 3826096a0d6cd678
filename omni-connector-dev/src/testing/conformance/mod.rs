//! The checks of a connector by its own binary. Each kills, breaks or changes something, and compares the documents
//! with those of an undisturbed run. [`conformance!`](crate::conformance) makes a test of each.

mod access;
mod asked;
mod broken;
mod causes;
mod changed;
mod check;
mod credentials;
mod disturbed;
mod edited;
mod faithful;
mod inputs;
mod kept;
mod killed;
mod load;
mod meaning;
mod mutated;
mod old_state;
mod plain;
mod secrets;
mod shifted;
mod stopped;
mod summary;
mod undisturbed;
mod unreachable;
mod verdict;
mod victim;
mod walked;
mod world;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use omni_connector::AuthType;
use serde_json::{Value, json};

use self::{summary::Summary, undisturbed::Known};
use super::source::Source;
pub use check::Check;
pub use verdict::{Failure, Verdict};

/// The address at which the connector reaches the source: the URL of a proxy of the kit, or the path of a source that
/// is not called over HTTP.
#[derive(Debug, Clone)]
pub struct Address(String);

impl Address {
    /// Returns the URL, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.0
    }

    /// Returns the path of a source that is not called over HTTP.
    pub fn path(&self) -> &Path {
        Path::new(&self.0)
    }
}

type Config = dyn Fn(&Address) -> Value + Send + Sync;
type Readers = dyn Fn(&str) -> Vec<String> + Send + Sync;
type Start = dyn Fn() -> Box<dyn Source> + Send + Sync;

/// A connector and its source, with what the checks must know of them. [`conformance!`](crate::conformance) creates
/// one.
#[must_use = "`run` runs a check"]
#[derive(Clone)]
pub struct Conformance {
    package: String,
    folder: PathBuf,
    binary: PathBuf,
    source: Option<Arc<Start>>,
    config: Arc<Config>,
    credentials: Option<Value>,
    auth_type: AuthType,
    environment: Vec<(String, String)>,
    skipped: Vec<(Check, String)>,
    documents: Option<usize>,
    people: Option<usize>,
    groups: Option<usize>,
    readers: Option<Arc<Readers>>,
    time_limit: Option<Duration>,
    tape: Option<PathBuf>,
    boundaries: usize,
    items: usize,
    summary: Arc<Summary>,
    /// Whether undisturbed runs differ from each other, which the check `idle` reports. The other checks then compare
    /// less.
    is_coarse: Arc<AtomicBool>,
    known: Arc<Known>,
}

impl Conformance {
    /// Starts with the name of the package, its folder and its binary.
    pub fn of(
        package: impl Into<String>,
        folder: impl Into<PathBuf>,
        binary: impl Into<PathBuf>,
    ) -> Self {
        Self {
            package: package.into(),
            folder: folder.into(),
            binary: binary.into(),
            source: None,
            config: Arc::new(|_| json!({})),
            credentials: None,
            auth_type: AuthType::ApiKey,
            environment: Vec::new(),
            skipped: Vec::new(),
            documents: None,
            people: None,
            groups: None,
            readers: None,
            time_limit: None,
            tape: None,
            boundaries: 60,
            items: load::FEW,
            summary: Arc::default(),
            is_coarse: Arc::default(),
            known: Arc::default(),
        }
    }

    /// Sets the function that creates the source for every run of a check.
    pub fn source<S: Source>(mut self, start: impl Fn() -> S + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(move || Box::new(start())));
        self
    }

    /// Sets the function that returns the source's config.
    pub fn config(mut self, config: impl Fn(&Address) -> Value + Send + Sync + 'static) -> Self {
        self.config = Arc::new(config);
        self
    }

    /// Sets the credentials. Their strings are searched for in all output of the connector, so they must be unique.
    pub fn credentials(mut self, credentials: Value) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Sets the form of the credentials; the default is an API key.
    pub fn auth_type(mut self, auth_type: AuthType) -> Self {
        self.auth_type = auth_type;
        self
    }

    /// Sets an environment variable of the process.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self.known = Arc::default();
        self
    }

    /// Sets the number of documents that a full run sends.
    pub const fn documents(mut self, documents: usize) -> Self {
        self.documents = Some(documents);
        self
    }

    /// Sets the number of people that a full run sends.
    pub const fn people(mut self, people: usize) -> Self {
        self.people = Some(people);
        self
    }

    /// Sets the number of groups with members that a full run sends.
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = Some(groups);
        self
    }

    /// Sets the function that returns the people who may read a document, by its id. Members of its groups are among
    /// them; `everybody` is the reader of a public one. The check `access` compares them.
    pub fn readers<S: Into<String>>(
        mut self,
        readers: impl Fn(&str) -> Vec<S> + Send + Sync + 'static,
    ) -> Self {
        self.readers = Some(Arc::new(move |id| {
            readers(id).into_iter().map(Into::into).collect()
        }));
        self
    }

    /// Sets the longest time for one check. A check that takes longer fails.
    pub const fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Names a tape of the real source, with which the source of the test is compared. A relative path begins at the
    /// package. `OMNI_TEST_TAPE` names another one.
    pub fn tape(mut self, path: impl Into<PathBuf>) -> Self {
        self.tape = Some(path.into());
        self
    }

    /// Sets the number of boundaries at which a process is killed, and the most faults and mutations of one check. The
    /// default is 60; `OMNI_TEST_FULL=1` tests all.
    pub const fn boundaries(mut self, boundaries: usize) -> Self {
        self.boundaries = boundaries;
        self
    }

    /// Sets the number of items of the smaller source in the check `load`. The larger one has ten times as many. The
    /// default is 200.
    pub const fn load(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// Skips a check, for a reason that is printed.
    pub fn skip(mut self, check: Check, reason: impl Into<String>) -> Self {
        self.skipped.push((check, reason.into()));
        self
    }

    /// Returns a suite that shares no results with this one, and compares everything.
    fn anew(&self) -> Self {
        Self {
            is_coarse: Arc::default(),
            known: Arc::default(),
            ..self.clone()
        }
    }

    /// Runs a check. The checks of one suite share what undisturbed runs bring.
    pub fn run(&self, check: Check) -> Verdict {
        if let Some((_, reason)) = self.skipped.iter().find(|(skipped, _)| *skipped == check) {
            return Verdict::LeftOut(reason.clone());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        let outcome = runtime.map_err(anyhow::Error::from).and_then(|runtime| {
            runtime.block_on(async {
                let made = self.made(check);
                let Some(limit) = self.time_limit else {
                    return made.await;
                };
                tokio::time::timeout(limit, made).await.unwrap_or_else(|_| {
                    let failure = Failure::new(format!("the check takes longer than {limit:?}"));
                    Ok(Verdict::Failed(failure.help(
                        "raise `time_limit`, or lower `boundaries` and with them the number of trials",
                    )))
                })
            })
        });
        match outcome {
            Ok(Verdict::Failed(failure)) => Verdict::Failed(failure.named(check, &self.package)),
            Ok(verdict) => verdict,
            Err(error) => {
                let failure =
                    Failure::new("the check could not be made").fact("error", format!("{error:#}"));
                Verdict::Failed(failure.named(check, &self.package))
            }
        }
    }

    async fn made(&self, check: Check) -> anyhow::Result<Verdict> {
        match check {
            Check::Manifest => plain::manifest(self).await,
            Check::Completes => plain::completes(self).await,
            Check::Idle => plain::idle(self).await,
            Check::Secrets => secrets::secrets(self).await,
            Check::OldState => old_state::old_state(self).await,
            Check::Load => load::load(self).await,
            Check::Mutations => mutated::mutations(self).await,
            Check::Fake => faithful::fake(self).await,
            Check::Resume => killed::resume(self).await,
            Check::Stops => stopped::stops(self).await,
            Check::ManagerFaults => disturbed::manager_faults(self).await,
            Check::SourceFaults => broken::source_faults(self).await,
            Check::Walks => walked::walks(self).await,
            Check::Deletes => changed::deletes(self).await,
            Check::Access => access::access(self).await,
            Check::Items => edited::items(self).await,
            Check::Changes => edited::changes(self).await,
            Check::Operators => asked::operators(self).await,
            Check::Actions => asked::actions(self).await,
        }
    }

    /// Runs a check as a test. After the last check it prints how many passed.
    ///
    /// # Panics
    /// Panics if it failed.
    pub fn assert(&self, check: Check) {
        let verdict = self.run(check);
        if self.summary.count(&verdict) == Check::ALL.len() {
            // Not `eprintln!`, whose output a passing test hides.
            let _ = writeln!(io::stderr(), "{}", self.summary);
        }
        match verdict {
            Verdict::Failed(failure) => panic!("{failure}"),
            verdict => println!("{} … {verdict}", check.name()),
        }
    }
}

/// Makes a test of each check of a connector.
///
/// ```ignore
/// omni_connector_dev::conformance! {
///     connector: "acme",
///     source: tracker(),
///     config: |source| json!({ "api_url": source.url() }),
///     credentials: json!({ "api_key": "canary-7f3" }),
///     documents: 6,
///     skip: [deletes = "the source never deletes"],
/// }
/// ```
///
/// `connector` is the name of the package's binary; all other fields are optional. `source` is an expression that
/// creates a [`Source`](crate::testing::Source), such as a [`FakeApi`](crate::testing::FakeApi); it is evaluated for
/// every run. A skipped check without a reason does not compile.
#[macro_export]
macro_rules! conformance {
    (connector: $connector:literal $(, $($options:tt)*)?) => {
        /// The checks of the connector share what undisturbed runs bring.
        static CONFORMANCE: ::std::sync::LazyLock<$crate::testing::Conformance> = ::std::sync::LazyLock::new(|| {
            let suite = $crate::testing::Conformance::of(
                env!("CARGO_PKG_NAME"),
                env!("CARGO_MANIFEST_DIR"),
                env!(concat!("CARGO_BIN_EXE_", $connector)),
            );
            $crate::conformance!(@options suite $(, $($options)*)?)
        });
        $crate::conformance!(@tests
            manifest Manifest, completes Completes, idle Idle, resume Resume, stops Stops, manager_faults ManagerFaults,
            source_faults SourceFaults, walks Walks, deletes Deletes, access Access, items Items, changes Changes,
            operators Operators, actions Actions, secrets Secrets, old_state OldState,
            load Load, mutations Mutations, fake Fake);
    };
    (@tests $($name:ident $check:ident),*) => {
        $(
            #[test]
            fn $name() {
                CONFORMANCE.assert($crate::testing::Check::$check);
            }
        )*
    };
    (@options $suite:expr $(,)?) => { $suite };
    (@options $suite:expr, source: $source:expr $(, $($rest:tt)*)?) => {
        $crate::conformance!(@options $suite.source(|| $source) $(, $($rest)*)?)
    };
    (@options $suite:expr, skip: [$($check:ident = $reason:literal),* $(,)?] $(, $($rest:tt)*)?) => {
        $crate::conformance!(@options $suite$(.skip($crate::conformance!(@check $check), $reason))* $(, $($rest)*)?)
    };
    (@options $suite:expr, env: [$($variable:ident = $value:expr),* $(,)?] $(, $($rest:tt)*)?) => {
        $crate::conformance!(@options $suite$(.env(stringify!($variable), $value))* $(, $($rest)*)?)
    };
    (@options $suite:expr, $option:ident: $value:expr $(, $($rest:tt)*)?) => {
        $crate::conformance!(@options $suite.$option($value) $(, $($rest)*)?)
    };
    (@check manifest) => { $crate::testing::Check::Manifest };
    (@check completes) => { $crate::testing::Check::Completes };
    (@check idle) => { $crate::testing::Check::Idle };
    (@check resume) => { $crate::testing::Check::Resume };
    (@check stops) => { $crate::testing::Check::Stops };
    (@check manager_faults) => { $crate::testing::Check::ManagerFaults };
    (@check source_faults) => { $crate::testing::Check::SourceFaults };
    (@check walks) => { $crate::testing::Check::Walks };
    (@check deletes) => { $crate::testing::Check::Deletes };
    (@check access) => { $crate::testing::Check::Access };
    (@check items) => { $crate::testing::Check::Items };
    (@check changes) => { $crate::testing::Check::Changes };
    (@check operators) => { $crate::testing::Check::Operators };
    (@check actions) => { $crate::testing::Check::Actions };
    (@check secrets) => { $crate::testing::Check::Secrets };
    (@check old_state) => { $crate::testing::Check::OldState };
    (@check load) => { $crate::testing::Check::Load };
    (@check mutations) => { $crate::testing::Check::Mutations };
    (@check fake) => { $crate::testing::Check::Fake };
}
