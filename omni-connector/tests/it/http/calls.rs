//! Single calls: retries, reading of answers, and error messages.

use std::{io::Write, time::Duration};

use futures_util::TryStreamExt;
use omni_connector::{
    ActionError,
    http::{Answer, Fresh, Paging, Quota, Refusal, SourceError, Validators, Verdict},
};
use serde_json::{Value, json};

use super::source::{Source, json as ok, reply};

const SOON: Duration = Duration::from_millis(1_500);

#[tokio::test]
async fn a_call_is_repeated_only_if_that_is_safe() {
    // Method, status of the first answer, the author's setting, and the number of calls.
    for (method, status, said, times) in [
        ("GET", 500, "", 2),
        ("GET", 503, "", 2),
        ("GET", 408, "", 2),
        ("GET", 400, "", 1),
        ("GET", 501, "", 1),
        ("PUT", 502, "", 2),
        ("PUT", 502, "once", 1),
        ("DELETE", 504, "", 2),
        ("POST", 500, "", 1),
        ("POST", 500, "repeatable", 2),
        ("POST", 500, "key", 2),
        ("PATCH", 500, "", 1),
        // The source says that nothing happened.
        ("POST", 429, "", 2),
        ("PUT", 429, "once", 2),
    ] {
        let source = Source::start(move |asked| match asked.before {
            0 => reply(status),
            _ => ok(json!(7)),
        })
        .await;
        let call = source
            .api()
            .call(method.parse().unwrap(), "thing")
            .json(&json!({ "a": 1 }));
        let call = match said {
            "once" => call.once(),
            "repeatable" => call.repeatable(),
            "key" => call.idempotency_key("k-1"),
            _ => call,
        };
        let outcome = call.read::<i32>().await;
        assert_eq!(
            source.times(),
            times,
            "{method} {status} {said}: {outcome:?}"
        );
        assert_eq!(outcome.is_ok(), times == 2, "{method} {status} {said}");
        let asked = source.asked();
        assert!(
            asked.iter().all(|asked| asked.json() == json!({ "a": 1 })),
            "the body is sent again"
        );
    }
}

#[tokio::test]
async fn a_truncated_body_is_read_again_and_never_used() {
    let source = Source::start(|asked| match asked.before {
        0 => reply(200).body("[1, 2").cut(),
        _ => ok(json!([1, 2, 3])),
    })
    .await;
    assert_eq!(
        source.api().get("list").read::<Vec<i32>>().await.unwrap(),
        [1, 2, 3]
    );
    let broken = Source::start(|_| reply(200).body("[1, 2]").cut()).await;
    let outcome = broken.api().post("list").read::<Vec<i32>>().await;
    assert!(
        matches!(outcome, Err(SourceError::Unreachable { .. })),
        "{outcome:?}"
    );
    assert_eq!(broken.times(), 1);
}

