//! Days and times as the HR system writes them (`22-08-2026`), and as everybody else does.

use omni_connector::{prelude::*, wire::Day};
use serde::{Deserializer, de::Error};
use time::{
    PrimitiveDateTime, format_description::StaticFormatDescription, macros::format_description,
};

const DAY: StaticFormatDescription = format_description!("[day]-[month]-[year]");
const TIME: StaticFormatDescription =
    format_description!("[day]-[month]-[year] [hour]:[minute]:[second]");

/// A day as the HR system reads it.
pub(crate) fn to_hr(day: Day) -> Result<String, ActionError> {
    day.format(DAY).map_err(ActionError::bad_request)
}

/// Reads a day.
pub(crate) fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
    let text = String::deserialize(deserializer)?;
    Date::parse(&text, DAY).map(Day).map_err(Error::custom)
}

/// Reads a day; a blank is none.
pub(crate) fn day_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Day>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    let day = Date::parse(&text, DAY).map(Day).map_err(Error::custom)?;
    Ok(Some(day))
}

/// Reads a point in time, which the HR system writes in UTC.
pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time = PrimitiveDateTime::parse(&text, TIME).map_err(Error::custom)?;
    Ok(time.assume_utc())
}
