//! Decodes user input. Errors give the path of the wrong field and never its value.

#[cfg(test)]
mod equivalence;
mod key;
mod misfit;
mod nested;
mod trace;
mod value;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use trace::Keys;
pub(crate) use value::whole;
use {misfit::Misfit, trace::Recording, value::Decoder};

/// A value with an unexpected shape.
///
/// The message names the field and what was expected there. It never quotes the value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {what}: {problem}")]
pub struct DecodeError {
    what: &'static str,
    problem: String,
}

/// Decodes `value`; `what` names it in messages (`config`, `credentials`, `checkpoint`, `params`).
///
/// ```
/// #[derive(Debug, serde::Deserialize)]
/// struct Settings { port: u16 }
///
/// let error = omni_connector::decode::<Settings>("config", serde_json::json!({ "port": "hunter2" })).unwrap_err();
/// assert_eq!(error.to_string(), "invalid config: `port` is of the wrong type, expected u16");
/// ```
///
/// A struct is decoded from an object, never from a list of its fields.
///
/// # Errors
/// Returns the first wrong field.
pub fn decode<T: DeserializeOwned>(what: &'static str, value: Value) -> Result<T, DecodeError> {
    // Without a closure, since this is compiled for every type that a connector decodes.
    match T::deserialize(Decoder(value)) {
        Ok(decoded) => Ok(decoded),
        Err(misfit) => Err(DecodeError::in_value(what, None, &misfit)),
    }
}

/// Decodes like [`decode`], and returns the keys that the type reads and those that it ignores.
pub(crate) fn decode_with_keys<T: DeserializeOwned>(
    what: &'static str,
    value: Value,
) -> Result<(T, Keys), DecodeError> {
    let (decoded, keys) = trace::keys(|| decode(what, value));
    decoded.map(|decoded| (decoded, keys))
}

/// Decodes `value`, of which people know only the part `what`. Paths in errors start at that part.
pub(crate) fn decode_inner<T: DeserializeOwned>(
    what: &'static str,
    value: Value,
) -> Result<T, DecodeError> {
    T::deserialize(Decoder(value)).map_err(|misfit| {
        let path = misfit.path();
        let inner = path.strip_prefix(what).unwrap_or(&path);
        DecodeError::of(what, inner.trim_start_matches('.'), misfit.message())
    })
}

/// Decodes the field `name` of `what`.
pub(crate) fn decode_field<T: DeserializeOwned>(
    what: &'static str,
    name: &str,
    value: Value,
) -> Result<T, DecodeError> {
    match T::deserialize(Decoder(value)) {
        Ok(decoded) => Ok(decoded),
        Err(misfit) => Err(DecodeError::in_value(what, Some(name), &misfit)),
    }
}

/// The result of a trial: the trace of fields and variants, or the error.
pub(crate) type Tried = Result<Vec<u64>, Unfit>;

/// Checks whether a value decodes into a type.
pub(crate) type Trial = fn(Value) -> Tried;

/// The reason why a value did not decode, in serde's wording.
#[derive(Debug)]
pub(crate) struct Unfit {
    path: String,
    message: String,
    trace: Vec<u64>,
}

/// Returns whether a function of the author decoded one of the fields.
pub(crate) fn is_custom(tried: &Tried) -> bool {
    trace::is_custom(match tried {
        Ok(trace) => trace,
        Err(unfit) => &unfit.trace,
    })
}

/// Returns whether serde kept one of the values before it decoded it.
pub(crate) fn is_buffered(tried: &Tried) -> bool {
    trace::is_buffered(match tried {
        Ok(trace) => trace,
        Err(unfit) => &unfit.trace,
    })
}

