//! Finds secrets by what stands around them: URLs, headers, and names that say so.

use std::{borrow::Cow, sync::LazyLock};

use regex_lite::{Captures, Regex};

use super::REDACTED;

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

/// Names that say it anywhere.
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
