//! Dates and times: Darwinbox writes them in many formats, and reads one format for each endpoint.

use std::borrow::Cow;

use omni_connector::prelude::*;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserializer,
    de::{Error, Unexpected},
};
use time::{
    PrimitiveDateTime,
    format_description::{StaticFormatDescription, well_known::Rfc3339},
    macros::format_description,
};

/// The format of leave dates.
const LEAVE: StaticFormatDescription = format_description!("[day]-[month]-[year]");

const DAYS: [StaticFormatDescription; 5] = [
    LEAVE,
    format_description!("[year]-[month]-[day]"),
    format_description!("[day]/[month]/[year]"),
    format_description!("[day]-[month repr:short]-[year]"),
    format_description!("[day] [month repr:short] [year]"),
];
const TIMES: [StaticFormatDescription; 4] = [
    format_description!("[hour]:[minute]:[second]"),
    format_description!("[hour]:[minute]"),
    format_description!("[hour repr:12]:[minute]:[second] [period]"),
    format_description!("[hour repr:12]:[minute] [period]"),
];

/// Parses a time. It is UTC without an offset, and midnight without a time.
pub(crate) fn time(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(time);
    }
    // A day may contain spaces, so the time begins after the year.
    let split = text
        .char_indices()
        .filter(|(_, c)| c.is_whitespace() || *c == 'T');
    let cuts = split.map(|(at, _)| at).chain([text.len()]);
    cuts.into_iter().find_map(|at| {
        let (day, rest) = text.split_at(at);
        let day = DAYS.iter().find_map(|form| Date::parse(day, form).ok())?;
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == 'T');
        if rest.is_empty() {
            return Some(day.midnight().assume_utc());
        }
        let clock = TIMES
            .iter()
            .find_map(|form| time::Time::parse(rest, form).ok())?;
        Some(PrimitiveDateTime::new(day, clock).assume_utc())
    })
}

/// A day in the caller's input, in any of the formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AnyDay(Date);

impl AnyDay {
    /// Formats the day for leave endpoints.
    pub(crate) fn for_leave(self) -> Result<String, ActionError> {
        self.0.format(LEAVE).map_err(ActionError::bad_request)
    }

    /// Formats the day for attendance endpoints.
    pub(crate) fn for_attendance(self) -> String {
        self.0.to_string()
    }
}

impl<'de> Deserialize<'de> for AnyDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = time(&text).ok_or_else(|| {
            D::Error::invalid_value(Unexpected::Other("text"), &"a day such as 2026-08-22")
        })?;
        Ok(Self(time.date()))
    }
}

impl JsonSchema for AnyDay {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AnyDay".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_parsed_in_every_format_and_nothing_else() {
        for text in [
            "05-01-2026",
            "2026-01-05",
            "05/01/2026",
            "05-Jan-2026",
            "05 Jan 2026",
            "2026-01-05T10:00:00Z",
            "05-01-2026 10:00:00",
            "05-Jan-2026 10:00:00",
            "2026-01-05 10:00",
            "05 Jan 2026 10:00:00 AM",
        ] {
            let read = time(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.date().to_string(), "2026-01-05", "{text}");
            assert!([0, 10].contains(&read.hour()), "{text}");
        }
        for text in [
            "",
            "soon",
            "0000-00-00",
            "31-02-2026",
            "05-01-2026 soon",
            "5",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
