//! Keeping secrets out of texts that leave the process: an error's chain may quote URLs, headers and bodies.

use std::{borrow::Cow, fmt, sync::LazyLock};

use regex_lite::{Captures, Regex};
use serde_json::Value;

use crate::wire::ServiceCredential;

const REDACTED: &str = "[redacted]";

/// A secret shorter than this would take ordinary words along with it.
const SHORTEST: usize = 4;

/// Bytes of a text that people are told.
const LONGEST: usize = 16 << 10;

/// The text without what looks like a secret in it.
///
/// Taken out are the user part of URLs, the values of query parameters, fields and settings whose names say that they
/// are secret (`token`, `api_key`, `password`, `signature`, …), credentials after `Bearer` or `Basic`, headers that carry
/// credentials, and JSON web tokens. A text without any is returned as it is.
///
/// ```
/// use omni_connector::redact;
///
/// assert_eq!(
///     redact("error for url (https://ann:pw@api.example.com/v1?page=2&api_key=abc)"),
///     "error for url (https://[redacted]@api.example.com/v1?page=2&api_key=[redacted])",
/// );
/// ```
pub fn redact(text: &str) -> Cow<'_, str> {
    RULES.iter().fold(Cow::Borrowed(text), |text, rule| {
        let redacted = rule
            .pattern
            .replace_all(&text, |found: &Captures<'_>| rule.replace(found));
        // A rule that found only what is no secret changed nothing.
        match redacted {
            Cow::Owned(redacted) if redacted != text => Cow::Owned(redacted),
            _ => text,
        }
    })
}

/// The secrets of a call or a run: the texts under names that say so.
#[derive(Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// Those of a credential, and those of settings beside it: a source's config, what a caller supplies.
    pub(crate) fn of<'a>(
        credential: Option<&ServiceCredential>,
        settings: impl IntoIterator<Item = &'a Value>,
    ) -> Self {
        let mut secrets = credential.map_or_else(Self::default, |credential| {
            Self::of_secret(&credential.credentials)
        });
        for settings in settings {
            secrets.collect(settings, false, is_secret_name);
        }
        secrets.in_order()
    }

    /// Those of the secret part of a credential.
    pub(crate) fn of_secret(secret: &Value) -> Self {
        let mut secrets = Self::default();
        let says_so = |name: &str| is_bare_secret(name) || is_secret_name(name);
        secrets.collect(secret, false, says_so);
        secrets.in_order()
    }

    /// The longer first: one secret may be a part of another.
    fn in_order(mut self) -> Self {
        self.0.sort_by_key(|secret| usize::MAX - secret.len());
        self
    }

    /// These texts, whatever they are called.
    #[cfg(feature = "mcp")]
    pub(crate) fn of_all(texts: impl Iterator<Item = String>) -> Self {
        // Short ones are switches and numbers, and stand in ordinary words.
        Self(texts.filter(|text| text.len() >= 8).collect()).in_order()
    }

    fn collect(&mut self, value: &Value, is_secret: bool, says_so: fn(&str) -> bool) {
        match value {
            Value::String(text) if is_secret && text.len() >= SHORTEST => {
                self.0.push(text.clone());
            }
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
            _ => {}
        }
    }

    /// [`redact`], and these secrets wherever they stand. A text that nobody would read to its end is cut: looking it over
    /// would hold up whatever else the process does.
    pub(crate) fn redact(&self, text: &str) -> String {
        let kept = text.floor_char_boundary(LONGEST);
        if kept < text.len() {
            let cut = self.redact(&text[..kept]);
            return format!("{cut}… and {} more bytes", text.len() - kept);
        }
        let text = self.0.iter().fold(Cow::Borrowed(text), |text, secret| {
            if text.contains(secret.as_str()) {
                Cow::Owned(text.replace(secret.as_str(), REDACTED))
            } else {
                text
            }
        });
        redact(&text).into_owned()
    }
}

/// One way in which a secret stands in a text. The group `secret` is taken out if the group `name`, where there is one,
/// says so.
struct Rule {
    pattern: Regex,
    says_secret: fn(&str) -> bool,
}

