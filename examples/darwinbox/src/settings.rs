//! The config of a source, as Omni's form writes it.

use std::net::IpAddr;

use jiff::tz::TimeZone;
use omni_connector::prelude::*;
use serde::{
    Deserializer,
    de::{Error, Unexpected},
};
use time::Month;

/// What an admin fills in. Keys that the connector has no use for, such as `max_batch_size`, are ignored.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Settings {
    /// Where Darwinbox is, such as `https://acme.darwinbox.in`
    #[serde(deserialize_with = "address")]
    pub(crate) base_url: Url,
    /// Whether actions that change something are refused; they are, unless this is false
    #[serde(default)]
    read_only: Option<bool>,
    /// Who may use actions
    #[serde(default)]
    authorization: Option<Authorization>,
    /// The time zone by which a day begins, such as `Asia/Kolkata`
    #[serde(default, deserialize_with = "zone")]
    #[schemars(with = "Option<String>")]
    default_timezone: Option<TimeZone>,
}

/// Who may use actions.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub(crate) struct Authorization {
    /// Everybody, or only those who are listed
    #[serde(default)]
    participant_mode: Option<ParticipantMode>,
    /// Addresses of those who may
    #[serde(default)]
    participant_emails: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ParticipantMode {
    All,
    Allowlist,
}

impl Settings {
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only.unwrap_or(true)
    }

    /// Returns whether a person may use actions. Without a list and without a mode nobody may.
    pub(crate) fn admits(&self, email: &str) -> bool {
        let Some(Authorization {
            participant_mode,
            participant_emails,
        }) = &self.authorization
        else {
            return false;
        };
        let email = email.trim().to_lowercase();
        let is_listed = |listed: &String| listed.trim().to_lowercase() == email;
        *participant_mode == Some(ParticipantMode::All)
            || participant_emails.iter().flatten().any(is_listed)
    }

    /// Returns today's date in the company's time zone.
    pub(crate) fn today(&self) -> Date {
        let zone = self.default_timezone.clone().unwrap_or(TimeZone::UTC);
        let day = zone.to_datetime(jiff::Timestamp::now()).date();
        let month = u8::try_from(day.month())
            .ok()
            .and_then(|month| Month::try_from(month).ok());
        let date = month
            .zip(u8::try_from(day.day()).ok())
            .and_then(|(month, of_month)| {
                Date::from_calendar_date(day.year().into(), month, of_month).ok()
            });
        date.unwrap_or_else(|| OffsetDateTime::now_utc().date())
    }
}

/// Decodes an address to which the key may be sent: over https, or on this machine.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_safe = |url: &Url| {
        let host = url.host_str().unwrap_or_default();
        let number: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let is_here = host == "localhost" || number.is_some_and(|number| number.is_loopback());
        let is_bare = url.username().is_empty() && url.password().is_none();
        is_bare && (url.scheme() == "https" || (url.scheme() == "http" && is_here))
    };
    Url::parse(text.trim()).ok().filter(is_safe).ok_or_else(|| {
        let expected = "a URL that begins with https:// and has no user or password in it, such as https://acme.darwinbox.in";
        D::Error::invalid_value(Unexpected::Other("text"), &expected)
    })
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TimeZone>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    let name = name
        .as_deref()
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let expected = "the name of a time zone such as Asia/Kolkata";
    let zone = name.map(TimeZone::get).transpose();
    zone.map_err(|_| D::Error::invalid_value(Unexpected::Other("text"), &expected))
}
