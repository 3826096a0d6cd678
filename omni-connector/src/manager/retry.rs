//! Decides when a call is retried and how long to wait first.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, StatusCode, header};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::Patience;

/// The retry policy of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Safe to repeat after any failure.
    Always,
    /// As `Always`, but the content may cause a 500, so the third one is final.
    Conversion,
    /// Retried only if the manager certainly did not act on it.
    IfUnheard,
    /// Never retried.
    Never,
}

impl Repeat {
    /// Returns whether to retry after attempt number `attempt` was answered with `status`.
    pub(crate) fn after_answer(self, status: StatusCode, attempt: u32) -> bool {
        match self {
            Self::Conversion if status == StatusCode::INTERNAL_SERVER_ERROR => {
                attempt < CONVERSIONS
            }
            Self::Always | Self::Conversion => is_passing(status),
            Self::IfUnheard => status == StatusCode::TOO_MANY_REQUESTS,
            Self::Never => false,
        }
    }

    /// Returns whether to retry after an answer that broke off or cannot come from the manager.
    pub(crate) fn after_noise(self) -> bool {
        matches!(self, Self::Always | Self::Conversion)
    }

    /// Returns whether to retry after an attempt without an answer.
    pub(crate) fn after_silence(self, error: &reqwest::Error) -> bool {
        match self {
            Self::Always | Self::Conversion => !error.is_builder(),
            Self::IfUnheard => error.is_connect(),
            Self::Never => false,
        }
    }
}

/// Attempts of a conversion that answers 500: an unreadable file must not delay the files after it.
const CONVERSIONS: u32 = 3;

/// The growing pauses between the attempts of one call.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    left: Duration,
    patience: Patience,
}

impl Backoff {
    pub(crate) const fn new(patience: Patience) -> Self {
        Self {
            next: patience.first_pause,
            left: patience.in_all,
            patience,
        }
    }

    /// Returns the next pause; none when patience is exhausted.
    pub(crate) fn pause(&mut self, asked_for: Option<Duration>) -> Option<Duration> {
        if self.left.is_zero() {
            return None;
        }
        let pause = self.next.min(self.left);
        self.left -= pause;
        self.next = (self.next * 2).min(self.patience.longest_pause);
        let asked_for = asked_for.unwrap_or_default();
        Some(pause.max(asked_for.min(self.patience.longest_asked_pause)))
    }
}

/// Returns whether a status may be temporary.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
}

/// Parses the `Retry-After` header: seconds or a date. Anything else, and a time in the past, yields none.
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
        let mut backoff = Backoff::new(Patience {
            in_all: Duration::from_secs(1),
            ..Patience::default()
        });
        let pauses: Vec<_> = std::iter::from_fn(|| backoff.pause(None))
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(pauses, [100, 200, 400, 300]);
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_kept_and_bounded() {
        let mut backoff = Backoff::new(Patience::default());
        for (asked_for, granted) in [(5, 5), (u64::MAX, 15 * 60)] {
            assert_eq!(
                backoff.pause(Some(Duration::from_secs(asked_for))),
                Some(Duration::from_secs(granted))
            );
        }
    }

    #[test]
    fn a_conversion_that_fails_is_believed_at_the_third_time() {
        let error = StatusCode::INTERNAL_SERVER_ERROR;
        assert!(Repeat::Conversion.after_answer(error, 2));
        assert!(!Repeat::Conversion.after_answer(error, 3));
        assert!(Repeat::Conversion.after_answer(StatusCode::BAD_GATEWAY, 3));
        assert!(Repeat::Always.after_answer(error, 3));
    }
}
