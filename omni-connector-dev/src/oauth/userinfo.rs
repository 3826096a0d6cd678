//! Finds the account's e-mail address in a userinfo answer (`protocol.md` §8.3).

use serde_json::Value;

/// Returns the e-mail address in a provider's answer. In a list, prefers a primary and verified
/// entry, then a verified one, then any.
pub(super) fn email_of(answer: &Value, path: &str) -> Option<String> {
    let entry = match answer {
        Value::Array(entries) => {
            let is = |entry: &&Value, key: &str| entry[key] == true;
            entries
                .iter()
                .find(|entry| is(entry, "primary") && is(entry, "verified"))
                .or_else(|| entries.iter().find(|entry| is(entry, "verified")))
                .or_else(|| entries.first())?
        }
        entry => entry,
    };
    let found = path
        .split('.')
        .try_fold(entry, |value, key| value.get(key))?;
    let email = found.as_str()?.trim().to_lowercase();
    (!email.is_empty()).then_some(email)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_address_is_read_at_the_path_in_the_manifest() {
        let nested = json!({ "user": { "email": "Ann@Example.com" } });
        assert_eq!(
            email_of(&nested, "user.email").as_deref(),
            Some("ann@example.com")
        );
        assert_eq!(email_of(&nested, "email"), None);
        assert_eq!(email_of(&json!({ "email": 7 }), "email"), None);
        let list = json!([
            { "email": "a@x.y", "verified": false, "primary": true },
            { "email": "b@x.y", "verified": true, "primary": false },
            { "email": "c@x.y", "verified": true, "primary": true },
        ]);
        assert_eq!(email_of(&list, "email").as_deref(), Some("c@x.y"));
        assert_eq!(email_of(&json!([]), "email"), None);
    }
}
