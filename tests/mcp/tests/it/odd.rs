//! Tests a misbehaving server behind a connector.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Connector, HttpServer, ODD, action_request, listening};

/// Limit for an answer that does not wait for a timeout.
const AT_ONCE: Duration = Duration::from_secs(10);

async fn over_stdio(mode: &str) -> Connector {
    Connector::start(&json!([ODD, mode]).to_string(), &[], None).await
}

async fn over_http(transport: &str) -> (Connector, HttpServer) {
    let server = listening(ODD, &["--http", "", transport]).await;
    let connector = Connector::start(&server.url, &[], None).await;
    (connector, server)
}

fn offers(manifest: &Value, tool: &str) -> bool {
    let mut actions = manifest["actions"].as_array().unwrap().iter();
    actions.any(|action| action["name"] == tool)
}

#[tokio::test]
async fn a_list_that_never_ends_is_cut_off_and_what_was_read_is_offered() {
    for (mode, log) in [
        ("emptycursor", None),
        ("samecursor", Some("begins again at one of its cursors")),
        ("endless", Some("has more than 200 pages")),
        ("toomany", Some("is too long; 5000 of them")),
        ("turncursor", Some("begins again at one of its cursors")),
        ("emptypages", Some("has more than 200 pages")),
        ("badpage", Some("breaks off")),
    ] {
        let connector = over_stdio(mode).await;
        let started = Instant::now();
        let (status, manifest) = connector.discover().await;
        assert_eq!(status, 200, "{mode}: {manifest}");
        assert!(offers(&manifest, "good"), "{mode}");
        assert!(started.elapsed() < AT_ONCE, "{mode}");
        let written = connector.kill().await;
        if let Some(line) = log {
            assert!(written.contains(line), "{mode}");
        }
    }
}

/// The first page is offered after its time limit.
#[tokio::test]
async fn a_list_that_breaks_off_in_silence_costs_neither_what_was_read_nor_the_other_lists() {
    for (mode, log) in [
        ("mutepage", "the list of tools of the MCP server breaks off"),
        (
            "muteresources",
            "the MCP server does not list its resources",
        ),
    ] {
        let connector = over_stdio(mode).await;
        let (status, manifest) = connector.discover().await;
        assert_eq!(status, 200, "{mode}: {manifest}");
        assert!(offers(&manifest, "good"), "{mode}");
        assert_eq!(connector.call("good", json!({})).await.0, 200, "{mode}");
        assert!(connector.kill().await.contains(log), "{mode}");
    }
}

/// Programs in other languages write an empty object as a list, or leave out what they think is clear.
#[tokio::test]
async fn what_a_server_says_of_itself_costs_no_tool() {
    for mode in ["oddserver", "listserver", "nocapabilities"] {
        let connector = over_stdio(mode).await;
        let (status, manifest) = connector.discover().await;
        assert_eq!(status, 200, "{mode}: {manifest}");
        assert!(offers(&manifest, "good"), "{mode}: {manifest}");
        assert_eq!(connector.call("good", json!({})).await.0, 200, "{mode}");
    }
}

/// The connector then tries the version of the protocol that has no handshake.
#[tokio::test]
async fn the_reason_of_a_server_that_refuses_to_begin_reaches_people() {
    let connector = over_stdio("refused").await;
    let (status, answer) = connector.discover().await;
    let error = answer["error"].as_str().unwrap_or_default();
    assert!(
        status == 502 && error.contains("the license has expired"),
        "{status} {answer}"
    );
}

/// A provider of language models refuses all tools for one such schema.
#[tokio::test]
async fn keywords_of_another_type_are_repaired() {
    let connector = over_stdio("oddkeywords").await;
    let (_, manifest) = connector.discover().await;
    let mut actions = manifest["actions"].as_array().unwrap().iter();
    let bad = actions.find(|action| action["name"] == "bad").unwrap();
    assert_eq!(
        bad["input_schema"],
        json!({ "type": "object", "properties": { "a": { "type": "string" } } })
    );
}

