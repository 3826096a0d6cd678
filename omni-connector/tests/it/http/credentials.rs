//! Credentials: where they are sent, and how they are renewed.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use omni_connector::{
    SecretString,
    http::{Api, Auth, Incomplete, Paging, SourceError, Token, Tokens},
};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use super::source::{Asked, Source, json as ok, reply};

const CANARY: &str = "canary-7f3";

fn canary() -> SecretString {
    CANARY.to_owned().into()
}

/// Every kind of credential that needs no manager.
fn kinds() -> Vec<(&'static str, Auth)> {
    vec![
        ("bearer", Auth::bearer(&canary())),
        ("basic", Auth::basic("ann", &canary())),
        ("header", Auth::header("x-api-key", &canary())),
        ("query", Auth::query("api_key", &canary())),
        (
            "exchange",
            Auth::exchange(|| async { Ok(Token::new(canary())) }),
        ),
        (
            "sign",
            Auth::sign(|request| {
                let signature = HeaderValue::from_static(CANARY);
                request.headers_mut().insert("x-signature", signature);
            }),
        ),
    ]
}

fn shows_canary(asked: &Asked) -> bool {
    // `ann:canary-7f3` in base64.
    let text = format!("{asked:?}");
    text.contains(CANARY) || text.contains("YW5uOmNhbmFyeS03ZjM=")
}

#[tokio::test]
async fn no_credential_leaves_the_origin_of_the_api() {
    for (kind, auth) in kinds() {
        let other = Source::start(|_| ok(json!({ "items": [1], "next": null }))).await;
        let elsewhere = other.url.clone();
        let source = Source::start(move |asked| match asked.path.as_str() {
            "/redirect" => reply(307).header("location", format!("{elsewhere}/there")),
            "/twice" => reply(302).header("location", "/redirect"),
            "/back" => reply(302).header("location", "/here"),
            "/list" => ok(json!({ "items": [0], "next": format!("{elsewhere}/list?page=2") })),
            _ => ok(json!(1)),
        })
        .await;
        let api = source.api().auth(auth).header("x-tenant", CANARY);
        for path in ["redirect", "twice"] {
            let value = api.get(path).header("cookie", CANARY).read::<Value>().await;
            assert!(value.is_ok(), "{kind}: {value:?}");
        }
        // A body may contain secrets as well.
        let sent = api
            .post("redirect")
            .json(&json!({ "key": CANARY }))
            .read::<Value>()
            .await;
        assert!(
            matches!(sent, Err(SourceError::Foreign { .. })),
            "{kind}: {sent:?}"
        );
        let foreign = api
            .get(format!("{}/direct", other.url))
            .read::<Value>()
            .await;
        assert!(
            matches!(foreign, Err(SourceError::Foreign { .. })),
            "{kind}: {foreign:?}"
        );
        let mut pages = api
            .get("list")
            .pages(Paging::next_url("/next"))
            .items::<i32>("/items");
        let ended = pages.next().await;
        let is_named = matches!(&ended, Err(SourceError::Walk(Incomplete::ForeignNext { origin, .. })) if *origin == other.url);
        assert!(is_named, "{kind}: {ended:?}");
        let named = api.clone().also_at(&other.url);
        let all = named
            .get("list")
            .pages(Paging::next_url("/next"))
            .items::<i32>("/items")
            .all()
            .await;
        assert_eq!(all, Ok(vec![0, 1]), "{kind}");
        assert!(other.times() >= 3, "{kind}");
        for asked in other.asked() {
            assert!(!shows_canary(&asked), "{kind}: {asked:?}");
        }
        api.get("back").read::<Value>().await.unwrap();
        let last = source.asked().pop().unwrap();
        assert!(
            last.path == "/here" && shows_canary(&last),
            "{kind}: within the API it goes along: {last:?}"
        );
    }
}

