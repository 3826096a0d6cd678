//! Finds secrets by their surroundings: URLs, headers, and secret field names.

use std::{borrow::Cow, sync::LazyLock};

use regex_lite::{Captures, Regex};

use super::REDACTED;

/// Removes everything that looks like a secret from a string.
///
/// This covers the user part of URLs, and the values of query parameters, fields and settings with secret names
/// (`token`, `api_key`, `password`, `signature`, …). It also covers credentials after `Bearer` or `Basic`, headers that carry
/// credentials, and JSON web tokens. A string without secrets is returned unchanged.
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
    replace(text, &mut |_, secret| {
        (!REDACTED.starts_with(secret)).then(|| REDACTED.to_owned())
    })
}

/// Returns the replacement of a secret with this name, if it has one; none to keep it.
pub(super) type Mark<'a> = dyn FnMut(Option<&str>, &str) -> Option<String> + 'a;

/// Replaces everything that looks like a secret.
pub(super) fn replace<'a>(text: &'a str, mark: &mut Mark<'_>) -> Cow<'a, str> {
    RULES.iter().fold(Cow::Borrowed(text), |text, rule| {
        let redacted = rule
            .pattern
            .replace_all(&text, |found: &Captures<'_>| rule.replace(found, mark));
        // A rule whose matches were all harmless changed nothing.
        match redacted {
            Cow::Owned(redacted) if redacted != text => Cow::Owned(redacted),
            _ => text,
        }
    })
}

/// A pattern for one form of secret. The group `secret` is removed. If the pattern has a group `name`, that name must
/// be a secret one.
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

    fn replace(&self, found: &Captures<'_>, mark: &mut Mark<'_>) -> String {
        let whole = &found[0];
        let (Some(matched), Some(secret)) = (found.get(0), found.name("secret")) else {
            return whole.to_owned();
        };
        let name = found.name("name").map(|name| name.as_str());
        let named = name.is_none_or(|name| (self.says_secret)(&plain(name)));
        // A full stop or bracket at the end belongs to the surrounding sentence.
        let value = secret
            .as_str()
            .trim_end_matches([')', ']', '}', '.', ',', ':', ';', '`']);
        if !named || value.is_empty() {
            return whole.to_owned();
        }
        let Some(mark) = mark(name, value) else {
            return whole.to_owned();
        };
        let start = secret.start() - matched.start();
        format!("{}{mark}{}", &whole[..start], &whole[start + value.len()..])
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
        // A header that carries credentials, in any scheme.
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
        // A field in JSON or `Debug` output, or in JSON that was quoted again.
        Rule::new(
            r#"(?<name>[A-Za-z0-9_.-]+)\\+"\s*:\s*\\+"(?<secret>[^"\\]+)"#,
            in_query,
        ),
        Rule::new(
            r#"(?<name>[A-Za-z0-9_.-]+)["']?\s*[:=]\s*"(?<secret>(?:[^"\\]|\\.)+)"#,
            is_secret_name,
        ),
        // A setting, such as in a connection string, or a header with a secret name.
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

/// Returns the name in lower case, without separators.
pub(super) fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    let mut plain = String::with_capacity(name.len());
    if name.is_ascii() {
        plain.extend(letters.map(|c| c.to_ascii_lowercase()));
    } else {
        plain.extend(letters.flat_map(char::to_lowercase));
    }
    plain
}

/// Returns whether a name is secret in any context.
pub(super) fn is_secret_name(name: &str) -> bool {
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
    // Runs for the names of every call and run; one search per word would take ten times as long.
    let bytes = name.as_bytes();
    let says_so = |start| {
        SAYS_SO
            .iter()
            .any(|word| bytes[start..].starts_with(word.as_bytes()))
    };
    (0..bytes.len()).any(says_so) || matches!(name, "pwd" | "jwt")
}

/// Returns whether a name is secret in a URL or credential, though ambiguous elsewhere.
pub(super) fn is_bare_secret(name: &str) -> bool {
    name.ends_with("key")
        || matches!(
            name,
            "sig" | "code" | "auth" | "pass" | "pin" | "otp" | "session" | "sid" | "cookie"
        )
}

#[cfg(test)]
mod tests {
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
}