impl Unfit {
    /// Returns the unknown field at the top level and the fields that serde expects there, including aliases.
    pub(crate) fn unknown_field(&self) -> Option<(&str, Vec<&str>)> {
        let mut quoted = self.message.strip_prefix("unknown field ")?.split('`');
        let name = quoted.nth(1)?;
        let is_at_top = self.path.is_empty() || self.path == name;
        let expected = quoted.skip(1).step_by(2).collect();
        is_at_top.then_some((name, expected))
    }
}

/// Checks whether `value` decodes into `T`.
pub(crate) fn trial<T: DeserializeOwned>(value: Value) -> Tried {
    recorded(value, |value| T::deserialize(Decoder(value)).err())
}

fn recorded(value: Value, decode: fn(Value) -> Option<Misfit>) -> Tried {
    let recording = Recording::start();
    match decode(value) {
        None => Ok(recording.stop()),
        Some(misfit) => Err(Unfit {
            path: misfit.path(),
            message: misfit.to_string(),
            trace: recording.stop(),
        }),
    }
}

impl DecodeError {
    /// Reports that the field `name` of `what` is missing.
    pub(crate) fn missing(what: &'static str, name: &str) -> Self {
        Self {
            what,
            problem: format!("the field `{name}` is missing"),
        }
    }

    /// Reports an error of a request that is decoded from JSON source.
    pub(crate) fn in_text(
        what: &'static str,
        error: &serde_path_to_error::Error<serde_json::Error>,
    ) -> Self {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        // Such errors end with line and column.
        let end = message.rfind(" at line ").unwrap_or(message.len());
        Self::of(what, path.trim_start_matches('.'), &message[..end])
    }

    /// Returns the same error, with help if the field `name` holds an `auth_type` that is not accepted.
    pub(crate) fn of_auth_type(mut self, name: &str, auth_type: &str) -> Self {
        let prefix = format!("`{name}` is not valid, expected ");
        if let Some(expected) = self.problem.strip_prefix(&prefix) {
            let expected = expected.trim_start_matches("one of ");
            self.problem = format!(
                "the `{name}` is `{auth_type}`, which this connector does not accept\nhelp: connect the source with one of \
                 {expected}"
            );
        }
        self
    }

    /// Reports a problem with `what` or with its field.
    fn in_value(what: &'static str, field: Option<&str>, misfit: &Misfit) -> Self {
        let path = match (field, misfit.path()) {
            (None, path) => path,
            (Some(field), path) if path.is_empty() => field.to_owned(),
            (Some(field), path) if path.starts_with('[') => format!("{field}{path}"),
            (Some(field), path) => format!("{field}.{path}"),
        };
        Self::of(what, &path, misfit.message())
    }

    /// Reports an error at `path`, from serde's message without its values.
    fn of(what: &'static str, path: &str, message: &str) -> Self {
        let field = match path {
            "" => "it".to_owned(),
            path => format!("`{path}`"),
        };
        // The last occurrence: an earlier one may be part of a quoted value.
        let expected = message
            .rfind(", expected ")
            .map_or("", |start| &message[start..]);
        let problem = if let Some(name) = message.strip_prefix("missing field ") {
            match path {
                "" => format!("the field {name} is missing"),
                _ => format!("{field} lacks the field {name}"),
            }
        } else if message.starts_with("invalid type") {
            format!("{field} is of the wrong type{expected}")
        } else if let Some(field) = named_by(message, "unknown field `", path) {
            format!("`{field}` is not a known field{expected}")
        } else if let Some(field) = named_by(message, "duplicate field `", path) {
            format!("`{field}` is given twice")
        } else if let Some(why) = wrong_address(message) {
            format!("{field} is not an address: {why}")
        } else {
            format!("{field} is not valid{expected}")
        };
        Self { what, problem }
    }
}

/// Returns the path of the field that serde's message names after `prefix`. Serde reports some of them for their object.
fn named_by(message: &str, prefix: &str, path: &str) -> Option<String> {
    let (name, _) = message.strip_prefix(prefix)?.split_once('`')?;
    Some(match path.strip_suffix(name) {
        _ if path.is_empty() => name.to_owned(),
        Some(object) if object.is_empty() || object.ends_with('.') => path.to_owned(),
        _ => format!("{path}.{name}"),
    })
}

