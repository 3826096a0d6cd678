//! The two timestamp formats on the wire (`protocol.md` §4.1), as serde modules for [`time::OffsetDateTime`].
//!
//! Omni writes its own records with six-digit signed years and nine fraction digits, which RFC 3339 parsers refuse.
//! Document metadata is plain RFC 3339. Both modules read both formats and write only their own.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::{
    OffsetDateTime, UtcOffset,
    format_description::well_known::Rfc3339,
    macros::{datetime, format_description},
};

/// Parses either format.
///
/// # Errors
/// The string has neither format, or no offset.
pub fn parse(text: &str) -> Result<OffsetDateTime, time::error::Parse> {
    match text.strip_prefix("+00") {
        Some(plain) => OffsetDateTime::parse(plain, &Rfc3339),
        None => OffsetDateTime::parse(text, &Rfc3339),
    }
}

/// Converts to UTC and clamps to the years 0 to 9999, which both formats can write.
///
/// Many systems write `9999-12-31T23:59:59-05:00` for "never", which falls in the year 10000 in UTC. Clamping keeps such events.
pub(crate) fn in_utc(time: OffsetDateTime) -> OffsetDateTime {
    const FIRST: OffsetDateTime = datetime!(0000-01-01 00:00 UTC);
    const LAST: OffsetDateTime = datetime!(9999-12-31 23:59:59.999_999_999 UTC);
    time.clamp(FIRST, LAST).to_offset(UtcOffset::UTC)
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    parse(&text).map_err(|error| D::Error::custom(format_args!("invalid timestamp: {error}")))
}

fn read_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<OffsetDateTime>, D::Error> {
    let text = Option::<std::borrow::Cow<str>>::deserialize(deserializer)?;
    text.map(|text| {
        parse(&text).map_err(|error| D::Error::custom(format_args!("invalid timestamp: {error}")))
    })
    .transpose()
}

/// Omni's own records: `+002026-08-22T04:08:28.123456000Z`.
pub mod extended {
    use super::{Deserializer, OffsetDateTime, Serialize, Serializer, format_description, in_utc};

    /// The extended form, in UTC; a year outside 0 to 9999 becomes the nearest one.
    ///
    /// # Errors
    /// None in practice.
    pub fn format(time: OffsetDateTime) -> Result<String, time::error::Format> {
        in_utc(time).format(format_description!(
            "+00[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:9]Z"
        ))
    }

    /// Writes the extended form.
    ///
    /// # Errors
    /// Only errors of the serializer.
    pub fn serialize<S: Serializer>(
        time: &OffsetDateTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        format(*time)
            .map_err(<S::Error as serde::ser::Error>::custom)?
            .serialize(serializer)
    }

    /// Reads either format.
    ///
    /// # Errors
    /// The value is not a timestamp with an offset.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<OffsetDateTime, D::Error> {
        super::read(deserializer)
    }

    /// The same format for a nullable value.
    pub mod option {
        use super::super::{Deserializer, OffsetDateTime, Serialize, Serializer};

        /// Writes the extended form, or null.
        ///
        /// # Errors
        /// Only errors of the serializer.
        #[allow(clippy::ref_option, reason = "the signature that serde calls")]
        pub fn serialize<S: Serializer>(
            time: &Option<OffsetDateTime>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            time.map(super::format)
                .transpose()
                .map_err(<S::Error as serde::ser::Error>::custom)?
                .serialize(serializer)
        }

        /// Reads either format, or null. The key itself must be present.
        ///
        /// # Errors
        /// The value is neither null nor a timestamp with an offset.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<OffsetDateTime>, D::Error> {
            super::super::read_option(deserializer)
        }
    }
}

/// Document metadata and `last_sync_at`: RFC 3339 in UTC, or null.
///
/// Always written in UTC with `Z`, because search compares the stored strings character by character.
pub mod rfc3339_option {
    use super::{Deserializer, OffsetDateTime, Rfc3339, Serialize, Serializer, in_utc};

    /// Writes RFC 3339 in UTC; a year outside 0 to 9999 becomes the nearest one.
    pub(crate) fn format(time: OffsetDateTime) -> Result<String, time::error::Format> {
        in_utc(time).format(&Rfc3339)
    }

    /// Writes RFC 3339 in UTC, or null.
    ///
    /// # Errors
    /// Only errors of the serializer.
    #[allow(clippy::ref_option, reason = "the signature that serde calls")]
    pub fn serialize<S: Serializer>(
        time: &Option<OffsetDateTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(format)
            .transpose()
            .map_err(<S::Error as serde::ser::Error>::custom)?
            .serialize(serializer)
    }

    /// Reads either format, or null.
    ///
    /// # Errors
    /// The value is neither null nor a timestamp with an offset.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<OffsetDateTime>, D::Error> {
        super::read_option(deserializer)
    }

    /// Reads RFC 3339 only, or null, as the manager reads document metadata.
    ///
    /// # Errors
    /// The value is neither null nor RFC 3339.
    pub fn deserialize_plain<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<OffsetDateTime>, D::Error> {
        time::serde::rfc3339::option::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn both_forms_are_read() {
        let expected = datetime!(2026-08-22 04:08:28.123456 UTC);
        assert_eq!(
            parse("+002026-08-22T04:08:28.123456000Z").unwrap(),
            expected
        );
        assert_eq!(parse("2026-08-22T04:08:28.123456Z").unwrap(), expected);
        assert_eq!(parse("2026-08-22T06:08:28.123456+02:00").unwrap(), expected);
    }

    #[test]
    fn a_timestamp_without_an_offset_is_refused() {
        assert!(parse("2026-08-22T04:08:28").is_err());
        assert!(parse("+002026-08-22T04:08:28").is_err());
        assert!(parse("+012026-08-22T04:08:28Z").is_err());
    }

    #[test]
    fn a_time_beyond_the_years_of_the_wire_becomes_the_nearest() {
        for (text, nearest) in [
            (
                "9999-12-31T23:59:59-05:00",
                "+009999-12-31T23:59:59.999999999Z",
            ),
            (
                "0000-01-01T00:00:00+14:00",
                "+000000-01-01T00:00:00.000000000Z",
            ),
        ] {
            assert_eq!(extended::format(parse(text).unwrap()).unwrap(), nearest);
        }
    }

    #[test]
    fn records_are_written_in_the_long_form() {
        let time = datetime!(2026-08-22 06:08:28.5 +2);
        assert_eq!(
            extended::format(time).unwrap(),
            "+002026-08-22T04:08:28.500000000Z"
        );
    }
}
