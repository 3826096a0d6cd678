//! Days and timestamps that people and language models fill in, with a schema that states the format.

use std::{borrow::Cow, ops};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use time::{
    Date, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description,
};

use super::timestamp;

/// A day without a time, written `2026-08-22`: [`time::Date`] for arguments, configs and checkpoints.
///
/// ```
/// use omni_connector::wire::Day;
///
/// let day: Day = serde_json::from_str("\"2026-08-22\"")?;
/// assert_eq!(day.month(), time::Month::August);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub Date);

/// A point in time, read with any offset and written in UTC: [`OffsetDateTime`] for arguments, configs and checkpoints.
///
/// ```
/// use omni_connector::wire::Timestamp;
///
/// let at: Timestamp = serde_json::from_str("\"2026-08-22T06:08:28+02:00\"")?;
/// assert_eq!(serde_json::to_string(&at)?, "\"2026-08-22T04:08:28Z\"");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub OffsetDateTime);

/// Parses a day in JSON Schema's `date` format.
///
/// # Errors
/// The string has another format, including the compact forms of ISO 8601.
pub(crate) fn parse_day(text: &str) -> Result<Date, time::error::Parse> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
}

impl ops::Deref for Day {
    type Target = Date;

    fn deref(&self) -> &Date {
        &self.0
    }
}

impl ops::Deref for Timestamp {
    type Target = OffsetDateTime;

    fn deref(&self) -> &OffsetDateTime {
        &self.0
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = timestamp::in_utc(self.0).format(&Rfc3339);
        text.map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let day = parse_day(&text);
        day.map(Self)
            .map_err(|_| expected(&"a date such as 2026-08-22"))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let time = timestamp::parse(&text);
        time.map(Self)
            .map_err(|_| expected(&"a time with an offset such as 2026-08-22T04:08:28Z"))
    }
}

/// Builds serde's "expected …" error without the value.
fn expected<E: de::Error>(what: &dyn de::Expected) -> E {
    E::invalid_value(de::Unexpected::Other("text"), what)
}

macro_rules! described {
    ($($type:ident: $format:literal)+) => {
        $(impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $format })
            }
        })+
    };
}

described! {
    Day: "date"
    Timestamp: "date-time"
}
