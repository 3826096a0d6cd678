//! The source's quotas, and the headers that report the remaining calls.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::Call;

/// The number of calls that a source allows in a period, and the headers that report the remaining ones.
///
/// No period of this length ever has more calls, whatever the number of tasks. An API can have several quotas. The
/// `RateLimit` headers of the IETF draft are always read.
///
/// ```
/// use omni_connector::http::{Api, Quota, Reset};
///
/// let api = Api::at("https://api.example.com").quota(
///     Quota::per_minute(300)
///         .remaining("x-ratelimit-remaining")
///         .reset(Reset::EpochSeconds("x-ratelimit-reset")),
/// );
/// ```
#[must_use = "a quota is kept by `Api::quota`"]
#[derive(Debug, Clone)]
pub struct Quota {
    pub(super) limit: u32,
    pub(super) per: Duration,
    pub(super) remaining: Option<&'static str>,
    pub(super) reset: Option<Reset>,
    pub(super) weight: Option<fn(&Call) -> u32>,
}

impl Quota {
    /// Allows this many calls in any period of this length.
    pub const fn new(calls: u32, per: Duration) -> Self {
        Self {
            limit: if calls == 0 { 1 } else { calls },
            per,
            remaining: None,
            reset: None,
            weight: None,
        }
    }

    /// Allows this many calls per second.
    pub const fn per_second(calls: u32) -> Self {
        Self::new(calls, Duration::from_secs(1))
    }

    /// Allows this many calls per minute.
    pub const fn per_minute(calls: u32) -> Self {
        Self::new(calls, Duration::from_mins(1))
    }

    /// Allows this many calls per hour.
    pub const fn per_hour(calls: u32) -> Self {
        Self::new(calls, Duration::from_hours(1))
    }

    /// Allows this many calls per day.
    pub const fn per_day(calls: u32) -> Self {
        Self::new(calls, Duration::from_hours(24))
    }

    /// Returns the allowed calls and the period.
    #[doc(hidden)]
    pub const fn allows(&self) -> (u32, Duration) {
        (self.limit, self.per)
    }

    /// Names the header with the number of remaining calls.
    pub const fn remaining(mut self, header: &'static str) -> Self {
        self.remaining = Some(header);
        self
    }

    /// Names the header that reports when the quota is full again, and the meaning of its number.
    pub const fn reset(mut self, reset: Reset) -> Self {
        self.reset = Some(reset);
        self
    }

    /// Sets the cost of a call, for a source that counts points instead of calls.
    pub const fn weighted(mut self, weight: fn(&Call) -> u32) -> Self {
        self.weight = Some(weight);
        self
    }

    /// Describes the quota for people who wait for it.
    pub(super) fn words(&self) -> String {
        let per = match self.per.as_secs() {
            1 => "a second".to_owned(),
            60 => "a minute".to_owned(),
            3_600 => "an hour".to_owned(),
            86_400 => "a day".to_owned(),
            _ => format!("in {:?}", self.per),
        };
        format!("the source allows {} {per}", self.limit)
    }
}