/// The credential stays with the API, so a refusal elsewhere says nothing about it.
#[tokio::test]
async fn a_refusal_after_a_redirect_to_another_host_names_both_hosts() {
    for status in [401, 403, 404] {
        let other = Source::start(move |_| reply(status)).await;
        let elsewhere = other.url.clone();
        let source =
            Source::start(move |_| reply(302).header("location", format!("{elsewhere}/file")))
                .await;
        let key = SecretString::from(CANARY.to_owned());
        let api = source.api().auth(Auth::bearer(&key));
        let error = api.get("file").read::<Value>().await.unwrap_err();
        assert!(
            matches!(error, SourceError::TurnedAway { .. }),
            "{status}: {error:?}"
        );
        let text = error.to_string();
        for named in [&source.url, &other.url, &status.to_string()] {
            assert!(text.contains(named.as_str()), "{status}: {text}");
        }
        assert!(!text.contains("renew the credential"), "{text}");
        assert_eq!((source.times(), other.times()), (1, 1), "{status}");
        assert!(!shows_canary(&other.asked()[0]), "{status}");
    }
}

#[tokio::test]
async fn no_error_and_no_debug_output_shows_a_credential() {
    for (kind, auth) in kinds() {
        let source =
            Source::start(|_| reply(422).json(json!({ "message": format!("what is {CANARY}?") })))
                .await;
        let api = source.api().auth(auth);
        let call = api.get("thing").query(&[("password", "s3cret-2")]);
        let shown = format!("{api:?} {call:?}");
        let error = call.read::<Value>().await.unwrap_err();
        let nowhere = Api::at("http://127.0.0.1:9")
            .auth(kinds().remove(3).1)
            .patience(Duration::ZERO);
        let unreachable = nowhere
            .get("x")
            .query(&[("password", "s3cret-2")])
            .send()
            .await
            .unwrap_err();
        let text = format!("{shown} {error} {error:?} {unreachable} {unreachable:?}");
        let is_known_by_value = !matches!(kind, "exchange" | "sign");
        assert!(
            !is_known_by_value || !text.contains(CANARY),
            "{kind}: {text}"
        );
        assert!(!text.contains("s3cret-2"), "{kind}: {text}");
    }
}

/// A message is cut at 200 bytes, and the source may write the secret in another way.
#[tokio::test]
async fn a_credential_across_the_cut_of_an_error_does_not_show_its_beginning() {
    let key: SecretString = "wide/canary+of-a-message".to_owned().into();
    for spelling in [
        "wide/canary+of-a-message",
        "wide%2Fcanary%2Bof-a-message",
        "wide\\/canary+of-a-message",
    ] {
        for before in (160..204).chain([1_990]) {
            let source = Source::start(move |_| {
                let padding = if before > 204 { " " } else { "x" }.repeat(before);
                reply(422).json(json!({ "message": format!("{padding}{spelling} is refused") }))
            })
            .await;
            let api = source.api().auth(Auth::bearer(&key));
            let error = api.get("thing").read::<Value>().await.unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("wide"), "{before}: {text}");
        }
    }
}

#[tokio::test]
async fn redirects_end_and_change_the_method_as_browsers_do() {
    let source = Source::start(|asked| match asked.path.as_str() {
        "/circle" => reply(302).header("location", "/circle"),
        "/see" => reply(303).header("location", "/there"),
        "/moved" => reply(308).header("location", "/there"),
        "/nowhere" => reply(302).header("location", "ftp://x/"),
        _ => ok(json!(format!("{} {}", asked.method, asked.body.len()))),
    })
    .await;
    let api = source.api();
    let text = |path: &str| api.post(path).json(&json!(1)).read::<String>();
    assert_eq!(text("see").await.unwrap(), "GET 0");
    assert_eq!(text("moved").await.unwrap(), "POST 1");
    let before = source.times();
    assert!(
        api.get("circle")
            .send()
            .await
            .unwrap_err()
            .to_string()
            .contains("the redirect after 5 others")
    );
    assert_eq!(source.times() - before, 6);
    assert!(
        api.get("nowhere")
            .send()
            .await
            .unwrap_err()
            .to_string()
            .contains("leads nowhere")
    );
}

