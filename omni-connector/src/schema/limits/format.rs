//! Checks the string formats that are enforced; all other formats are only displayed.

use crate::wire::{Email, parse_day, timestamp};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Date,
    DateTime,
    Email,
    Uri,
}

impl Format {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "date" => Some(Self::Date),
            "date-time" => Some(Self::DateTime),
            "email" => Some(Self::Email),
            "uri" => Some(Self::Uri),
            _ => None,
        }
    }

    pub(super) fn admits(self, text: &str) -> bool {
        match self {
            Self::Date => parse_day(text).is_ok(),
            Self::DateTime => timestamp::parse(text).is_ok(),
            Self::Email => Email::parse(text).is_ok(),
            Self::Uri => url::Url::parse(text).is_ok(),
        }
    }

    pub(super) const fn problem(self) -> &'static str {
        match self {
            Self::Date => "is no date, such as `2026-08-22`",
            Self::DateTime => "is no time with an offset, such as `2026-08-22T04:08:28Z`",
            Self::Email => "is no e-mail address",
            Self::Uri => "is no URL, such as `https://example.com/page`",
        }
    }
}