/// The header that reports when a quota is full again. The variant gives the meaning of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// Seconds from now.
    Seconds(&'static str),
    /// Seconds since 1970.
    EpochSeconds(&'static str),
    /// Milliseconds since 1970.
    EpochMillis(&'static str),
    /// A date, as in `Date: Sat, 28 Nov 2026 01:00:00 GMT`.
    HttpDate(&'static str),
}

impl Reset {
    /// Returns the time from now; none if the header is missing, invalid, or names a time in the past.
    fn read(self, headers: &HeaderMap) -> Option<Duration> {
        let text = |name| Some(headers.get(name)?.to_str().ok()?.trim());
        let epoch = match self {
            Self::Seconds(name) => return seconds(text(name)?),
            Self::EpochSeconds(name) => seconds(text(name)?)?,
            Self::EpochMillis(name) => Duration::from_millis(text(name)?.parse().ok()?),
            Self::HttpDate(name) => since_epoch(text(name)?)?,
        };
        epoch
            .checked_sub(now(headers))
            .filter(|wait| !wait.is_zero())
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn since_epoch(date: &str) -> Option<Duration> {
    let date = OffsetDateTime::parse(date, &Rfc2822).ok()?;
    SystemTime::from(date)
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
}

/// Returns the time by the source's clock, since ours may be wrong.
fn now(headers: &HeaderMap) -> Duration {
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    date.and_then(since_epoch).unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.unwrap_or_default()
    })
}

/// The report of one answer's headers on one quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) calls: u64,
    pub(super) resets_in: Option<Duration>,
}

/// Reads an answer's reports on the quotas, in their order, with the `RateLimit` fields last.
pub(super) fn read(quotas: &[Quota], headers: &HeaderMap) -> Vec<Option<Left>> {
    let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let declared = quotas.iter().map(|quota| {
        Some(Left {
            calls: number(quota.remaining?)?,
            resets_in: quota.reset.and_then(|reset| reset.read(headers)),
        })
    });
    declared.chain([rate_limit(headers)]).collect()
}

/// Returns when a busy source accepts calls again, by the headers of its quotas.
pub(super) fn asked(quotas: &[Quota], headers: &HeaderMap) -> Option<Duration> {
    let resets = quotas.iter().filter_map(|quota| {
        // A quota with remaining calls is not the one that is used up.
        let left = quota.remaining.and_then(|name| headers.get(name));
        let is_spent = left.is_none_or(|left| left.as_bytes() == b"0");
        is_spent.then(|| quota.reset?.read(headers)).flatten()
    });
    let ietf = rate_limit(headers).filter(|left| left.calls == 0);
    resets.chain(ietf.and_then(|left| left.resets_in)).max()
}

/// Reads the `RateLimit` fields in three forms: `RateLimit: "default";r=50;t=30`; `RateLimit: limit=100, remaining=50,
/// reset=30` of earlier drafts; the three headers of the first ones. Of several limits the one with the fewest
/// remaining calls is used.
fn rate_limit(headers: &HeaderMap) -> Option<Left> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    if let Some(field) = text("ratelimit") {
        let value = |member: &str, names: [&str; 2]| {
            member.split([';', ',']).find_map(|part| {
                let (name, value) = part.split_once('=')?;
                let is_meant = names.contains(&name.trim().to_ascii_lowercase().as_str());
                is_meant.then(|| value.trim().parse::<u64>().ok()).flatten()
            })
        };
        let read = |member: &str| {
            Some(Left {
                calls: value(member, ["r", "remaining"])?,
                resets_in: value(member, ["t", "reset"]).map(Duration::from_secs),
            })
        };
        // In the earlier form commas separate the parts of one limit, in the later form several limits.
        let members: Vec<&str> = if field.contains(';') {
            field.split(',').collect()
        } else {
            vec![field]
        };
        return members
            .into_iter()
            .filter_map(read)
            .min_by_key(|left| left.calls);
    }
    Some(Left {
        calls: text("ratelimit-remaining")?.trim().parse().ok()?,
        resets_in: text("ratelimit-reset").and_then(seconds),
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_reset_is_read_by_its_kind_and_by_the_clock_of_the_source() {
        const DATE: (&str, &str) = ("date", "Sat, 28 Nov 2026 01:00:00 GMT");
        let thirty = Some(Duration::from_secs(30));
        for (reset, value, expected) in [
            (Reset::Seconds("x-reset"), "30", thirty),
            (Reset::EpochSeconds("x-reset"), "1795827630", thirty),
            (Reset::EpochMillis("x-reset"), "1795827630000", thirty),
            (
                Reset::HttpDate("x-reset"),
                "Sat, 28 Nov 2026 01:00:30 GMT",
                thirty,
            ),
            (Reset::EpochSeconds("x-reset"), "1795827000", None),
            // A number of an undeclared kind must not allow calls too early.
            (Reset::EpochSeconds("x-reset"), "30", None),
            (Reset::HttpDate("x-reset"), "tomorrow", None),
            (Reset::Seconds("x-reset"), "-5", None),
            (Reset::Seconds("x-reset"), "NaN", None),
        ] {
            let headers = headers(&[DATE, ("x-reset", value)]);
            assert_eq!(reset.read(&headers), expected, "{reset:?} {value}");
        }
    }

    #[test]
    fn the_fields_of_the_draft_are_read_in_all_three_forms() {
        let left = |calls, seconds| {
            Some(Left {
                calls,
                resets_in: Some(Duration::from_secs(seconds)),
            })
        };
        for (pairs, expected) in [
            (vec![("ratelimit", "\"default\";r=50;t=30")], left(50, 30)),
            (
                vec![("ratelimit", "\"a\";r=50;t=30, \"b\";r=7;t=3600")],
                left(7, 3_600),
            ),
            (
                vec![("ratelimit", "limit=100, remaining=50, reset=30")],
                left(50, 30),
            ),
            (
                vec![("ratelimit-remaining", "0"), ("ratelimit-reset", "9")],
                left(0, 9),
            ),
            (vec![("ratelimit", "nonsense")], None),
            (vec![], None),
        ] {
            assert_eq!(rate_limit(&headers(&pairs)), expected, "{pairs:?}");
        }
    }
}
