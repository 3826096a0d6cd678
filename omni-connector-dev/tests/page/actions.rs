//! The pane of the actions: dry runs and webhooks.

use serde_json::{Value, json};

use crate::{World, requests::send};

#[tokio::test]
async fn a_dry_run_shows_what_was_stopped_and_whose_credential_it_is() {
    let world = World::new().await;
    let browser = world.browser().await;
    let path = format!("/dev/actions?source={}&action=echo", world.source);
    let input = json!({ "text": "canary-7f3a\"<9" }).to_string();
    let fields = [("as_json", "1"), ("json", input.as_str()), ("dry", "1")];
    let (status, done) = send(&browser, &path, &fields).await;
    assert_eq!(status, 200, "{done}");
    let shown = browser.json(&path).await;
    let tried = &shown["dry_run"];
    assert_eq!(tried["stopped"]["method"], "POST");
    let reason = "no person calls, so it is the organisation's";
    assert_eq!(tried["credential"]["reason"], reason);
    assert_eq!(shown["called"], json!(null), "nothing was called");
    let page = browser.page(&path).await;
    for part in ["was not sent", "Call for real", reason] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for secret in ["<b>", "canary"] {
        assert!(!page.contains(secret), "{secret}: {page}");
        assert!(!shown.to_string().contains("canary"), "{shown}");
    }
    // The real call takes the place of the dry run.
    let (status, _) = send(&browser, &path, &fields[..2]).await;
    assert_eq!(status, 200);
    let shown = browser.json(&path).await;
    assert_eq!(shown["dry_run"], json!(null));
    assert_eq!(shown["called"]["status"], 200);
}

#[tokio::test]
async fn an_answer_is_compared_with_the_one_before() {
    let world = World::new().await;
    let browser = world.browser().await;
    let path = format!("/dev/actions?source={}&action=echo", world.source);
    let call = async |text: &str| {
        let input = json!({ "text": text }).to_string();
        send(&browser, &path, &[("as_json", "1"), ("json", &input)]).await;
        browser.json(&path).await["called"]["changes"].clone()
    };
    assert_eq!(call("a").await, json!(null), "there is no answer before");
    assert_eq!(call("a").await, json!([]));
    let change = json!({ "place": "/result/text", "before": "a", "after": "<b>" });
    assert_eq!(call("<b>").await, json!([change]));
    let page = browser.page(&path).await;
    assert!(
        page.contains("What differs from the answer before"),
        "{page}"
    );
    assert!(!page.contains("<b>"), "{page}");
}