/// A server that offers nothing need not know what a list of tools is.
#[tokio::test]
async fn a_server_without_tools_is_no_error() {
    let connector = over_stdio("nothing").await;
    let (status, manifest) = connector.discover().await;
    assert_eq!(status, 200, "{manifest}");
    assert!(!offers(&manifest, "good"), "{manifest}");
}

#[tokio::test]
async fn an_odd_tool_costs_itself_and_is_named() {
    for (mode, is_left, named) in [
        (
            "badtool",
            false,
            "`bad` of `tools` of the MCP server is left out",
        ),
        (
            "nullschema",
            false,
            "`bad` of `tools` of the MCP server is left out",
        ),
        (
            "boolschema",
            false,
            "`bad` of `tools` of the MCP server is left out",
        ),
        (
            "noname",
            false,
            "`item 1` of `tools` of the MCP server is left out",
        ),
        (
            "badoutput",
            true,
            "`bad` of `tools` of the MCP server is taken without its `outputSchema`",
        ),
        (
            "badannotation",
            true,
            "`bad` of `tools` of the MCP server is taken without its `annotations`",
        ),
        (
            "badicons",
            true,
            "`bad` of `tools` of the MCP server is taken without its `icons`",
        ),
        (
            "numdesc",
            true,
            "`bad` of `tools` of the MCP server is taken without its `description`",
        ),
        (
            "nullname",
            false,
            "`item 1` of `tools` of the MCP server is left out",
        ),
        (
            "numname",
            false,
            "`item 1` of `tools` of the MCP server is left out",
        ),
        (
            "textschema",
            false,
            "`bad` of `tools` of the MCP server is left out",
        ),
        (
            "listschema",
            false,
            "`bad` of `tools` of the MCP server is left out",
        ),
        (
            "notool",
            true,
            "item 4 of `tools` of the MCP server is left out: it is not an object",
        ),
        (
            "numtitle",
            true,
            "`bad` of `tools` of the MCP server is taken without its `title`",
        ),
        (
            "badmeta",
            true,
            "`bad` of `tools` of the MCP server is taken without its `_meta`",
        ),
        (
            "badhint",
            true,
            "`bad` of `tools` of the MCP server is taken without its `annotations`",
        ),
    ] {
        let connector = over_stdio(mode).await;
        let (status, manifest) = connector.discover().await;
        assert_eq!(status, 200, "{mode}: {manifest}");
        assert!(offers(&manifest, "good"), "{mode}");
        assert_eq!(offers(&manifest, "bad"), is_left, "{mode}");
        let log = connector.kill().await;
        assert!(log.contains(named), "{mode}: {log}");
    }
}

/// Omni offers a tool as `github__…`.
#[tokio::test]
async fn a_tool_without_a_name_is_left_out_and_one_that_language_models_refuse_is_named() {
    let refused = "that many language models refuse, and all other tools with it: names have at";
    for (mode, tool, is_offered, logged) in [
        ("emptyname", "", false, "it has no name".to_owned()),
        ("blankname", " ", false, "it has no name".to_owned()),
        (
            "longname",
            &*"n".repeat(90),
            true,
            format!("{refused} most 56"),
        ),
        (
            "longwithtype",
            &*"n".repeat(60),
            true,
            format!("{refused} most 56"),
        ),
        ("nameofproperty", "bad", true, format!("{refused} most 64")),
    ] {
        let connector = over_stdio(mode).await;
        let (status, manifest) = connector.discover().await;
        assert_eq!(status, 200, "{mode}: {manifest}");
        assert!(offers(&manifest, "good"), "{mode}");
        assert_eq!(offers(&manifest, tool), is_offered, "{mode}");
        let log = connector.kill().await;
        assert!(log.contains(&logged), "{mode}: {log}");
    }
}

