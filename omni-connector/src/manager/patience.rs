//! How long the client of the manager waits, and for what.

use std::time::Duration;

/// How long the client of the manager waits for an answer, and how it repeats a call that failed.
///
/// The defaults suit a manager in the same network that may be restarted meanwhile; a connector far away, or one under test,
/// changes single fields:
///
/// ```
/// use omni_connector::{Patience, ServerConfig};
/// use std::time::Duration;
///
/// let mut config = ServerConfig::new("http://connector-manager:3004", "acme", 4001);
/// config.patience = Patience { in_all: Duration::from_mins(10), ..Patience::default() };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// One attempt of an ordinary call: 30 s, as `protocol.md` §11.1 asks for.
    pub call: Duration,
    /// What a run needs before it starts, in all: 20 s, since the manager waits 30 s for the answer to `/sync` (§2.1).
    pub prepare: Duration,
    /// One attempt to register: 75 s, since the manager calls back and may refresh a catalog before it answers (§3.3).
    pub register: Duration,
    /// One attempt to have a text extracted: 130 min, since a conversion may take two hours (§3.5).
    pub extract: Duration,
    /// The pause before the second attempt: 100 ms. Each further one is twice as long…
    pub first_pause: Duration,
    /// …up to this: 10 s.
    pub longest_pause: Duration,
    /// The longest pause that a `Retry-After` is granted: 15 min. A lying one must not park a run for a day.
    pub longest_asked_pause: Duration,
    /// The pauses of one call in all, those not counted that the manager asked for: 2 min. A manager that restarts is
    /// waited for.
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
