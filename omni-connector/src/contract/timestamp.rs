//! The two families of timestamps on the wire (`protocol.md` §4.1), as serde modules for [`time::OffsetDateTime`].
//!
//! Omni writes its own records with six-digit signed years and nine fraction digits, which RFC 3339 parsers refuse, and
//! document metadata as plain RFC 3339. Both modules read both forms; what they write differs.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::{
    OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description,
};

/// Reads either form.
///
/// # Errors
/// A text that is neither, or that has no offset.
pub fn parse(text: &str) -> Result<OffsetDateTime, time::error::Parse> {
    match text.strip_prefix("+00") {
        Some(plain) => OffsetDateTime::parse(plain, &Rfc3339),
        None => OffsetDateTime::parse(text, &Rfc3339),
    }
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
    use super::{
        Deserializer, OffsetDateTime, Serialize, Serializer, UtcOffset, format_description,
    };

    /// The extended form, in UTC.
    ///
    /// # Errors
    /// A year outside 0 to 9999.
    pub fn format(time: OffsetDateTime) -> Result<String, time::error::Format> {
        time.to_offset(UtcOffset::UTC).format(format_description!(
            "+00[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:9]Z"
        ))
    }

    /// Writes the extended form.
    ///
    /// # Errors
    /// A year outside 0 to 9999.
    pub fn serialize<S: Serializer>(
        time: &OffsetDateTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        format(*time)
            .map_err(<S::Error as serde::ser::Error>::custom)?
            .serialize(serializer)
    }

    /// Reads either form.
    ///
    /// # Errors
    /// A value that is no timestamp with an offset.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<OffsetDateTime, D::Error> {
        super::read(deserializer)
    }

    /// The same for a value that may be null.
    pub mod option {
        use super::super::{Deserializer, OffsetDateTime, Serialize, Serializer};

        /// Writes the extended form, or null.
        ///
        /// # Errors
        /// A year outside 0 to 9999.
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

        /// Reads either form, or null. The key itself must be present.
        ///
        /// # Errors
        /// A value that is neither null nor a timestamp with an offset.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<OffsetDateTime>, D::Error> {
            super::super::read_option(deserializer)
        }
    }
}

/// Document metadata and `last_sync_at`: RFC 3339 in UTC, or null.
///
/// Always in UTC with `Z`, since search compares the stored strings letter by letter.
pub mod rfc3339_option {
    use super::{Deserializer, OffsetDateTime, Rfc3339, Serialize, Serializer, UtcOffset};

    /// Writes RFC 3339 in UTC, or null.
    ///
    /// # Errors
    /// A year outside 0 to 9999.
    #[allow(clippy::ref_option, reason = "the signature that serde calls")]
    pub fn serialize<S: Serializer>(
        time: &Option<OffsetDateTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| time.to_offset(UtcOffset::UTC).format(&Rfc3339))
            .transpose()
            .map_err(<S::Error as serde::ser::Error>::custom)?
            .serialize(serializer)
    }

    /// Reads either form, or null.
    ///
    /// # Errors
    /// A value that is neither null nor a timestamp with an offset.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<OffsetDateTime>, D::Error> {
        super::read_option(deserializer)
    }

    /// Reads RFC 3339 alone, or null, as the manager reads document metadata.
    ///
    /// # Errors
    /// A value that is neither null nor a timestamp of that form.
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
    fn records_are_written_in_the_long_form() {
        let time = datetime!(2026-08-22 06:08:28.5 +2);
        assert_eq!(
            extended::format(time).unwrap(),
            "+002026-08-22T04:08:28.500000000Z"
        );
    }
}