#[tokio::test]
async fn a_call_is_kept_as_a_test_that_makes_it_and_expects_its_answer() {
    let world = World::with(json!({ "type": "object" })).await;
    let browser = world.browser().await;
    let kept = async |action: &str, viewer: &str, input: Value| {
        let path = format!(
            "/dev/actions?source={}&action={action}{viewer}",
            world.source
        );
        let input = input.to_string();
        send(&browser, &path, &[("as_json", "1"), ("json", &input)]).await;
        browser.json(&path).await["test"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(browser.json("/dev/actions").await["test"], json!(null));
    let input = json!({ "text": "a \"quoted\"\nline", "large": 5_000_000_000_u64, "list": [null, true, 1.5], "none": {} });
    let literal = r#"json!({ "large": 5000000000_i64, "list": [null, true, 1.5], "none": {}, "text": "a \"quoted\"\nline" })"#;
    let expected = [
        "#[tokio::test(flavor = \"multi_thread\")]\nasync fn echo_answers_as_it_did() {",
        "Setup::of(env!(\"CARGO_BIN_EXE_acme\"))",
        ".config(json!({ \"api_url\": \"https://acme.example\" }))",
        &format!("let input = {literal};"),
        "setup.try_call(\"echo\", input, None).await;",
        // The manager adds the settings of the source.
        &format!(
            "assert_eq!(called.unwrap(), {});",
            literal.replacen("{ ", "{ \"api_url\": \"https://acme.example\", ", 1)
        ),
    ];
    let test = kept("echo", "", input).await;
    for part in expected {
        assert!(test.contains(part), "{part}: {test}");
    }
    // A refusal is kept as well, with the person who called.
    let test = kept(
        "echo",
        "&as=ann@acme.example",
        json!({ "text": "canary-7f3a\"<9" }),
    )
    .await;
    assert!(
        test.contains("input, Some(\"ann@acme.example\"))"),
        "{test}"
    );
    assert!(!test.contains("canary"), "{test}");
    let page = browser.page("/dev/actions").await;
    assert!(page.contains("Keep as a test"), "{page}");
}

#[tokio::test]
async fn resources_prompts_and_skills_are_fetched_as_a_model_would() {
    let world = World::new().await;
    let browser = world.browser().await;
    let fetch = async |fields: &[(&str, &str)]| {
        let (status, answer) = send(&browser, "/dev/actions/offer", fields).await;
        (
            status.as_u16(),
            answer,
            browser.json("/dev/actions").await["offers"]["fetched"].clone(),
        )
    };
    let page = browser.page("/dev/actions").await;
    for part in [
        "acme://rules/{id}",
        "name=\"a/topic\" required",
        "name=\"a/tone\"",
        "How to ask",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let (status, done, shown) = fetch(&[("kind", "resource"), ("name", "acme://rules/7")]).await;
    assert_eq!(
        (status, &done["done"]),
        (200, &json!("Fetched the resource `acme://rules/7`."))
    );
    assert_eq!(shown["answer"]["contents"][0]["uri"], "acme://rules/7");
    let fields = [
        ("kind", "prompt"),
        ("name", "summary"),
        ("a/topic", "moths"),
        ("a/tone", ""),
    ];
    let (_, _, shown) = fetch(&fields).await;
    assert_eq!(shown["answer"]["messages"], json!([{ "topic": "moths" }]));
    let (_, _, shown) = fetch(&[("kind", "skill"), ("name", "acme:help")]).await;
    assert_eq!(shown["answer"]["content"], "Ask <b>well.");
    let page = browser.page("/dev/actions").await;
    assert!(
        page.contains("Ask &lt;b&gt;well.") && !page.contains("<b>"),
        "{page}"
    );
    let (_, done, shown) = fetch(&[("kind", "prompt"), ("name", "nothing")]).await;
    assert!(
        done["done"].as_str().unwrap().contains("was not fetched"),
        "{done}"
    );
    assert_eq!(shown["answer"], json!(null));
    let (status, refusal, _) = fetch(&[("kind", "secret"), ("name", "x")]).await;
    assert_eq!(status, 400);
    assert!(
        refusal["error"]
            .as_str()
            .unwrap()
            .contains("`secret` is not an offer"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_connector_that_makes_no_dry_runs_is_not_called() {
    let world = World::new().await;
    let browser = world.browser().await;
    let path = format!("/dev/actions?source={}&action=echo", world.source);
    let fields = [
        ("as_json", "1"),
        ("json", "{\"text\":\"plain\"}"),
        ("dry", "1"),
    ];
    let (status, refusal) = send(&browser, &path, &fields).await;
    assert_eq!(status, 409);
    let error = refusal["error"].as_str().unwrap();
    assert!(error.contains("not started by `cargo omni`"), "{error}");
    assert_eq!(browser.json(&path).await["called"], json!(null));
    // A run would lose its requests.
    let begin = format!("/dev/sync/begin?source={}", world.source);
    send(&browser, &begin, &[("mode", "full")]).await;
    let fields = [("as_json", "1"), ("json", "{\"text\":\"a\"}"), ("dry", "1")];
    let (status, refusal) = send(&browser, &path, &fields).await;
    assert_eq!(status, 409);
    assert!(
        refusal["error"].as_str().unwrap().contains("a run goes on"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_webhook_is_called_with_a_true_signature_again_and_twice_at_once() {
    let world = World::new().await;
    let browser = world.browser().await;
    let shown = async || browser.json("/dev/actions").await["webhooks"].clone();
    let path = format!("/hooks/{}", world.source);
    let first = shown().await;
    assert_eq!(first["paths"], json!([path]));
    assert_eq!(
        first["secrets"],
        json!(["credential.key", "config.api_url"])
    );
    let deliver = async |path: &str, secret: &str, headers: &str, times: &str| {
        let fields = [
            ("path", path),
            ("body", "{\r\n}"),
            ("headers", headers),
            ("signature_header", "x-signature"),
            ("signature_prefix", "v1="),
            ("secret", secret),
            ("times", times),
        ];
        send(&browser, "/dev/actions/webhook", &fields).await
    };
    let (status, done) = deliver(&path, "credential.key", "X-Event: push", "1").await;
    assert_eq!(
        (status.as_u16(), &done["done"]),
        (200, &json!("Delivered 1 time: 200."))
    );
    assert_eq!(done["deliveries"][0]["answer"], "{\n}");
    let (_, done) = deliver(&path, "config.api_url", "", "2").await;
    assert_eq!(done["done"], "Delivered 2 times: 401, 401.");
    let deliveries = shown().await["deliveries"].clone();
    let statuses: Vec<_> = deliveries
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].clone())
        .collect();
    assert_eq!(statuses, [401, 401, 200], "the newest first");
    let page = browser.page("/dev/actions").await;
    assert!(page.contains("Send again"), "{page}");
    assert!(!page.contains("<b>") && !page.contains("canary"), "{page}");
    let again = crate::browser::fields(&page, "action=\"/dev/actions/webhook?source=");
    let names: Vec<_> = again.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "path",
        "body",
        "headers",
        "signature_header",
        "signature_prefix",
        "secret",
    ];
    assert_eq!(names, expected);

    for (path, secret, headers, status, part) in [
        (
            "/action",
            "credential.key",
            "",
            404,
            "the connector has no webhook `/action`",
        ),
        (
            &path,
            "credential.nothing",
            "",
            400,
            "no field `credential.nothing`",
        ),
        (
            &path,
            "credential.key",
            "nonsense",
            400,
            "`nonsense` is not a header",
        ),
    ] {
        let (answered, refusal) = deliver(path, secret, headers, "1").await;
        assert_eq!(answered.as_u16(), status, "{refusal}");
        assert!(
            refusal["error"].as_str().unwrap().contains(part),
            "{refusal}"
        );
    }
}
