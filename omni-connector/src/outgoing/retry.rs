//! When a call is made again, and how long to wait before it.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, StatusCode, header};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// How often a call may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Safe to repeat after any failure.
    Always,
    /// Only when it is certain that the manager did not act on it.
    IfUnheard,
    /// Not at all.
    Never,
}

/// The growing pauses between the attempts of one call.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    left: Duration,
}

/// No single pause is longer, whatever a server asks for: a lying `Retry-After` must not park a run for a day.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

impl Backoff {
    /// Pauses that add up to `patience`, beginning with a tenth of a second and doubling up to ten seconds. Pauses that the
    /// server asks for do not count against it, only against [`LONGEST_PAUSE`].
    pub(crate) const fn new(patience: Duration) -> Self {
        Self {
            next: Duration::from_millis(100),
            left: patience,
        }
    }

    /// How long to wait now; none when patience is at its end.
    pub(crate) fn pause(&mut self, asked_for: Option<Duration>) -> Option<Duration> {
        if self.left.is_zero() {
            return None;
        }
        let pause = self.next.min(self.left);
        self.left -= pause;
        self.next = (self.next * 2).min(Duration::from_secs(10));
        Some(pause.max(asked_for.unwrap_or_default()).min(LONGEST_PAUSE))
    }
}

/// Whether an answer of this status may be different next time.
pub(crate) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
}

/// The `Retry-After` header: seconds or a date. Anything else, and a time in the past, is none.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    // HTTP dates end in `GMT`, which RFC 2822 allows as an obsolete zone.
    let date = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    SystemTime::from(date)
        .duration_since(SystemTime::now())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::RETRY_AFTER, value.parse().unwrap())])
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(retry_after(&headers("7")), Some(Duration::from_secs(7)));
        let soon = OffsetDateTime::now_utc() + Duration::from_secs(90);
        let date = soon.format(&Rfc2822).unwrap().replace("+0000", "GMT");
        let wait = retry_after(&headers(&date)).unwrap();
        assert!(
            wait > Duration::from_secs(80) && wait <= Duration::from_secs(90),
            "{date}: {wait:?}"
        );
    }

    #[test]
    fn a_retry_after_that_makes_no_sense_is_none() {
        for value in ["-5", "soon", "", "Fri, 21 Aug 2015 10:00:00 GMT"] {
            assert_eq!(retry_after(&headers(value)), None, "{value}");
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        let pauses: Vec<_> = std::iter::from_fn(|| backoff.pause(None))
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(pauses, [100, 200, 400, 300]);
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_kept_and_bounded() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        assert_eq!(
            backoff.pause(Some(Duration::from_secs(5))),
            Some(Duration::from_secs(5))
        );
        assert_eq!(
            backoff.pause(Some(Duration::from_secs(u64::MAX))),
            Some(LONGEST_PAUSE)
        );
    }
}