impl Rule {
    fn new(pattern: &str, says_secret: fn(&str) -> bool) -> Self {
        Self {
            pattern: Regex::new(pattern).expect("the pattern is tested"),
            says_secret,
        }
    }

    fn replace(&self, found: &Captures<'_>) -> String {
        let whole = &found[0];
        let (Some(matched), Some(secret)) = (found.get(0), found.name("secret")) else {
            return whole.to_owned();
        };
        let named = found
            .name("name")
            .is_none_or(|name| (self.says_secret)(&plain(name.as_str())));
        // The full stop or bracket after it belongs to the sentence around it.
        let value = secret
            .as_str()
            .trim_end_matches([')', ']', '}', '.', ',', ':', ';', '`']);
        if !named || value.is_empty() || REDACTED.starts_with(value) {
            return whole.to_owned();
        }
        let start = secret.start() - matched.start();
        format!(
            "{}{REDACTED}{}",
            &whole[..start],
            &whole[start + value.len()..]
        )
    }
}

static RULES: LazyLock<[Rule; 9]> = LazyLock::new(|| {
    let in_query = |name: &str| is_bare_secret(name) || is_secret_name(name);
    let always = |_: &str| true;
    [
        // The user part of a URL.
        Rule::new(
            r#"[A-Za-z][A-Za-z0-9+.-]*://(?<secret>[^\s/?#"'<>]+)@"#,
            always,
        ),
        // A parameter of a query or a fragment.
        Rule::new(
            r#"[?&#](?<name>[^\s=&?#"'<>]+)=(?<secret>[^\s&#"'<>]+)"#,
            in_query,
        ),
        // A header of credentials, in whatever scheme.
        Rule::new(
            r#"(?i)\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?(?<secret>[^\r\n"']+)"#,
            always,
        ),
        Rule::new(
            r#"(?i)\b(?:set-)?cookie["']?\s*:\s*["']?(?<secret>[^\r\n"']+)"#,
            always,
        ),
        Rule::new(
            r"(?i)\b(?:bearer|basic)\s+(?<secret>[A-Za-z0-9._~+/=-]{8,})",
            always,
        ),
        // A field in JSON that was quoted once more, and in JSON or `Debug` output.
        Rule::new(
            r#"(?<name>[A-Za-z0-9_.-]+)\\+"\s*:\s*\\+"(?<secret>[^"\\]+)"#,
            in_query,
        ),
        Rule::new(
            r#"(?<name>[A-Za-z0-9_.-]+)["']?\s*[:=]\s*"(?<secret>(?:[^"\\]|\\.)+)"#,
            is_secret_name,
        ),
        // A setting, such as in a connection string; a header with a name of its own.
        Rule::new(
            r#"(?:^|[\s;,({\[])(?<name>[A-Za-z0-9_.-]+)=(?<secret>[^\s&;,"'<>]+)"#,
            is_secret_name,
        ),
        Rule::new(
            r#"\b(?<name>[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+):\s*(?<secret>[^\s,"'<>]+)"#,
            is_secret_name,
        ),
    ]
});

/// The name in lower case, without what joins its words.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    let mut plain = String::with_capacity(name.len());
    if name.is_ascii() {
        plain.extend(letters.map(|c| c.to_ascii_lowercase()));
    } else {
        plain.extend(letters.flat_map(char::to_lowercase));
    }
    plain
}

/// Names that say it anywhere.
fn is_secret_name(name: &str) -> bool {
    const SAYS_SO: [&str; 14] = [
        "token",
        "secret",
        "passw",
        "passphrase",
        "signature",
        "credential",
        "assertion",
        "authorization",
        "apikey",
        "accesskey",
        "privatekey",
        "accountkey",
        "sharedkey",
        "sessionid",
    ];
    // Every call's and every run's names are looked at; a search of its own for each word would take ten times as long.
    let bytes = name.as_bytes();
    let says_so = |start| {
        SAYS_SO
            .iter()
            .any(|word| bytes[start..].starts_with(word.as_bytes()))
    };
    (0..bytes.len()).any(says_so) || matches!(name, "pwd" | "jwt")
}

