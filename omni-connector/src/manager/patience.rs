//! Time limits of the manager client.

use std::time::Duration;

/// How long the manager client waits for an answer, and how it retries a failed call.
///
/// The defaults suit a manager in the same network that may restart. A distant connector or a test changes single
/// fields:
///
/// ```
/// use omni_connector::ServerConfig;
/// use std::time::Duration;
///
/// let mut config = ServerConfig::new("http://connector-manager:3004", "acme", 4001);
/// config.patience.in_all = Duration::from_mins(10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Patience {
    /// Timeout of one attempt of an ordinary call: 30 s, as `protocol.md` §11.1 requires.
    pub call: Duration,
    /// Total time to prepare a run: 20 s, since the manager waits 30 s for the answer to `/sync` (§2.1).
    pub prepare: Duration,
    /// Timeout of one registration: 75 s, since the manager calls back and may refresh a catalog before it answers (§3.3).
    pub register: Duration,
    /// Timeout of one text extraction: 130 min, since a conversion may take two hours (§3.5).
    pub extract: Duration,
    /// The pause before the second attempt: 100 ms. Each further pause doubles.
    pub first_pause: Duration,
    /// The maximum of the doubling pauses: 10 s.
    pub longest_pause: Duration,
    /// The maximum of a `Retry-After` pause: 15 min. A wrong header must not block a run for a day.
    pub longest_asked_pause: Duration,
    /// The total of one call's pauses, without those that the manager requested: 2 min. This covers a restart of the
    /// manager.
    pub in_all: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(30),
            prepare: Duration::from_secs(20),
            register: Duration::from_secs(75),
            extract: Duration::from_mins(130),
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(10),
            longest_asked_pause: Duration::from_mins(15),
            in_all: Duration::from_mins(2),
        }
    }
}
