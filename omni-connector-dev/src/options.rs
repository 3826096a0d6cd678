//! The manager's configuration: addresses, limits and times.
//!
//! The defaults are Omni's own (`protocol.md` §1.3). Tests use shorter times.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

/// Where the manager stores its data.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Storage {
    /// A folder. Created if missing.
    Folder(PathBuf),
    /// Memory. The data is lost when the manager ends.
    Memory,
}

/// Configuration of a manager.
///
/// ```
/// use omni_connector_dev::Options;
///
/// let mut options = Options::default();
/// options.runs.tick = None;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Port on the loopback interface; 0 lets the system choose a free one.
    pub port: u16,
    /// Where the manager stores its data.
    pub storage: Storage,
    /// E-mail address of the administrator who owns sources that were created without an owner.
    pub operator_email: String,
    /// How long a registration is valid.
    pub registration_ttl: Duration,
    /// Largest request body in bytes, uploads excepted.
    pub max_body_bytes: usize,
    /// Limits of calls to connectors.
    pub calls: CallLimits,
    /// The scheduler and the limits of sync runs.
    pub runs: RunLimits,
    /// Extraction of text from files.
    pub extraction: ExtractionLimits,
    /// How long a stored text is kept after its last document is gone.
    pub content_retention: Duration,
    /// Longest time between the start of a sign-in and the provider's callback.
    pub sign_in_life: Duration,
    /// Time between two events of a progress stream.
    pub progress_interval: Duration,
}

/// Timeouts and retries of calls to connectors (`protocol.md` §2.1).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallLimits {
    /// Timeout of one attempt of any call.
    pub call: Duration,
    /// Timeout of `POST /sync`, all attempts together.
    pub sync: Duration,
    /// Timeout of `GET /sync/{id}`.
    pub probe: Duration,
    /// Waits before the second, third, … attempt of `POST /sync` after a transport error.
    pub sync_retries: Vec<Duration>,
    /// Longest random time added to each of those waits.
    pub jitter: Duration,
}

/// The scheduler and the limits of sync runs (`protocol.md` §1.3, §5).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunLimits {
    /// Time between two ticks. `None` turns the scheduler off.
    pub tick: Option<Duration>,
    /// Whether running runs are probed once before the manager listens, as in Omni. Has no effect
    /// without a tick.
    pub probe_at_start: bool,
    /// Longest time for one phase of a tick.
    pub phase: Duration,
    /// Fails a run after this time without activity.
    pub stale: Duration,
    /// Most runs at a time, all sources together.
    pub concurrent: usize,
    /// Most runs of one slot class at a time.
    pub concurrent_per_class: usize,
    /// How often a lost run is resumed.
    pub resumes: u32,
    /// Backoff after the first failure. Doubles with each further failure.
    pub backoff_base: Duration,
    /// Longest backoff.
    pub backoff_max: Duration,
    /// Consecutive failures after which scheduled runs stop; 0 disables scheduled runs.
    pub max_failures: usize,
}

/// Extraction of text from files (`protocol.md` §1.3, §3.5).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExtractionLimits {
    /// Files read at a time. Further requests are refused and may retry.
    pub concurrency: usize,
    /// Seconds after which a refused request may retry.
    pub retry_after: u32,
    /// Largest file, in bytes.
    pub max_input_bytes: usize,
    /// Longest text stored or returned, in bytes.
    pub max_text_bytes: usize,
    /// Most rows read from a spreadsheet.
    pub max_rows: usize,
    /// Longest time for one file. The text read until then is kept. Omni's own readers have no such
    /// limit.
    pub max_time: Duration,
    /// Largest address space of the reader process of one file, in bytes.
    pub max_memory_bytes: u64,
    /// The reader command and its first arguments. If empty, `omni-readers` is searched for: next
    /// to the running program, then built once from a checkout that has its sources, then on the
    /// `PATH`.
    pub program: Vec<OsString>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            storage: Storage::Memory,
            operator_email: "developer@example.com".to_owned(),
            registration_ttl: Duration::from_mins(5),
            max_body_bytes: 64 << 20,
            calls: CallLimits::default(),
            runs: RunLimits::default(),
            extraction: ExtractionLimits::default(),
            content_retention: Duration::from_hours(7 * 24),
            sign_in_life: Duration::from_mins(15),
            progress_interval: Duration::from_secs(1),
        }
    }
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(30),
            sync: Duration::from_secs(150),
            probe: Duration::from_secs(5),
            sync_retries: [1, 2, 4].map(Duration::from_secs).to_vec(),
            jitter: Duration::from_secs(1),
        }
    }
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            tick: Some(Duration::from_secs(30)),
            probe_at_start: true,
            phase: Duration::from_mins(5),
            stale: Duration::from_mins(10),
            concurrent: 10,
            concurrent_per_class: 3,
            resumes: 3,
            backoff_base: Duration::from_secs(30),
            backoff_max: Duration::from_hours(1),
            max_failures: 10,
        }
    }
}

impl Default for ExtractionLimits {
    fn default() -> Self {
        Self {
            concurrency: 2,
            retry_after: 30,
            max_input_bytes: 50 << 20,
            max_text_bytes: 5 << 20,
            max_rows: 1000,
            max_time: Duration::from_mins(1),
            max_memory_bytes: 1 << 30,
            program: Vec::new(),
        }
    }
}

impl Options {
    /// Returns the address to listen on. Always loopback.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }
}
