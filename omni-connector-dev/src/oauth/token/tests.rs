use serde_json::json;

use super::*;

fn granted(answer: Value) -> Granted {
    read(StatusCode::OK, answer.to_string().as_bytes()).unwrap()
}

fn refused(status: u16, body: &str) -> String {
    let status = StatusCode::from_u16(status).unwrap();
    read(status, body.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_life_is_read_from_a_number_or_a_string() {
    for (written, seconds) in [
        (json!(3600), Some(3600)),
        (json!("3600"), Some(3600)),
        (json!(3600.0), Some(3600)),
        (json!(" 60.5 "), Some(60)),
        (json!(0), None),
        (json!(-5), None),
        (json!(null), None),
        (json!("soon"), None),
        (json!("NaN"), None),
        (json!(1e300), None),
    ] {
        let grant = granted(json!({ "access_token": "at", "expires_in": written }));
        assert_eq!(grant.life.map(|life| life.as_secs()), seconds, "{written}");
    }
}

#[test]
fn scopes_are_read_as_list_or_text() {
    let of = |scope: Value| granted(json!({ "access_token": "at", "scope": scope })).scopes;
    let both = Some(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(of(json!("a b")), both);
    assert_eq!(of(json!("a,b")), both);
    assert_eq!(of(json!("a\nb")), both);
    assert_eq!(of(json!("a, b")), both);
    assert_eq!(of(json!(["a", "b"])), both);
    assert_eq!(of(json!(null)), None);
    assert!(
        granted(json!({ "access_token": "at" }))
            .token_type
            .is_none()
    );
}

#[test]
fn a_refusal_keeps_the_providers_message_for_every_status() {
    let github = r#"{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired."}"#;
    let said = "bad_verification_code: The code passed is incorrect or expired.";
    assert_eq!(refused(200, github), said);
    assert_eq!(refused(400, github), said);
    assert_eq!(
        refused(200, "error=bad_verification_code&error_description=Old"),
        "bad_verification_code: Old"
    );
    assert_eq!(
        refused(200, r#"{"ok":false,"error":"invalid_code"}"#),
        "invalid_code"
    );
    let nested = r#"{"error":{"type":"OAuthException","code":100,"message":"Invalid code"}}"#;
    assert_eq!(refused(400, nested), "OAuthException: Invalid code");
    for (body, said) in [
        (r#"{"error":401,"message":"Old code"}"#, "401: Old code"),
        (r#"{"errors":[{"message":"Old code"}]}"#, "error: Old code"),
        (r#"{"errors":["Old code"]}"#, "error: Old code"),
        (r#"{"errors":[{"detail":"Old code"}]}"#, "error: Old code"),
        (r#"{"error":["old"],"message":"Old code"}"#, "old: Old code"),
        (
            r#"{"error":[{"code":"old","detail":"Old code"}]}"#,
            "old: Old code",
        ),
        (
            r#"{"title":"Refused","status":400,"detail":"Old code"}"#,
            "error: Old code",
        ),
        (
            r#"{"type":"about:blank","title":"Old code"}"#,
            "error: Old code",
        ),
        (
            r#"{"success":false,"message":"Old code"}"#,
            "error: Old code",
        ),
        ("error=401&message=Old+code", "401: Old code"),
        ("\u{feff}{\"error\":\"old\"}", "old"),
        (
            r#"{"error":null,"error_description":"Old code"}"#,
            "error: Old code",
        ),
        (
            r#"{"error":"old","error_description":["Old code","ask again"]}"#,
            "old: Old code; ask again",
        ),
        (
            r#"{"error":"old","error_description":{"value":"Old code"}}"#,
            "old: Old code",
        ),
        (r#"{"error":{"code":401}}"#, "401"),
        (
            r#"{"fault":{"faultstring":"Old code","detail":{"errorcode":"x"}}}"#,
            "error: Old code",
        ),
        (
            r#"{"errorCode":"E1","errorMessage":"Old code"}"#,
            "error: Old code",
        ),
    ] {
        assert_eq!(refused(200, body), said);
        assert_eq!(refused(400, body), said);
    }
    for none in [
        json!(null),
        json!({}),
        json!([]),
        json!(""),
        json!("0"),
        json!(false),
        json!({ "code": 0, "message": "" }),
    ] {
        let kept = granted(json!({ "access_token": "at", "error": none, "message": "welcome" }));
        assert_eq!(kept.access_token, "at", "{none}");
    }
    assert_eq!(
        refused(500, "<html>broken</html>"),
        "token endpoint returned HTTP 500 Internal Server Error"
    );
    assert_eq!(
        refused(200, "<html>sign in</html>"),
        "token endpoint response is neither JSON nor a form; check the URL of the endpoint"
    );
    assert_eq!(
        refused(200, "{}"),
        "token endpoint response is missing access_token"
    );
}

#[test]
fn a_life_is_read_from_every_member_that_says_it() {
    let now = OffsetDateTime::now_utc();
    let end = now + Duration::from_hours(1);
    let seconds = end.unix_timestamp();
    let at_least = |answer: Value| granted(answer).life.map(|life| life.as_secs() / 60);
    for member in [
        json!({ "expires_in": "3600.0" }),
        json!({ "expires_in": "3.6e3" }),
        json!({ "expiresIn": 3600 }),
        json!({ "expires": "3600" }),
        json!({ "expires_in": seconds + 1 }),
        json!({ "expires_in": null, "expires_at": seconds + 1 }),
        json!({ "expires_at": (seconds + 1) * 1_000 }),
        json!({ "expires_on": (seconds + 1).to_string() }),
        json!({ "expires_at": (end + Duration::from_secs(1)).format(&Rfc3339).unwrap() }),
        json!({ "expires_in": 3600, "expires_at": seconds + 9_000 }),
    ] {
        let mut answer = member.clone();
        answer["access_token"] = "at".into();
        assert!(matches!(at_least(answer), Some(59 | 60)), "{member}");
    }
    for member in [
        json!({ "expires_at": seconds - 9_000 }),
        json!({ "expires_at": "2001-01-01T00:00:00Z" }),
        json!({ "expires_at": "tomorrow" }),
        json!({ "expires_in": true }),
        json!({ "expires_in": { "seconds": 3600 } }),
    ] {
        let mut answer = member.clone();
        answer["access_token"] = "at".into();
        assert_eq!(at_least(answer), None, "{member}");
    }
}

#[test]
fn tokens_are_read_wherever_the_provider_puts_them() {
    let slack = json!({
        "ok": true, "access_token": "bot", "token_type": "bot", "scope": "chat:write",
        "authed_user": { "id": "U1", "access_token": "person", "scope": "search:read" },
    });
    assert_eq!(granted(slack).access_token, "bot");
    for nested in [
        json!({
            "ok": true,
            "authed_user": {
                "id": "U1", "access_token": "at", "refresh_token": "rt", "expires_in": "60", "scope": "a,b",
            },
        }),
        json!({ "code": 0, "msg": "ok", "data": {
            "access_token": "at", "refresh_token": "rt", "expires_in": 60, "scope": "a b",
        } }),
        json!({ "access_token": "", "data": {
            "accessToken": "at", "refreshToken": "rt", "expiresIn": 60.0, "scopes": ["a", "b"],
        } }),
        json!({
            "error": 0, "access_token": "at", "refresh_token": "rt", "expires_in": 60, "scope": "a b", "message": "ok",
        }),
        json!({
            "error": "", "access_token": "at", "refresh_token": "rt", "expires_in": 60, "scopes": "a b",
        }),
    ] {
        let grant = granted(nested.clone());
        assert_eq!(grant.access_token, "at", "{nested}");
        assert_eq!(grant.refresh_token.as_deref(), Some("rt"), "{nested}");
        assert_eq!(grant.life, Some(Duration::from_mins(1)), "{nested}");
        assert_eq!(grant.scopes.unwrap(), ["a", "b"], "{nested}");
    }
    for refusal in [
        r#"{"errcode":40029,"errmsg":"Old code"}"#,
        r#"{"code":20003,"msg":"Old code","data":{}}"#,
        r#"{"ok":false,"authed_user":{"access_token":null},"message":"Old code"}"#,
    ] {
        assert_eq!(refused(200, refusal), "error: Old code");
    }
    let both = r#"{"error":"invalid_grant","access_token":"old"}"#;
    assert_eq!(refused(400, both), "invalid_grant");
    assert_eq!(refused(200, both), "invalid_grant");
}

#[test]
fn a_form_grants_as_json_does() {
    let facebook = read(StatusCode::OK, b"access_token=at&expires=60\n").unwrap();
    assert_eq!(facebook.life, Some(Duration::from_mins(1)));
    let grant = read(StatusCode::OK, b"access_token=at&scope=a%2Cb&expires_in=60").unwrap();
    assert_eq!(
        (grant.access_token.as_str(), grant.life),
        ("at", Some(Duration::from_mins(1)))
    );
}

#[test]
fn a_part_of_the_tokens_may_be_deeper_than_the_others() {
    let outer = granted(json!({
        "refresh_token": "rt", "expires_in": 60, "data": { "token": { "access_token": "at", "scope": "a" } },
    }));
    assert_eq!(outer.access_token, "at");
    assert_eq!(outer.refresh_token.as_deref(), Some("rt"));
    assert_eq!(outer.life, Some(Duration::from_mins(1)));
    assert_eq!(outer.scopes, Some(vec!["a".to_owned()]));
    let listed = granted(json!({ "data": [{ "access_token": "at", "refresh_token": "rt" }] }));
    assert_eq!(listed.refresh_token.as_deref(), Some("rt"));
    // Slack's own token, beside that of a person.
    let slack =
        granted(json!({ "access_token": "bot", "authed_user": { "access_token": "person" } }));
    assert_eq!(slack.access_token, "bot");
}