#[tokio::test]
async fn an_answer_of_another_shape_is_told_with_the_requests_that_led_to_it() {
    let source = Source::start(|asked| match asked.before {
        0 => reply(503),
        _ => ok(json!({ "data": "no number", "items": "no list" })),
    })
    .await;
    let mut pages = source
        .api()
        .get("list")
        .pages(Paging::link_header())
        .items::<i32>("/items");
    let numbers = [
        source.api().get("thing").read::<i32>().await.unwrap_err(),
        pages.next().await.unwrap_err(),
    ];
    for (error, attempts) in numbers.iter().zip([2, 1]) {
        let at = error.at().unwrap();
        assert_eq!(at.attempts, attempts, "{error}");
        assert!(matches!(error, SourceError::Unreadable { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_multipart_form_is_sent_once() {
    let source = Source::start(|asked| match asked.before {
        0 => reply(429).header("retry-after", 0),
        _ => ok(json!(1)),
    })
    .await;
    let form = omni_connector::reqwest::multipart::Form::new().text("a", "b");
    let outcome = source
        .api()
        .post("upload")
        .multipart(form)
        .read::<i32>()
        .await;
    assert!(
        matches!(outcome, Err(SourceError::Busy { .. })),
        "{outcome:?}"
    );
    assert_eq!(source.times(), 1);
}

#[tokio::test]
async fn a_pause_is_as_long_as_the_source_asks_and_never_longer_than_the_caller_waits() {
    let date = |seconds: i64| {
        let date = time::OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
        let format = time::format_description::well_known::Rfc2822;
        date.format(&format).unwrap().replace("+0000", "GMT")
    };
    // The header, and whether the second attempt is made within the five seconds of an action.
    let seconds = |seconds: &'static str| -> Box<dyn Fn() -> String + Send + Sync> {
        Box::new(move || seconds.to_owned())
    };
    let at =
        |seconds: i64| -> Box<dyn Fn() -> String + Send + Sync> { Box::new(move || date(seconds)) };
    for (value, least, is_ok) in [
        (seconds("1"), 1_000, true),
        (at(3), 1_500, true),
        (at(-60), 0, true),
        (seconds("60"), 0, false),
        (seconds("1000000000"), 0, false),
        (at(3_600), 0, false),
        (seconds("soon"), 0, true),
    ] {
        let shown = value();
        let source = Source::start(move |asked| match asked.before {
            0 => reply(429).header("retry-after", value()),
            _ => ok(json!(1)),
        })
        .await;
        let began = std::time::Instant::now();
        let outcome = source.api().get("thing").read::<i32>().await;
        let took = began.elapsed();
        assert_eq!(outcome.is_ok(), is_ok, "{shown}: {outcome:?}");
        assert!(took >= Duration::from_millis(least), "{shown}: {took:?}");
        if let Err(error) = outcome {
            assert!(took < SOON, "the caller learns it at once: {took:?}");
            let ActionError::RateLimited {
                retry_after: Some(wait),
                ..
            } = ActionError::from(error)
            else {
                panic!("{shown}");
            };
            assert!(
                wait > Duration::from_secs(30) && wait <= Duration::from_mins(15),
                "{wait:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_refusal_quotes_the_source_and_has_one_status_for_the_caller() {
    let insufficient = r#"Bearer error="insufficient_scope", scope="issues:read""#;
    for (reply, status, message) in [
        (
            reply(401),
            401,
            "the source says 401; renew the credential of the source",
        ),
        (
            reply(403).json(json!({ "message": "no" })),
            403,
            "the source says 403 `no`",
        ),
        (
            reply(403).header("www-authenticate", insufficient),
            412,
            "issues:read",
        ),
        (
            reply(404).json(json!({ "detail": "gone?" })),
            404,
            "the source says 404",
        ),
        (reply(410), 404, "the source says 410"),
        (
            reply(409).json(json!({ "error": { "message": "closed" } })),
            409,
            "the source says 409 `closed`",
        ),
        (
            reply(422).json(json!({ "errors": [{ "message": "title" }] })),
            400,
            "the source says 422 `title`",
        ),
        (
            reply(418)
                .header("content-type", "text/plain")
                .body("tea\n"),
            400,
            "the source says 418 `tea`",
        ),
        (
            reply(501)
                .header("content-type", "text/html")
                .body("<title>Nope</title>"),
            502,
            "the source says 501 `Nope`",
        ),
        (
            reply(200)
                .header("content-type", "text/html")
                .body("<title>Sign in</title>"),
            502,
            "titled `Sign in`",
        ),
        (reply(200).body("[1, 2"), 502, "the JSON ends too early"),
        (reply(304), 502, "nothing changed, which nobody asked"),
        (
            reply(200).header("content-encoding", "br").body("x"),
            502,
            "encoded as `br`",
        ),
        (
            reply(200).header("content-encoding", "gzip").body("x"),
            502,
            "cannot be decompressed",
        ),
    ] {
        let shown = format!("{reply:?}");
        let source = Source::start(move |_| reply.clone().header("x-request-id", "r-9")).await;
        let call = source.api().get("rooms/7").query(&[("token", "s3cret")]);
        let error = call.read::<Vec<i32>>().await.unwrap_err();
        let action = ActionError::from(error.clone());
        assert_eq!(action.status().as_u16(), status, "{shown}: {error}");
        let text = format!("{error} / {action}");
        assert!(text.contains(message), "{message}: {text}");
        assert!(text.starts_with("`GET rooms/{id}`: "), "{text}");
        assert!(text.contains(", request id r-9"), "{text}");
        assert!(
            text.contains(&format!("at {}/rooms/7", source.url)),
            "{text}"
        );
        assert!(!text.contains("s3cret"), "{text}");
        let chained = anyhow::Error::from(error).context("the report");
        assert_eq!(
            ActionError::of(&chained),
            Some(action),
            "the same through `?`"
        );
    }
}

#[tokio::test]
async fn a_refusal_with_status_200_is_a_refusal() {
    let judge = |answer: &Answer| match answer.text_at("/error") {
        Some("ratelimited") => Verdict::Busy,
        Some("not_in_channel") => Verdict::Forbidden,
        Some(code) => Verdict::Refused(Refusal::new(code).message("sorry")),
        None => Verdict::by_status(answer),
    };
    let source = Source::start(|asked| match (asked.path.as_str(), asked.before) {
        ("/busy", 0) => ok(json!({ "error": "ratelimited" })),
        ("/busy", _) => ok(json!({ "n": 1 })),
        (path, _) => ok(json!({ "error": path.trim_start_matches('/') })),
    })
    .await;
    let api = source.api().refusals(judge);
    assert_eq!(
        api.get("busy").read::<Value>().await.unwrap(),
        json!({ "n": 1 })
    );
    assert!(matches!(
        api.get("not_in_channel").send().await,
        Err(SourceError::Forbidden { .. })
    ));
    let error = api.get("invalid").save(100).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the source says 200 `invalid: sorry`"),
        "{error}"
    );
    assert_eq!(ActionError::from(error).status(), 400);
}

#[tokio::test]
async fn a_missing_item_is_none_if_the_author_asks_for_that() {
    let source = Source::start(|asked| match asked.path.as_str() {
        "/there" => ok(json!(1)),
        "/gone" => reply(410),
        _ => reply(404),
    })
    .await;
    let api = source.api();
    assert_eq!(
        api.get("there").missing_is_none().read::<i32>().await,
        Ok(Some(1))
    );
    assert_eq!(
        api.get("gone").missing_is_none().read::<i32>().await,
        Ok(None)
    );
    assert_eq!(api.get("x").missing_is_none().text(9).await, Ok(None));
}

#[tokio::test]
async fn a_failing_source_is_not_called_repeatedly() {
    let source = Source::start(|_| reply(500)).await;
    let api = source.api().at_once(64).patience(Duration::from_secs(2));
    let calls = (0..100).map(|_| api.get("thing").read::<i32>());
    let outcomes = futures_util::future::join_all(calls).await;
    assert!(
        source.times() <= 100 + 20,
        "{} requests for 100 calls",
        source.times()
    );
    let spent = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    let spent = spent.filter(|error| {
        error
            .to_string()
            .contains("the retry budget of the source is spent")
    });
    assert!(spent.count() >= 80, "{outcomes:?}");
}

#[tokio::test]
async fn an_answer_is_never_larger_than_allowed() {
    let source = Source::start(|asked| match asked.path.as_str() {
        "/bomb" => {
            // 64 MB of zeros in 64 kB.
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            let zeros = vec![0; 1 << 20];
            (0..64).for_each(|_| gzip.write_all(&zeros).unwrap());
            reply(200)
                .header("content-encoding", "gzip")
                .body(gzip.finish().unwrap())
        }
        _ => reply(200).body("0123456789"),
    })
    .await;
    let api = source.api().limit(1 << 20);
    let too_large = |error: &SourceError, most| matches!(error, SourceError::TooLarge { limit, .. } if *limit == most);
    assert!(too_large(
        &api.get("bomb").read::<Value>().await.unwrap_err(),
        1 << 20
    ));
    assert!(too_large(
        &api.get("bomb").save(1 << 20).await.unwrap_err(),
        1 << 20
    ));
    assert!(too_large(&api.get("ten").text(9).await.unwrap_err(), 9));
    assert_eq!(api.get("ten").text(10).await.unwrap(), "0123456789");
    let download = api.get("ten").download(9).await.unwrap();
    assert!(too_large(
        &download.try_collect::<Vec<_>>().await.unwrap_err(),
        9
    ));
    assert_eq!(source.times(), 5, "and it is not asked for again");
}

#[tokio::test]
async fn a_file_is_saved_completely_or_not_at_all_and_removed_at_the_end() {
    let source = Source::start(|asked| match asked.before {
        0 => reply(200).body(vec![7; 100_000]).cut(),
        _ => reply(200)
            .header("content-type", "Application/PDF; x=y")
            .body(vec![7; 100_000]),
    })
    .await;
    let saved = source.api().get("file").save(1 << 20).await.unwrap();
    assert_eq!(
        (saved.len(), saved.media_type().as_str()),
        (100_000, "application/pdf")
    );
    assert_eq!(std::fs::read(saved.path()).unwrap(), vec![7; 100_000]);
    let path = saved.path().to_owned();
    drop(saved);
    assert!(!path.exists());
}

#[tokio::test]
async fn an_unchanged_answer_is_not_downloaded_again() {
    let source = Source::start(|asked| match asked.header("if-none-match") {
        Some("\"v1\"") => reply(304),
        _ => ok(json!([1])).header("etag", "\"v1\""),
    })
    .await;
    let mut seen = Validators::default();
    let api = source.api();
    let fresh = api
        .get("rooms")
        .read_if_changed::<Vec<i32>>(&mut seen)
        .await
        .unwrap();
    assert_eq!(fresh, Fresh::New(vec![1]));
    // The validators are restored from a checkpoint.
    let saved = serde_json::to_value(&seen).unwrap();
    let mut seen: Validators = serde_json::from_value(saved).unwrap();
    assert_eq!(
        api.get("rooms")
            .read_if_changed::<Vec<i32>>(&mut seen)
            .await
            .unwrap(),
        Fresh::Same
    );
    let other = api
        .get("rooms?floor=2")
        .read_if_changed::<Vec<i32>>(&mut seen)
        .await
        .unwrap();
    assert_eq!(other, Fresh::New(vec![1]), "each answer has its own");
}

#[tokio::test]
async fn parallel_calls_stay_within_the_limit_and_items_keep_their_order() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let source = Source::start(|asked| {
        let now = NOW.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(now, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(5));
        NOW.fetch_sub(1, Ordering::SeqCst);
        ok(json!(asked.path))
    })
    .await;
    let api = source.api().at_once(3);
    let mut found = api.in_order(0..30, |n| {
        let api = &api;
        async move { api.get(format!("n/{n}")).read::<String>().await.unwrap() }
    });
    let mut paths = Vec::new();
    while let Some(path) = found.next().await {
        // Another call must get its turn, although nothing polls these meanwhile.
        api.get("beside").read::<String>().await.unwrap();
        paths.push(path);
    }
    assert_eq!(
        paths,
        (0..30).map(|n| format!("/n/{n}")).collect::<Vec<_>>()
    );
    assert!(MOST.load(Ordering::SeqCst) <= 3);
}

#[tokio::test]
async fn an_exhausted_quota_is_waited_for_without_calls() {
    let source = Source::start(|_| ok(json!(1)).header("x-left", 0).header("x-reset", 3_600)).await;
    let quota = Quota::per_hour(1_000).remaining("x-left");
    let api = source
        .api()
        .quota(quota.reset(omni_connector::http::Reset::Seconds("x-reset")));
    assert_eq!(api.get("a").read::<i32>().await, Ok(1));
    let error = api.get("b").read::<i32>().await.unwrap_err();
    assert!(
        matches!(
            error,
            SourceError::Busy {
                retry_after: Some(_),
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(source.times(), 1);
}
