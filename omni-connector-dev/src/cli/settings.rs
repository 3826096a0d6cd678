//! Reads settings from the command line: `key=value` with dotted keys, and JSON files.

use std::{env, fs, path::Path};

use clap::Args;
use omni_connector::AuthType;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::failure::Failure;
use crate::rules::Secret;

/// The variable with a secret as JSON.
const CREDENTIALS_VARIABLE: &str = "OMNI_CREDENTIALS";

/// The description of a source on the command line.
#[derive(Debug, Args)]
pub(super) struct SourceArguments {
    /// A setting of the source. A value that is JSON is taken as that, anything else as text; `a.b=1` nests; repeating a
    /// key makes a list
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The settings of the source as a file of JSON; `--set` overrides them
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
    /// The secret of the source as a file of JSON: an object with `auth_type` and `credentials` (and `provider` if needed), such
    /// as `{ "auth_type": "basic_auth", "credentials": { "username": "ada", "password": "…" } }`. A file with the secret alone has
    /// the `auth_type` `api_key`. The variable `OMNI_CREDENTIALS` may hold the same JSON
    #[arg(long, value_name = "FILE")]
    credentials: Option<String>,
    /// Type of the source [default: the first in the manifest]
    #[arg(long, value_name = "TYPE")]
    pub source_type: Option<String>,
    /// Name of the source [default: the connector's]
    #[arg(long, value_name = "NAME", value_parser = read_name)]
    pub name: Option<String>,
}

impl SourceArguments {
    /// Returns the settings of the source. None were given if it is none; the previous ones then stay.
    pub(super) fn config(&self) -> Result<Option<Value>, Failure> {
        let base = match &self.config {
            Some(path) => read_settings(path)?,
            None if self.set.is_empty() => return Ok(None),
            None => Value::Object(Map::new()),
        };
        merged(base, &self.set).map(Some)
    }

    /// Takes settings and a file with the secret as if they had been given.
    pub(super) fn take(&mut self, set: Vec<String>, credentials: Option<String>) {
        self.set = set;
        self.credentials = credentials;
    }

    /// Returns whether any setting was given.
    pub(super) fn has_settings(&self) -> bool {
        self.config.is_some() || !self.set.is_empty()
    }

    /// Whether a secret is given on the command line.
    pub(super) fn has_secret(&self) -> bool {
        self.credentials.is_some()
    }

    /// The given settings over those from before, or over a whole file of them.
    pub(super) fn config_over(&self, before: &Value) -> Result<Value, Failure> {
        let base = match &self.config {
            Some(path) => read_settings(path)?,
            None => before.clone(),
        };
        merged(base, &self.set)
    }

    /// Returns the secret of the source, if one was given.
    pub(super) fn secret(&self) -> Result<Option<Secret>, Failure> {
        let secret = match (&self.credentials, env::var(CREDENTIALS_VARIABLE)) {
            (Some(path), _) => read_json(path)?,
            (None, Ok(text)) if !text.trim().is_empty() => {
                serde_json::from_str(&text).map_err(|error| {
                    // Show only the position, since the content is secret.
                    Failure::usage(format!(
                        "`{CREDENTIALS_VARIABLE}` is not JSON: line {}, column {}",
                        error.line(),
                        error.column()
                    ))
                })?
            }
            (None, _) => return Ok(None),
        };
        if !secret.is_object() {
            return Err(Failure::usage("the credentials are not a JSON object").help(
                "write the secret as `{ \"api_key\": \"…\" }`, or beside its `auth_type` as `{ \"auth_type\": …, \"credentials\": { … } }`",
            ));
        }
        if secret.get("auth_type").is_none() || secret.get("credentials").is_none() {
            return Ok(Some(Secret {
                provider: None,
                auth_type: AuthType::ApiKey,
                credentials: secret,
            }));
        }
        let secret = Secret::deserialize(&secret).map_err(|_| {
            Failure::usage("the credentials have an `auth_type` that does not exist").help(format!(
                "one of {}",
                AuthType::ALL
                    .iter()
                    .map(|known| known.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ))
        })?;
        Ok(Some(secret))
    }
}

/// Applies `key=value` settings to an object.
pub(super) fn merged(base: Value, settings: &[String]) -> Result<Value, Failure> {
    merged_with(base, settings, |_, value| read_value(value))
}

/// Applies settings like [`merged`], but `read` reads the value of a key.
pub(super) fn merged_with(
    base: Value,
    settings: &[String],
    read: impl Fn(&str, &str) -> Value,
) -> Result<Value, Failure> {
    let mut tree = Value::Object(Map::new());
    for setting in settings {
        let parts = setting.split_once('=');
        let parts = parts.map(|(key, value)| (key.trim(), value));
        let Some((key, value)) = parts.filter(|(key, _)| !key.is_empty()) else {
            return Err(Failure::usage(format!("`{setting}` is not a setting"))
                .help("write `key=value`, such as `base_path=./docs`"));
        };
        check_key(key)?;
        put(&mut tree, key, read(key, value))?;
    }
    let mut base = base;
    if !base.is_object() {
        return Err(Failure::usage("the settings are not a JSON object"));
    }
    overlay(&mut base, tree);
    Ok(base)
}

/// Reads the name of a source, by which other commands find it.
pub(super) fn read_name(name: &str) -> Result<String, String> {
    match name.trim() {
        "" => Err("a source needs a name, such as `handbook`".to_owned()),
        name => Ok(name.to_owned()),
    }
}

/// Refuses a key that other programs understand and this one would take as a name.
fn check_key(key: &str) -> Result<(), Failure> {
    if key.split('.').any(|part| part.trim().is_empty()) {
        return Err(
            Failure::usage(format!("a part of the key `{key}` is empty"))
                .help("write a dot only between two names, such as `limits.size=5`"),
        );
    }
    let index = key.strip_suffix(']').and_then(|key| key.rsplit_once('['));
    if let Some((list, index)) = index
        && index.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(Failure::usage(format!("`{key}` has a place in a list")).help(format!(
            "repeat the key for each item, `{list}=a {list}=b`, or write the list as JSON, `{list}=[\"a\",\"b\"]`"
        )));
    }
    Ok(())
}