/// Names that say it in a URL or in a credential, and may mean anything elsewhere.
fn is_bare_secret(name: &str) -> bool {
    name.ends_with("key")
        || matches!(
            name,
            "sig" | "code" | "auth" | "pass" | "pin" | "otp" | "session" | "sid" | "cookie"
        )
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_taken_out_wherever_a_chain_quotes_them() {
        for (text, expected) in [
            (
                "error sending request for url (https://ann:s3cret@host/v1?token=s3cret): connection refused",
                "error sending request for url (https://[redacted]@host/v1?token=[redacted]): connection refused",
            ),
            (
                "https://host/cb?state=1&code=s3cret&client_secret=s3cret#access_token=s3cret",
                "https://host/cb?state=1&code=[redacted]&client_secret=[redacted]#access_token=[redacted]",
            ),
            (
                "https://host/f?X-Amz-Signature=s3cret&X-Amz-Date=20260822, then more",
                "https://host/f?X-Amz-Signature=[redacted]&X-Amz-Date=20260822, then more",
            ),
            ("https://s3cret@host", "https://[redacted]@host"),
            (
                "got `Authorization: Bearer s3cret-s3cret`\nnext",
                "got `Authorization: [redacted]`\nnext",
            ),
            ("authorization=Token s3cret", "authorization=[redacted]"),
            (
                r#"{"authorization": "pk_s3cret"}"#,
                r#"{"authorization": "[redacted]"}"#,
            ),
            (
                "a Bearer s3cret-s3cret was refused",
                "a Bearer [redacted] was refused",
            ),
            ("Cookie: a=s3cret; b=s3cret", "Cookie: [redacted]"),
            (
                r#"401: {"access_token":"s3c\"ret","id":7}"#,
                r#"401: {"access_token":"[redacted]","id":7}"#,
            ),
            (
                r#"body "{\"refreshToken\": \"s3cret\", \"id\": 7}""#,
                r#"body "{\"refreshToken\": \"[redacted]\", \"id\": 7}""#,
            ),
            (
                r#"Login { user: "ann", password: "s3cret" }"#,
                r#"Login { user: "ann", password: "[redacted]" }"#,
            ),
            (
                "postgres host=db user=ann password=s3cret dbname=x",
                "postgres host=db user=ann password=[redacted] dbname=x",
            ),
            ("X-Api-Key: s3cret", "X-Api-Key: [redacted]"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }

    #[test]
    fn what_is_no_secret_stays_word_for_word() {
        for text in [
            "invalid credentials: the field `token` is missing",
            "the token: it expired; code=404, key=OPS-7",
            "https://host/users/ann@example.com?page=2&project=ops",
            "duplicate key value violates unique constraint",
            "basic auth is off",
            "",
        ] {
            assert!(
                matches!(redact(text), Cow::Borrowed(same) if same == text),
                "{}",
                redact(text)
            );
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        let text = Secrets::default().redact(&"é".repeat(1 << 20));
        assert!(
            text.ends_with("é… and 2080768 more bytes"),
            "{}",
            text.len()
        );
    }

    #[test]
    fn the_secrets_of_the_call_are_known_by_their_value() {
        let credential = json!({
            "id": "K1", "source_id": "S1", "user_id": null, "provider": "imap", "auth_type": "api_key",
            "principal_email": null, "config": {}, "expires_at": null, "last_validated_at": null,
            "created_at": "2026-08-01T09:00:00Z", "updated_at": "2026-08-01T09:00:00Z",
            "credentials": {
                "username": "ann", "password": "hunter2", "api_key": "abcd", "base_url": "https://host",
                "keys": { "private_key": ["line-1", "line-12"] }, "pin": "12",
            },
        });
        let credential = serde_json::from_value(credential).unwrap();
        let config = json!({ "project_key": "OPSX", "webhook": { "webhook_secret": "whsec-1" } });
        let secrets = Secrets::of(Some(&credential), [&config]);
        assert_eq!(
            secrets
                .redact("ann with hunter2 and line-12 at https://host: abcd 12, whsec-1 of OPSX"),
            "ann with [redacted] and [redacted] at https://host: [redacted] 12, [redacted] of OPSX"
        );
    }
}
