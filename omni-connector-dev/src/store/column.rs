//! Conversions between Rust values and columns: free JSON as text, closed lists by name, times as
//! microseconds.

use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use serde::{
    Deserialize, Serialize,
    de::{
        DeserializeOwned, IntoDeserializer,
        value::{Error as NameError, StrDeserializer},
    },
};
use time::OffsetDateTime;
use ulid::Ulid;

/// A value stored as JSON text. `Option<Json<_>>` tells "none" (NULL) from a stored JSON null (the text `null`).
#[derive(Debug, Clone, PartialEq)]
pub struct Json<T>(pub T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0)
            .map(ToSqlOutput::from)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?)
            .map(Self)
            .map_err(|error| FromSqlError::Other(error.into()))
    }
}

/// A value of a closed list, stored under its wire name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Name<T>(pub T);

impl<T: Serialize> ToSql for Name<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match serde_json::to_value(&self.0) {
            Ok(serde_json::Value::String(name)) => Ok(name.into()),
            Ok(_) => Err(rusqlite::Error::ToSqlConversionFailure(
                "not a value of a closed list".into(),
            )),
            Err(error) => Err(rusqlite::Error::ToSqlConversionFailure(error.into())),
        }
    }
}

impl<T: DeserializeOwned> FromSql for Name<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name: StrDeserializer<'_, NameError> = value.as_str()?.into_deserializer();
        T::deserialize(name)
            .map(Self)
            .map_err(|error| FromSqlError::Other(error.into()))
    }
}

/// A point in time, stored as microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Micros(pub OffsetDateTime);

impl Micros {
    /// Returns the current time, rounded as it is stored.
    pub fn now() -> Self {
        Self(whole_micros(OffsetDateTime::now_utc()))
    }
}

fn whole_micros(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_nanosecond(time.microsecond() * 1000)
        .unwrap_or(time)
}

impl ToSql for Micros {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        i64::try_from(self.0.unix_timestamp_nanos() / 1000)
            .map(ToSqlOutput::from)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl FromSql for Micros {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(value.as_i64()?) * 1000)
            .map(Self)
            .map_err(|error| FromSqlError::Other(error.into()))
    }
}

/// Creates an id: a ULID in upper case.
pub fn new_id() -> String {
    Ulid::generate().to_string()
}