/// Parses JSON; anything else is a string.
pub(super) fn read_value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// Returns the most similar name in `known`, if one is similar enough.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, _)| *distance <= 1 + name.len() / 3)
        .min()
        .map(|(_, known)| known)
}

fn put(tree: &mut Value, key: &str, value: Value) -> Result<(), Failure> {
    let mut place = tree;
    for part in key.split('.') {
        let clash = || {
            Failure::usage(format!(
                "`{key}` is set both as a value and as a group of settings"
            ))
        };
        place = match place {
            Value::Null => {
                *place = Value::Object(Map::new());
                &mut place[part]
            }
            Value::Object(members) => members.entry(part).or_insert(Value::Null),
            _ => return Err(clash()),
        };
    }
    *place = match (place.take(), value) {
        (Value::Null, value) => value,
        (Value::Array(mut list), Value::Array(more)) => {
            list.extend(more);
            list.into()
        }
        (Value::Array(mut list), value) => {
            list.push(value);
            list.into()
        }
        (Value::Object(_), _) => {
            return Err(Failure::usage(format!(
                "`{key}` is set both as a value and as a group of settings"
            )));
        }
        (first, value) => vec![first, value].into(),
    };
    Ok(())
}

/// Removes the setting at a dotted key.
pub(super) fn remove(config: &mut Value, key: &str) -> Option<Value> {
    match key.split_once('.') {
        None => config.as_object_mut()?.remove(key),
        Some((group, key)) => remove(config.get_mut(group)?, key),
    }
}

