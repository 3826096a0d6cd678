//! Every number the manager goes by. The defaults are Omni's own (`protocol.md` §1.3); tests shorten the times.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

/// Where the manager keeps what it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// A folder, made if it is not there.
    Folder(PathBuf),
    /// Gone when the manager ends.
    Memory,
}

/// How a manager behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port on loopback; 0 lets the system choose.
    pub port: u16,
    /// Where the manager keeps what it knows.
    pub storage: Storage,
    /// Address of the administrator who owns sources made without an owner.
    pub operator_email: String,
    /// How long a registration lives.
    pub registration_ttl: Duration,
    /// Largest body of a request that is no upload, in bytes.
    pub max_body_bytes: usize,
    /// Calls to connectors.
    pub calls: CallLimits,
    /// The background loop and the limits of runs.
    pub runs: RunLimits,
    /// Extraction of text from files.
    pub extraction: ExtractionLimits,
    /// How long a text that no document refers to is kept.
    pub content_retention: Duration,
    /// How long a sign-in may take from its start to the provider's answer.
    pub sign_in_life: Duration,
    /// Time between two events of a progress stream.
    pub progress_interval: Duration,
}

/// Timeouts and retries of calls to connectors (`protocol.md` §2.1).
#[derive(Debug, Clone)]
pub struct CallLimits {
    /// Any call, one attempt.
    pub call: Duration,
    /// `POST /sync` with all its attempts.
    pub sync: Duration,
    /// `GET /sync/{id}`.
    pub probe: Duration,
    /// Waits before the second, third, … attempt of `POST /sync` after a transport error.
    pub sync_retries: Vec<Duration>,
    /// Up to this much is added to each of those waits.
    pub jitter: Duration,
}

/// The background loop and the limits of runs (`protocol.md` §1.3, §5).
#[derive(Debug, Clone)]
pub struct RunLimits {
    /// Time between two ticks; none switches the background loop off.
    pub tick: Option<Duration>,
    /// Whether running runs are probed once before the manager listens, as the real one does. Not without a tick.
    pub probe_at_start: bool,
    /// Longest time for one phase of a tick.
    pub phase: Duration,
    /// A run without activity for longer is failed.
    pub stale: Duration,
    /// Running runs, all sources together.
    pub concurrent: usize,
    /// Running runs of one slot class.
    pub concurrent_per_class: usize,
    /// Times a lost run is resumed.
    pub resumes: u32,
    /// Backoff after the first failure; doubled with each further one.
    pub backoff_base: Duration,
    /// Longest backoff.
    pub backoff_max: Duration,
    /// Failures in a row that stop scheduled runs; 0 stops them always.
    pub max_failures: usize,
}

/// Extraction of text from files (`protocol.md` §1.3, §3.5).
#[derive(Debug, Clone)]
pub struct ExtractionLimits {
    /// Requests at a time; the next one is told to come back.
    pub concurrency: usize,
    /// Seconds after which it may come back.
    pub retry_after: u32,
    /// Largest file, in bytes.
    pub max_input_bytes: usize,
    /// Longest text stored or returned, in bytes.
    pub max_text_bytes: usize,
    /// Rows kept of a spreadsheet.
    pub max_rows: usize,
    /// Longest time for one file. The text that was read until then is kept; Omni's own readers have no such limit.
    pub max_time: Duration,
    /// Address space of the program that reads one file, in bytes.
    pub max_memory_bytes: u64,
    /// The command that reads files, with its first arguments. Where it is empty, `omni-readers` is looked for: beside the
    /// running program, built once where this crate's sources have its own beside them, and on the path.
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
    /// The address to listen on: loopback, whatever else is asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }
}