#[tokio::test]
async fn prompts_and_resources_without_a_name_are_left_out() {
    let connector = over_stdio("nameless").await;
    let (status, manifest) = connector.discover().await;
    assert_eq!(status, 200, "{manifest}");
    let of = |list: &str, key: &str| {
        let items = manifest[list].as_array().unwrap().iter();
        items.map(|item| item[key].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("prompts", "name"), ["p"]);
    assert!(!of("skills", "id").contains(&json!("mcp:")), "{manifest}");
    assert_eq!(of("resources", "uri_template"), ["odd://b"]);
    let log = connector.kill().await;
    for what in ["prompt", "resource"] {
        let line = format!("a {what} of the MCP server is left out, since it has no name");
        assert!(log.contains(&line), "{log}");
    }
}

/// The author allows the server a minute, and the manager waits 30 s.
#[tokio::test]
async fn a_prompt_that_takes_too_long_is_answered_before_omni_gives_up() {
    let env = [("MCP_TIMEOUT", "60")];
    let server = json!([ODD, "nameless"]).to_string();
    let connector = Connector::start(&server, &env, None).await;
    connector.discover().await;
    let started = Instant::now();
    let asked = connector.post("/prompt", json!({ "name": "p" }));
    let loaded = connector.post("/skill", json!({ "skill_id": "mcp:p" }));
    for (status, answer) in <[_; 2]>::from(tokio::join!(asked, loaded)) {
        let error = "the MCP server did not answer within 29 s, which is as long as Omni waits";
        assert_eq!((status, &answer["error"]), (504, &json!(error)));
    }
    assert!(started.elapsed() < Duration::from_millis(29_900));
}

/// Spellings of schemas and pages that PHP, Go and Python write.
#[tokio::test]
async fn a_list_in_an_odd_spelling_is_offered_as_a_whole() {
    for mode in [
        "phparray",
        "nullparts",
        "typelist",
        "notype",
        "listannotation",
        "oddproperty",
        "farref",
        "twice",
        "badexec",
        "byname",
        "nullcursor",
        "numcursor",
        "snaketool",
        "barelist",
    ] {
        let connector = over_stdio(mode).await;
        let (status, manifest) = connector.discover().await;
        assert_eq!(status, 200, "{mode}: {manifest}");
        assert!(offers(&manifest, "good"), "{mode}: {manifest}");
        assert_eq!(
            offers(&manifest, "bad"),
            !mode.ends_with("cursor") && !matches!(mode, "byname" | "barelist"),
            "{mode}: {manifest}"
        );
    }
}

/// Each of these was answered by the server, so the caller gets the answer.
#[tokio::test]
async fn an_answer_in_an_odd_envelope_reaches_its_caller() {
    let (over_http, _server) = over_http("").await;
    for connector in [over_stdio("").await, over_http] {
        connector.discover().await;
        for tool in [
            "idstring",
            "idfloat",
            "batch",
            "spread",
            "nojsonrpc",
            "nullerror",
            "idblanks",
        ] {
            let started = Instant::now();
            let answer = connector.call(tool, json!({})).await;
            assert_eq!(answer, (200, json!({ "content": "fine" })), "{tool}");
            assert!(started.elapsed() < AT_ONCE, "{tool}");
        }
        for tool in ["barerror", "errorcode", "errordata", "errormessage"] {
            let started = Instant::now();
            let (status, error) = connector.call(tool, json!({})).await;
            assert!(status >= 400, "{tool}: {status}");
            assert!(
                error.as_str().unwrap().contains("no such page"),
                "{tool}: {error}"
            );
            assert!(started.elapsed() < AT_ONCE, "{tool}");
        }
        for (tool, expected) in [
            ("contentone", json!({ "content": "alone" })),
            ("contentstring", json!({ "content": "plain" })),
            ("nocontent", json!({ "count": 3 })),
            ("nulls", json!({ "content": "" })),
            ("metanull", json!({ "content": "kept" })),
            ("bareblocks", json!({ "content": "kept" })),
            ("baretext", json!({ "content": "kept" })),
            ("toolresult", json!({ "content": "kept" })),
            ("unwrapped", json!({ "count": 3 })),
            ("snakestruct", json!({ "count": 3 })),
            ("upperkind", json!({ "content": "kept" })),
            ("textnumber", json!({ "content": "7\n{\"a\":[1]}" })),
            ("contentmap", json!({ "content": "a\nkept" })),
            ("contentnested", json!({ "content": "kept" })),
        ] {
            assert_eq!(
                connector.call(tool, json!({})).await,
                (200, expected),
                "{tool}"
            );
        }
        for tool in ["contentmixed", "nouri"] {
            let (status, result) = connector.call(tool, json!({})).await;
            let content = result["content"].as_str().unwrap_or_default();
            assert!(
                status == 200 && content.ends_with("kept"),
                "{tool}: {status} {result}"
            );
        }
        for tool in ["errstring", "snake", "errobject"] {
            let answer = connector.call(tool, json!({})).await;
            assert_eq!(answer, (400, json!("it is locked")), "{tool}");
        }
        let (_, described) = connector.call("errdescribed", json!({})).await;
        assert_eq!(described, "it is locked");
        let (_, bare) = connector.call("errorbare", json!({})).await;
        assert_eq!(bare, "the MCP server gave no reason, but the code -32042");
        let (_, image) = connector.call("snakemime", json!({})).await;
        assert_eq!(image["files"][0]["mime_type"], "image/png");
    }
}

#[tokio::test]
async fn an_odd_part_of_a_result_costs_itself() {
    let connector = over_stdio("").await;
    connector.discover().await;
    let file = json!([{ "name": "image.png", "mime_type": "image/png", "data": "iVBORw0KGgo=" }]);
    for (tool, expected) in [
        ("surrogate", json!({ "content": "a\u{fffd}" })),
        ("nan", json!({ "ratio": null })),
        ("cnan", json!({ "ratio": null, "rate": null })),
        ("halfkey", json!({ "a\u{fffd}": 1 })),
        (
            "halftwice",
            json!({ "content": "\u{fffd}\u{1f600}\u{fffd}" }),
        ),
        ("badescape", json!({ "content": "it\\'s C:\\dir" })),
        (
            "structown",
            json!({ "content": "caption", "structured": { "content": 3 }, "files": file }),
        ),
        (
            "badblock",
            json!({ "content": "[content of kind `hologram` that cannot be read]\nkept" }),
        ),
        ("annot", json!({ "content": "x\nkept" })),
        (
            "textnull",
            json!({ "content": "[content of kind `text` that cannot be read]\nkept" }),
        ),
        ("structfile", json!({ "count": 3, "files": file })),
        (
            "structlist",
            json!({ "content": "", "structured": [1], "files": file }),
        ),
    ] {
        assert_eq!(
            connector.call(tool, json!({})).await,
            (200, expected),
            "{tool}"
        );
    }
    let (_, link) = connector.call("linknoname", json!({})).await;
    assert_eq!(
        (&link["content"], &link["links"][0]["name"]),
        (&json!("kept"), &json!("a:b"))
    );
    let (_, scalar) = connector.call("structscalar", json!({})).await;
    assert_eq!(
        (&scalar["structured"], &scalar["links"][0]["uri"]),
        (&json!(7), &json!("a:b"))
    );
    let (status, blocks) = connector.call("blocks", json!({})).await;
    let content = blocks["content"].as_str().unwrap_or_default();
    assert_eq!(status, 200, "{blocks}");
    assert_eq!(content.matches("cannot be read").count(), 5, "{blocks}");
    assert!(content.ends_with("kept"), "{blocks}");
    assert_eq!(blocks["files"][0]["data"], "AAAA", "{blocks}");
    let (_, both) = connector.call("structlinks", json!({})).await;
    assert_eq!(
        (&both["count"], &both["content"], &both["links"][0]["uri"]),
        (&json!(3), &json!("kept"), &json!("a:b"))
    );
    for (tool, reason) in [
        ("errstruct", "no such page (E42)"),
        ("errodd", r#"{"why":[1]}"#),
        ("errblank", "no such page"),
        ("errboth", "the call failed\nno such page"),
        ("errsaid", "E42: no such page"),
        ("errresource", "no such page"),
        ("errlink", "https://a.b/why"),
        ("errnumber", "no such page"),
        ("erryes", "no such page"),
    ] {
        assert_eq!(
            connector.call(tool, json!({})).await,
            (400, json!(reason)),
            "{tool}"
        );
    }
}

#[tokio::test]
async fn base64_is_read_however_it_is_written() {
    let connector = over_stdio("").await;
    connector.discover().await;
    let png = &b"\x89PNG\r\n\x1a\n"[..];
    for (tool, bytes) in [
        ("b64wrap", png),
        ("b64nopad", png),
        ("datauri", png),
        ("b64upper", png),
        ("b64blanks", png),
        ("b64blob", png),
        ("b64url", b"\xfb\xff\xbf"),
    ] {
        let answer = connector
            .raw("/action", action_request(tool, json!({}), "secret"))
            .await;
        assert_eq!(answer.status(), 200, "{tool}");
        assert_eq!(&answer.bytes().await.unwrap()[..], bytes, "{tool}");
    }
    let (status, result) = connector.call("nobase64", json!({})).await;
    assert_eq!((status, &result["files"][0]["data"]), (200, &json!("!!")));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_an_error_at_once() {
    let (over_http, _server) = over_http("").await;
    for connector in [over_stdio("").await, over_http] {
        connector.discover().await;
        for tool in ["notjson", "number", "deep", "huge"] {
            if tool == "huge" && cfg!(feature = "precise") {
                // An exact number has no limit, so this answer can be read.
                continue;
            }
            let started = Instant::now();
            let (status, error) = connector.call(tool, json!({})).await;
            assert_eq!(status, 502, "{tool}: {error}");
            assert!(
                error.as_str().unwrap().contains("MCP server"),
                "{tool}: {error}"
            );
            assert!(started.elapsed() < AT_ONCE, "{tool}");
        }
        assert_eq!(connector.call("good", json!({})).await.0, 200);
    }
}

#[tokio::test]
async fn a_connection_that_does_not_answer_is_replaced_and_one_that_does_stays() {
    let env = [("MCP_TIMEOUT", "2")];
    let connector = Connector::start(&json!([ODD, ""]).to_string(), &env, None).await;
    connector.discover().await;
    let before = connector.children();
    assert_eq!(connector.call("silent", json!({})).await.0, 504);
    assert_eq!(connector.call("good", json!({})).await.0, 200);
    assert_eq!(connector.children(), before, "the server answered a ping");
    assert_eq!(connector.call("mute", json!({})).await.0, 504);
    assert_eq!(connector.call("good", json!({})).await.0, 200);
    assert!(!connector.children().is_empty());
    assert_ne!(connector.children(), before, "another process answers");
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_replaced_over_http_as_well() {
    let env = [("MCP_TIMEOUT", "2")];
    for transport in ["", "sse"] {
        let server = listening(ODD, &["--http", "", transport]).await;
        let connector = Connector::start(&server.url, &env, None).await;
        connector.discover().await;
        for silence in ["mute", "mutestream"] {
            let before = connector.text("session").await;
            assert_eq!(connector.call("silent", json!({})).await.0, 504);
            assert_eq!(connector.call("good", json!({})).await.0, 200);
            assert_eq!(
                connector.text("session").await,
                before,
                "the server answered a ping"
            );
            assert_eq!(connector.call(silence, json!({})).await.0, 504, "{silence}");
            let (status, result) = connector.call("good", json!({})).await;
            assert_eq!(status, 200, "{silence}: {result}");
            assert_ne!(
                connector.text("session").await,
                before,
                "{silence}: another session answers"
            );
        }
    }
}

#[tokio::test]
async fn a_session_that_is_unknown_is_opened_again_whichever_status_says_so() {
    for transport in [
        "expire400",
        "expire404",
        "expire410",
        "expire401",
        "expire500",
        "expire200",
    ] {
        let (connector, _server) = over_http(transport).await;
        connector.discover().await;
        for _ in 0..3 {
            let started = Instant::now();
            let (status, result) = connector.call("good", json!({})).await;
            assert_eq!(status, 200, "{transport}: {result}");
            assert!(started.elapsed() < AT_ONCE, "{transport}");
        }
    }
    let (connector, _server) = over_http("always400").await;
    connector.discover().await;
    let started = Instant::now();
    let (status, error) = connector.call("good", json!({})).await;
    assert!(
        status == 502 && error.as_str().unwrap().contains("no valid id"),
        "{status} {error}"
    );
    assert!(started.elapsed() < AT_ONCE);
}

/// The refusals do not say that the session is unknown.
#[tokio::test]
async fn a_session_that_is_refused_without_a_reason_is_replaced_by_the_next_call() {
    for (transport, expected) in [("mute400", 502), ("mute401", 401)] {
        let (connector, _server) = over_http(transport).await;
        connector.discover().await;
        let (status, error) = connector.call("good", json!({})).await;
        assert_eq!(status, expected, "{transport}: {error}");
        let (status, result) = connector.call("good", json!({})).await;
        assert_eq!(status, 200, "{transport}: {result}");
    }
}

#[tokio::test]
async fn a_server_that_answers_pings_and_no_call_is_replaced_after_two_timeouts() {
    let env = [("MCP_TIMEOUT", "2")];
    let connector = Connector::start(&json!([ODD, ""]).to_string(), &env, None).await;
    connector.discover().await;
    let before = connector.children();
    assert_eq!(connector.call("hang", json!({})).await.0, 504);
    assert_eq!(connector.call("good", json!({})).await.0, 504);
    let (status, result) = connector.call("good", json!({})).await;
    assert_eq!(status, 200, "{result}");
    assert_ne!(connector.children(), before, "another process answers");
}

/// The server refuses each request that leaves the coding of its answer open.
#[tokio::test]
async fn every_request_asks_for_an_answer_that_is_not_compressed() {
    let (connector, _server) = over_http("identity").await;
    let (status, manifest) = connector.discover().await;
    assert_eq!(status, 200, "{manifest}");
    assert!(offers(&manifest, "good"), "{manifest}");
    assert_eq!(connector.call("good", json!({})).await.0, 200);
}

#[tokio::test]
async fn a_refusal_over_http_keeps_its_meaning_and_names_no_type() {
    for (transport, expected, said) in [
        ("429", 429, "takes no more calls for now"),
        ("403", 403, "not for you"),
        ("500", 502, "500"),
        ("202", 502, "sent no answer"),
        ("html", 502, "`text/html` in place of JSON"),
        ("half", 502, "cannot be read"),
        ("429date", 429, "takes no more calls for now"),
        ("204", 502, "sent no answer"),
        ("empty", 502, "sent no answer"),
        (
            "packed",
            502,
            "it is encoded as `br`, which was not asked for",
        ),
        ("302", 502, "302"),
        ("503", 502, "down for repairs"),
        ("other", 502, "it is not an answer to this call"),
        ("comments", 502, "cannot be read"),
    ] {
        let (connector, _server) = over_http(transport).await;
        connector.discover().await;
        for _ in 0..3 {
            let request = action_request("good", json!({}), "secret");
            let started = Instant::now();
            let answer = connector.raw("/action", request).await;
            assert!(started.elapsed() < AT_ONCE, "{transport}");
            let wait = answer.headers().get("retry-after").cloned();
            let wait = wait.and_then(|wait| wait.to_str().ok()?.parse::<u64>().ok());
            match transport {
                "429" => assert_eq!(wait, Some(7)),
                "429date" => assert!(wait.is_some_and(|wait| wait > 7_000), "{wait:?}"),
                _ => assert_eq!(wait, None),
            }
            let status = answer.status();
            let error = answer.text().await.unwrap();
            assert_eq!(status, expected, "{transport}: {error}");
            assert!(error.contains(said), "{transport}: {error}");
            assert!(!error.contains("::"), "{transport}: {error}");
        }
    }
    let (connector, _server) = over_http("plain").await;
    connector.discover().await;
    assert_eq!(
        connector.call("good", json!({})).await,
        (200, json!({ "content": "good" }))
    );
    for events in ["sse", "ssefields"] {
        let (connector, _server) = over_http(events).await;
        connector.discover().await;
        assert_eq!(
            connector.call("good", json!({})).await,
            (200, json!({ "content": "good" })),
            "{events}"
        );
        let (_, result) = connector.call("surrogate", json!({})).await;
        assert_eq!(result["content"], "a\u{fffd}", "{events}");
    }
}