fn overlay(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                overlay(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// Returns the help for a connector's error about a setting that is missing or of the wrong type.
pub(super) fn help_for(error: &str) -> Option<String> {
    let error = error.strip_prefix("invalid config: ")?;
    if let Some(name) = missing(error) {
        return Some(format!(
            "give it with `--set {name}=…`; the last settings are used again when none are given"
        ));
    }
    let (name, expected) = error
        .strip_prefix('`')?
        .split_once("` is of the wrong type, expected ")?;
    let kind = |words: &[&str]| words.iter().any(|word| expected.contains(word));
    if kind(&["string", "character", "formatted"]) {
        Some(format!(
            "a value that is JSON is taken as that; write a string such as `2024` in quotation marks: `--set '{name}=\"2024\"'`"
        ))
    } else if kind(&["sequence", "a list", "array", "tuple", "a set"]) {
        Some(format!("write a list as JSON: `--set '{name}=[\"a\"]'`"))
    } else if kind(&["struct", "a map"]) {
        Some(format!("give each part by itself: `--set {name}.part=…`"))
    } else {
        None
    }
}

/// Returns the key of a setting that is missing, also within a group.
fn missing(error: &str) -> Option<String> {
    if let Some(rest) = error.strip_prefix("the field `") {
        return Some(rest.strip_suffix("` is missing")?.to_owned());
    }
    let (group, name) = error.strip_prefix('`')?.split_once("` lacks the field `")?;
    Some(format!("{group}.{}", name.strip_suffix('`')?))
}

/// Reads a file of settings.
fn read_settings(path: &str) -> Result<Value, Failure> {
    match read_json(path)? {
        settings @ Value::Object(_) => Ok(settings),
        _ => Err(Failure::usage(format!("`{path}` is not a JSON object"))
            .help("write the settings as `{ \"base_path\": \"./docs\" }`")),
    }
}

/// Reads a JSON file. Errors never quote it, since it may be secret.
pub(super) fn read_json(path: impl AsRef<Path>) -> Result<Value, Failure> {
    let path = path.as_ref();
    let bytes = fs::read(path)
        .map_err(|error| Failure::usage(format!("`{}` cannot be read: {error}", path.display())))?;
    // Some editors write a byte order mark, which JSON does not allow.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(bytes).map_err(|error| {
        Failure::usage(format!(
            "`{}` is not JSON: line {}, column {}",
            path.display(),
            error.line(),
            error.column()
        ))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(base: Value, settings: &[&str]) -> Result<Value, String> {
        let settings: Vec<_> = settings
            .iter()
            .map(|setting| (*setting).to_owned())
            .collect();
        merged(base, &settings).map_err(|failure| failure.message)
    }

    #[test]
    fn values_are_json_where_possible_and_strings_elsewhere() {
        let read = set(
            json!({}),
            &[
                "path=/srv/a=b",
                "on=true",
                "size=42",
                "list=[\"a\"]",
                "text=\"42\"",
                "empty=",
                "word=truely",
            ],
        );
        let expected = json!({ "path": "/srv/a=b", "on": true, "size": 42, "list": ["a"], "text": "42", "empty": "",
            "word": "truely" });
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn dotted_keys_nest_and_repeated_ones_make_lists() {
        assert_eq!(
            set(json!({}), &["a.b.c=1", "a.b.d=x", "e=1", "e=2", "e=[3,4]"]),
            Ok(json!({ "a": { "b": { "c": 1, "d": "x" } }, "e": [1, 2, 3, 4] }))
        );
    }

    #[test]
    fn settings_override_a_config_file() {
        assert_eq!(
            set(
                json!({ "a": { "b": 1, "c": 2 }, "list": [1] }),
                &["a.b=3", "list=2"]
            ),
            Ok(json!({ "a": { "b": 3, "c": 2 }, "list": 2 }))
        );
    }

    #[test]
    fn an_invalid_setting_is_named() {
        assert_eq!(
            set(json!({}), &["word"]),
            Err("`word` is not a setting".into())
        );
        assert_eq!(set(json!({}), &["=1"]), Err("`=1` is not a setting".into()));
        for key in ["a..b", ".a", "a.", "."] {
            assert_eq!(
                set(json!({}), &[&format!("{key}=1")]),
                Err(format!("a part of the key `{key}` is empty"))
            );
        }
        for key in ["a[0]", "a[]", "b.a[12]"] {
            assert_eq!(
                set(json!({}), &[&format!("{key}=1")]),
                Err(format!("`{key}` has a place in a list"))
            );
        }
        assert_eq!(set(json!({}), &[" a = b "]), Ok(json!({ "a": " b " })));
        let clash = |key: &str| {
            Err(format!(
                "`{key}` is set both as a value and as a group of settings"
            ))
        };
        assert_eq!(set(json!({}), &["a=1", "a.b=2"]), clash("a.b"));
        assert_eq!(set(json!({}), &["a.b=2", "a=1"]), clash("a"));
        assert_eq!(
            set(json!([]), &[]),
            Err("the settings are not a JSON object".into())
        );
    }

    #[test]
    fn the_error_for_a_setting_says_how_to_give_it() {
        for (error, help) in [
            (
                "the field `api_url` is missing",
                "give it with `--set api_url=…`",
            ),
            (
                "`limits` lacks the field `size`",
                "give it with `--set limits.size=…`",
            ),
            (
                "`project` is of the wrong type, expected a string",
                "a value that is JSON is taken as that; write a string such as `2024` in quotation marks: `--set 'project=\"2024\"'`",
            ),
            (
                "`base_path` is of the wrong type, expected path string",
                "a value that is JSON",
            ),
            (
                "`paths` is of the wrong type, expected a sequence",
                "write a list as JSON: `--set 'paths=[\"a\"]'`",
            ),
            (
                "`limits` is of the wrong type, expected struct Limits",
                "give each part by itself: `--set limits.part=…`",
            ),
        ] {
            let found = help_for(&format!("invalid config: {error}")).unwrap();
            assert!(found.starts_with(help), "{found}");
        }
        for error in [
            "invalid credentials: the field `key` is missing",
            "invalid config: `size` is of the wrong type, expected u16",
            "invalid config: it is of the wrong type, expected struct Settings",
        ] {
            assert_eq!(help_for(error), None);
        }
    }
}
