//! Faults of a single call.

use std::{fmt, sync::Arc, time::Duration};

use super::wire::Answer;

/// The fate of a call instead of the normal one.
#[derive(Clone)]
pub enum Fault {
    /// This connection is reset, and new ones are refused for a while.
    Refused,
    /// The connection is reset before the manager receives the call.
    ResetBefore,
    /// The manager handles the call, and the connection is reset before the answer.
    ResetAfter,
    /// The manager handles the call, and its answer is truncated.
    Truncated,
    /// The manager handles the call, and its answer never arrives.
    Stalled,
    /// An answer with this status and an optional `Retry-After`. The manager does not receive the
    /// call.
    Answer(u16, Option<RetryAfter>),
    /// An HTML page with status 200, as from a gateway. The manager does not receive the call.
    Html,
    /// The call is delayed by this time.
    Late(Duration),
    /// The answer is replaced.
    Replace(Replacement),
    /// An action runs after the answer, which is passed on.
    AnswerThenDo(Action),
    /// An action runs, and the manager does not receive the call.
    DoBefore(Action),
    /// Forwards the call, then runs an action. The answer is dropped.
    DoAfter(Action),
}

/// The action of a fault.
pub type Action = Arc<dyn Fn() + Send + Sync>;

/// Converts an answer into the faulty one.
pub type Replacement = Arc<dyn Fn(Answer) -> Answer + Send + Sync>;

/// The value of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Seconds.
    Seconds(i64),
    /// A date, this many seconds from now.
    Date(u64),
    /// More seconds than a clock can add.
    Huge,
}

impl RetryAfter {
    /// Returns the header's value.
    pub fn header(self) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Huge => u64::MAX.to_string(),
            Self::Date(seconds) => http_date(seconds),
        }
    }
}

/// Formats the time `seconds` from now, as in `Thu, 01 Jan 2026 00:00:00 GMT`.
fn http_date(seconds: u64) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let seconds = now.as_secs() + seconds;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's `civil_from_days`, for days after 1970.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12;
    let year = year_of_era + era * 400 + u64::from(month < 2);
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let (name, month) = (
        names[usize::try_from(days % 7).unwrap_or(0)],
        months[usize::try_from(month).unwrap_or(0)],
    );
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{name}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

impl Fault {
    /// Returns all faults that need no process to kill.
    pub fn all() -> Vec<Self> {
        vec![
            Self::Refused,
            Self::ResetBefore,
            Self::ResetAfter,
            Self::Truncated,
            Self::Stalled,
            Self::Answer(429, Some(RetryAfter::Seconds(1))),
            Self::Answer(429, Some(RetryAfter::Date(2))),
            Self::Answer(429, Some(RetryAfter::Huge)),
            Self::Answer(429, Some(RetryAfter::Seconds(-5))),
            Self::Answer(429, None),
            Self::Answer(500, None),
            Self::Answer(502, None),
            Self::Answer(503, None),
            Self::Answer(408, None),
            Self::Html,
            Self::Late(Duration::from_millis(40)),
        ]
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("refused"),
            Self::ResetBefore => f.write_str("reset before"),
            Self::ResetAfter => f.write_str("reset after"),
            Self::Truncated => f.write_str("truncated"),
            Self::Stalled => f.write_str("stalled"),
            Self::Answer(status, None) => write!(f, "{status}"),
            Self::Answer(status, Some(wait)) => write!(f, "{status} {wait:?}"),
            Self::Html => f.write_str("200 HTML"),
            Self::Late(late) => write!(f, "late {late:?}"),
            Self::Replace(_) => f.write_str("another answer"),
            Self::AnswerThenDo(_) => f.write_str("as usual"),
            Self::DoBefore(_) => f.write_str("before"),
            Self::DoAfter(_) => f.write_str("after"),
        }
    }
}
