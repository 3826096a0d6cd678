//! Collects the secrets of one call or run and removes them from strings.

use std::{borrow::Cow, fmt, iter, sync::OnceLock};

use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

use super::{
    REDACTED, met,
    rules::{is_bare_secret, is_secret_name, plain, redact},
    spelling::Matcher,
};

/// The shortest secret: removing shorter ones would also remove ordinary words.
pub(super) const SHORTEST: usize = 4;

/// The shortest number that is a secret because of its name. Shorter ones are counts and times of life.
const SHORTEST_NUMBER: usize = 6;

/// The shortest line that counts as a secret by itself, such as a line of a private key.
const SHORTEST_LINE: usize = 16;

/// The most bytes of a message shown to people.
const LONGEST: usize = 16 << 10;

/// How many bytes a rule may need after a position to detect a secret there.
const BEHIND: usize = 1 << 10;

/// The secrets of a call or a run: the values of fields with secret names.
#[derive(Default)]
pub(crate) struct Secrets {
    texts: Vec<String>,
    /// Built on first use: most calls never need it.
    matcher: OnceLock<Matcher>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.texts.len())
    }
}

impl Secrets {
    /// Collects secrets from a credential's secret part and from settings, such as a source's config or a caller's input.
    pub(crate) fn of<'a>(
        credential: Option<&Value>,
        settings: impl IntoIterator<Item = &'a Value>,
    ) -> Self {
        let mut secrets = credential.map_or_else(Self::default, Self::of_secret);
        for settings in settings {
            secrets.collect(settings, false, is_secret_name);
        }
        secrets
    }

    /// Collects secrets from a credential's secret part.
    pub(crate) fn of_secret(secret: &Value) -> Self {
        let mut secrets = Self::default();
        let says_so = |name: &str| is_bare_secret(name) || is_secret_name(name);
        secrets.collect(secret, false, says_so);
        secrets
    }

    /// Treats all of these strings as secrets, whatever their names.
    #[cfg(feature = "mcp")]
    pub(crate) fn of_all(texts: impl Iterator<Item = String>) -> Self {
        // Short strings are switches and numbers, which occur in ordinary words.
        Self {
            texts: texts.filter(|text| text.len() >= 8).collect(),
            matcher: OnceLock::new(),
        }
    }

    fn collect(&mut self, value: &Value, is_secret: bool, says_so: fn(&str) -> bool) {
        match value {
            Value::String(text) => self.add(text, is_secret, says_so),
            Value::Array(items) => {
                for item in items {
                    self.collect(item, is_secret, says_so);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.collect(value, is_secret || says_so(&plain(name)), says_so);
                }
            }
            Value::Number(number) if is_secret => {
                let digits = number.to_string();
                if digits.len() >= SHORTEST_NUMBER {
                    self.keep(&digits);
                }
            }
            _ => {}
        }
    }

    /// Collects the password and the secret parameters of an address, such as that of a database or of a proxy.
    fn collect_address(&mut self, text: &str) {
        let Ok(url) = Url::parse(text) else {
            return;
        };
        let password = url.password().unwrap_or_default();
        let password = percent_decode_str(password).decode_utf8_lossy();
        let parameters = url.query_pairs();
        let parameters = parameters.filter(|(name, _)| {
            let name = plain(name);
            is_bare_secret(&name) || is_secret_name(&name)
        });
        for secret in iter::once(password).chain(parameters.map(|(_, value)| value)) {
            if secret.len() >= SHORTEST {
                self.keep(&secret);
            }
        }
    }

    fn keep(&mut self, secret: &str) {
        met::note(secret);
        self.texts.push(secret.to_owned());
    }

    fn add(&mut self, text: &str, is_secret: bool, says_so: fn(&str) -> bool) {
        // A key file within a field: its own field names identify its secrets.
        if text.trim_start().starts_with('{')
            && let Ok(inner) = serde_json::from_str(text)
        {
            self.collect(&inner, false, says_so);
        }
        if text.contains("://") {
            self.collect_address(text.trim());
        }
        let trimmed = text.trim();
        if !is_secret || trimmed.len() < SHORTEST {
            return;
        }
        self.keep(trimmed);
        let lines = trimmed.lines().map(str::trim);
        let lines = lines.filter(|line| line.len() >= SHORTEST_LINE && !line.starts_with("-----"));
        if trimmed.contains('\n') {
            for line in lines {
                self.keep(line);
            }
        }
    }

    pub(super) fn matcher(&self) -> &Matcher {
        self.matcher
            .get_or_init(|| Matcher::new(self.texts.iter().map(String::as_str)))
    }

    /// Replaces the secrets in a name or an address, which needs no other rule.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.matcher().replace(text, |_| REDACTED.into())
    }

    /// Applies [`redact`] and removes these secrets in every spelling. Cuts a very long string, whose scan would delay
    /// the rest of the process.
    pub(crate) fn redact(&self, text: &str) -> String {
        if text.len() <= LONGEST {
            return self.redact_whole(text);
        }
        // A secret across the cut is matched as a whole before cutting.
        let behind = BEHIND.max(self.matcher().longest());
        let window = text.floor_char_boundary(LONGEST.saturating_add(behind));
        let mut clean = self.redact_whole(&text[..window]);
        let certain = if window < text.len() {
            clean.len().saturating_sub(behind)
        } else {
            clean.len()
        };
        clean.truncate(clean.floor_char_boundary(LONGEST.min(certain)));
        format!("{clean}… and {} more bytes", text.len() - LONGEST)
    }

    fn redact_whole(&self, text: &str) -> String {
        let text = if self.texts.is_empty() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(self.matcher().replace(text, |_| REDACTED.into()))
        };
        redact(&text).into_owned()
    }
}

/// Replaces known secrets in a text by `mark`, in every spelling in which programs quote them: percent-encoded, escaped for
/// JSON, HTML or Rust, in base64 and in hexadecimal digits. Changes nothing else, so JSON stays JSON. Strings shorter than four bytes are no
/// secrets.
///
/// ```
/// use omni_connector::hide_secrets;
///
/// let secrets = ["p@ss/word"];
/// assert_eq!(hide_secrets("key=p%40ss%2Fword", secrets, "***"), "key=***");
/// assert_eq!(hide_secrets("cEBzcy93b3Jk", secrets, "***"), "***");
/// ```
pub fn hide_secrets<'a>(
    text: &str,
    secrets: impl IntoIterator<Item = &'a str>,
    mark: &str,
) -> String {
    let secrets = secrets.into_iter().filter(|text| text.len() >= SHORTEST);
    Matcher::new(secrets).replace_whole(text, mark)
}

#[cfg(test)]
mod form_tests;
#[cfg(test)]
mod tests;