/// Returns why a URL is invalid, from the message of the crate `url`, which quotes the URL after the reason.
fn wrong_address(message: &str) -> Option<&str> {
    const REASONS: [&str; 6] = [
        "empty host",
        "invalid international domain name",
        "invalid port number",
        "invalid IPv4 address",
        "invalid IPv6 address",
        "invalid domain character",
    ];
    let (reason, _) = message.split_once(": \"")?;
    if reason == "relative URL without a base" {
        return Some("it has to begin with `https://` or `http://`");
    }
    REASONS.contains(&reason).then_some(reason)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only decoded")]
    struct Outer {
        inner: Vec<Inner>,
        level: Option<Level>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only decoded")]
    struct Inner {
        port: u16,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Level {
        Low,
    }

    fn message(value: Value) -> String {
        decode::<Outer>("credentials", value)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn keys_that_no_struct_reads_are_known() {
        let value = json!({ "inner": [{ "port": 1, "prot": 2 }], "levl": "low" });
        let (_, keys) = decode_with_keys::<Outer>("config", value).unwrap();
        assert_eq!(keys.known, ["inner", "level"]);
        assert_eq!(keys.unknown, ["prot", "levl"]);
        let open = json!({ "anything": 1 });
        let (_, keys) = decode_with_keys::<Value>("config", open).unwrap();
        assert!(keys.unknown.is_empty());
    }

    #[test]
    fn an_address_that_is_none_is_told_why() {
        #[derive(Debug, Deserialize)]
        struct Settings {
            #[allow(dead_code, reason = "only decoded")]
            api_url: url::Url,
        }
        let message = |address: &str| {
            let config = json!({ "api_url": address });
            decode::<Settings>("config", config)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            message("tracker.example"),
            "invalid config: `api_url` is not an address: it has to begin with `https://` or `http://`"
        );
        assert_eq!(
            message("http://tracker.example:x"),
            "invalid config: `api_url` is not an address: invalid port number"
        );
    }

    #[test]
    fn an_error_names_the_path_of_the_field() {
        assert_eq!(
            message(json!({})),
            "invalid credentials: the field `inner` is missing"
        );
        assert_eq!(
            message(json!({ "inner": [{}] })),
            "invalid credentials: `inner[0]` lacks the field `port`"
        );
        assert_eq!(
            message(json!(7)),
            "invalid credentials: it is of the wrong type, expected struct Outer"
        );
    }

    #[test]
    fn a_field_that_is_given_twice_or_not_known_is_named() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "only decoded")]
        struct Closed {
            #[serde(alias = "q")]
            query: String,
            #[serde(flatten)]
            page: Page,
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only decoded")]
        struct Page {
            page: u8,
        }
        for (value, expected) in [
            (
                json!([{ "query": "a", "q": "b", "page": 1 }]),
                "`[0].query` is given twice",
            ),
            (
                json!([{ "query": "a", "page": 1, "size": 2 }]),
                "`[0].size` is not a known field",
            ),
        ] {
            let error = decode::<Vec<Closed>>("params", value).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid params: {expected}"));
        }
        let error = decode::<Closed>("params", json!({ "query": "a", "q": "b" })).unwrap_err();
        assert_eq!(error.to_string(), "invalid params: `query` is given twice");
    }

    #[test]
    fn no_value_appears_in_the_message() {
        for value in [
            json!({ "inner": [{ "port": "hunter2" }] }),
            json!({ "inner": [{ "port": "hunter2, expected hunter2" }] }),
            json!({ "inner": [], "level": "hunter2" }),
            json!("hunter2"),
        ] {
            assert!(
                !message(value.clone()).contains("hunter2"),
                "{}",
                message(value)
            );
        }
    }
}