/// Starts a login that issues numbered tokens, and an API that accepts only the latest.
async fn with_tokens(life: Duration) -> (Api, Source, Arc<AtomicU32>) {
    let (made, valid) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(1)));
    let takes = Arc::clone(&valid);
    let source = Source::start(move |asked| {
        let expected = format!("Bearer token-{}", takes.load(Ordering::SeqCst));
        if asked.header("authorization") == Some(&expected) {
            ok(json!(1))
        } else {
            reply(401)
        }
    })
    .await;
    let (tokens, latest) = (Arc::clone(&made), Arc::clone(&valid));
    let api = source.api().at_once(64).auth(Auth::exchange(move || {
        let number = tokens.fetch_add(1, Ordering::SeqCst) + 1;
        latest.store(number, Ordering::SeqCst);
        async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(Token::new(format!("token-{number}")).expires_in(life))
        }
    }));
    (api, source, made)
}

#[tokio::test]
async fn a_hundred_tasks_renew_an_expired_token_once() {
    // Long enough for a hundred calls on a busy machine.
    let life = Duration::from_secs(5);
    let (api, _source, made) = with_tokens(life).await;
    for round in 1..=2 {
        let calls = (0..100).map(|_| api.get("thing").read::<i32>());
        let outcomes = futures_util::future::join_all(calls).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(made.load(Ordering::SeqCst), round);
        tokio::time::sleep(life + Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_for_all_calls() {
    let source = Source::start(|asked| match asked.header("authorization") {
        Some("Bearer new") => ok(json!(1)),
        _ => reply(401),
    })
    .await;
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let api = source.api().at_once(64).auth(Auth::exchange(move || {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            Ok(Token::new(
                if number == 0 { "old" } else { "new" }.to_owned(),
            ))
        }
    }));
    let calls = (0..100).map(|_| api.get("thing").read::<i32>());
    let outcomes = futures_util::future::join_all(calls).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(
        count.load(Ordering::SeqCst),
        2,
        "one at the beginning, one after the refusal"
    );
}

#[tokio::test]
async fn a_failed_renewal_is_an_error_for_each_call_and_not_repeated() {
    let tried = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tried);
    let source = Source::start(|_| ok(json!(1))).await;
    let api = source.api().at_once(64).auth(Auth::exchange(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { anyhow::bail!("the login says no") }
    }));
    let calls = (0..100).map(|_| api.get("thing").read::<i32>());
    for outcome in futures_util::future::join_all(calls).await {
        let error = outcome.unwrap_err();
        assert!(error.to_string().contains("the login says no"), "{error}");
    }
    assert_eq!(tried.load(Ordering::SeqCst), 1);
    assert_eq!(source.times(), 0);
}

#[tokio::test]
async fn a_token_of_a_subject_is_shared_by_all_apis_and_renewed_when_refused() {
    let made: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&made);
    let tokens = Tokens::new(move |subject, scopes: Vec<String>| {
        let noted = Arc::clone(&noted);
        async move {
            let whose = format!("{subject} {}", scopes.join(" "));
            tokio::time::sleep(Duration::from_millis(50)).await;
            let mut made = noted.lock().unwrap();
            made.push(whose.clone());
            let number = made.iter().filter(|made| **made == whose).count();
            Ok(Token::new(format!("{subject}-{number}")))
        }
    });
    let source = Source::start(|asked| match asked.header("authorization") {
        Some("Bearer ann-1") => reply(401),
        _ => ok(json!(1)),
    })
    .await;
    let apis = [
        source.api().auth(tokens.auth("ann", ["read", "list"])),
        source.api().auth(tokens.auth("ann", ["list", "read"])),
        source.api().auth(tokens.auth("bob", ["read"])),
    ];
    let calls = (0..30).map(|call| {
        let api = apis[call % 3].clone();
        tokio::spawn(async move { api.get("here").read::<Value>().await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), Ok(json!(1)));
    }
    let mut made = made.lock().unwrap().clone();
    made.sort();
    assert_eq!(made, ["ann list read", "ann list read", "bob read"]);
}
