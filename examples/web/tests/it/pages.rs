//! Pages in many encodings and formats, and what they ask of robots.

use omni_connector::SyncType::{Full, Incremental};
use serde_json::json;

use crate::site::{Answer, Test, html, redirect, status};

fn typed(media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type", media_type.into())],
        body: body.into(),
    }
}

#[tokio::test]
async fn a_page_is_read_in_the_encoding_that_it_declares() {
    let utf16 = |text: &str| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    let pages = [
        ("/", html("<a href=/1><a href=/2><a href=/3><a href=/4><a href=/5><a href=/6>")),
        ("/1", typed("text/html; charset=ISO-8859-1", b"<title>1</title><p>gr\xfc\xdfe".to_vec())),
        ("/2", typed("text/html", b"<meta charset='windows-1252'><title>2</title><p>\x80 50".to_vec())),
        ("/3", typed("text/html", "\u{feff}<title>3</title><p>größe".as_bytes().to_vec())),
        ("/4", typed("text/html", utf16("<title>4</title><p>größe"))),
        ("/5", typed("text/html", b"<meta http-equiv=content-type content='text/html; charset=shift_jis'><title>5</title><p>\x93\xfa\x96{".to_vec())),
        ("/6", typed("text/plain; charset=iso-8859-2", b"\xb9koda".to_vec())),
    ];
    let test = Test::start(&pages, json!({})).await;
    test.sync(Full).await;
    let found = test.by_path().await;
    for (path, text) in [
        ("/1", "grüße"),
        ("/2", "€ 50"),
        ("/3", "größe"),
        ("/4", "größe"),
        ("/5", "日本"),
        ("/6", "škoda"),
    ] {
        assert!(
            found[path].text.contains(text),
            "{path}: {}",
            found[path].text
        );
    }
}

#[tokio::test]
async fn linked_files_are_documents_and_pictures_are_not() {
    let pages = [
        (
            "/",
            html("<a href=/plan.pdf><a href=/notes.md><a href=/boat.png><a href=/app.js>"),
        ),
        ("/plan.pdf", typed("application/pdf", "%PDF-1.4")),
        (
            "/notes.md",
            typed("text/markdown", "# Notes\n\nAbout boats."),
        ),
        ("/boat.png", typed("image/png", "PNG")),
        ("/app.js", typed("text/javascript", "1")),
    ];
    let test = Test::start(&pages, json!({})).await;
    let ended = test.sync(Full).await;
    assert_eq!(test.paths().await, ["/", "/notes.md", "/plan.pdf"]);
    let found = test.by_path().await;
    assert_eq!(found["/plan.pdf"].title, "plan.pdf");
    assert_eq!(found["/plan.pdf"].metadata["mime_type"], "application/pdf");
    assert!(found["/notes.md"].text.contains("About boats."));
    // The report says what was left out.
    assert_eq!(ended.report().skipped, 2);
}

#[tokio::test]
async fn pages_that_ask_robots_not_to_index_them_have_no_document() {
    let asks = |value: &'static str, body: &str| Answer {
        headers: vec![
            ("content-type", "text/html".into()),
            ("x-robots-tag", value.into()),
        ],
        ..html(body)
    };
    let pages = [
        (
            "/",
            html("<a href=/header><a href=/none><a href=/other><a href=/ours><a href=/pdf>"),
        ),
        ("/header", asks("noindex", "<a href=/below>B</a>")),
        (
            "/none",
            html("<meta name=robots content=none><a href=/hidden>H</a>"),
        ),
        ("/other", asks("otherbot: noindex", "<p>other")),
        ("/ours", asks("omni-web: noindex", "<p>ours")),
        (
            "/pdf",
            Answer {
                headers: vec![
                    ("content-type", "application/pdf".into()),
                    ("x-robots-tag", "noindex".into()),
                ],
                ..html("%PDF")
            },
        ),
        ("/below", html("<p>below</p>")),
        ("/hidden", html("<p>hidden</p>")),
    ];
    let test = Test::start(&pages, json!({})).await;
    test.sync(Full).await;
    assert_eq!(test.paths().await, ["/", "/below", "/other"]);
    // Also a page that is too deep to be parsed.
    let head = "<head><title>O</title><meta name=robots content=noindex></head>";
    let deep = format!("{head}<body>{}other", "<div>".repeat(6_000));
    test.set("/other", html(&deep));
    test.sync(Full).await;
    assert_eq!(test.paths().await, ["/", "/below"]);
}

#[tokio::test]
async fn an_answer_without_a_page_changes_no_document() {
    let pages = [
        ("/", html("<a href=/a>A</a>")),
        ("/a", html("<p>words</p>")),
    ];
    let test = Test::start(&pages, json!({})).await;
    test.sync(Full).await;
    // Some sites answer robots that they doubt with an empty 202, or send them in a circle.
    let others = [202, 204, 205].map(status).into_iter();
    for (number, other) in others.chain([redirect(301, "/a#top")]).enumerate() {
        test.set("/a", other);
        for mode in [Incremental, Full] {
            test.run(mode).await;
            let found = test.by_path().await;
            assert!(found["/a"].text.contains("words"), "{number}");
        }
    }
}

#[tokio::test]
async fn a_redirect_to_an_address_that_is_not_escaped_is_followed() {
    let pages = [
        ("/", html("<a href=/a>A</a>")),
        ("/a", redirect(301, "/grün")),
        ("/gr%C3%BCn", html("<p>green</p>")),
    ];
    let test = Test::start(&pages, json!({})).await;
    test.sync(Full).await;
    assert_eq!(test.paths().await, ["/", "/gr%C3%BCn"]);
}

#[tokio::test]
async fn a_page_whose_canonical_address_has_no_document_keeps_its_own() {
    let canonical = |to: &str| html(&format!("<link rel=canonical href='{to}'><p>words</p>"));
    let links = ["/back", "/gone", "/hidden", "/one", "/copy"];
    let links = links.map(|it| format!("<a href={it}>L</a>")).concat();
    let pages = [
        ("/", html(&links)),
        // Its canonical address leads back, as behind a proxy that makes `https` of `http`.
        ("/back", canonical("/back/")),
        ("/back/", redirect(301, "/back")),
        ("/gone", canonical("/nowhere")),
        ("/hidden", canonical("/draft")),
        (
            "/draft",
            html("<meta name=robots content=noindex><p>draft</p>"),
        ),
        // Each of two names the other one.
        ("/one", canonical("/two")),
        ("/two", canonical("/one")),
        ("/copy", canonical("/original")),
        ("/original", html("<p>original</p>")),
    ];
    let expected = ["/", "/back", "/gone", "/hidden", "/one", "/original"];
    let test = Test::start(&pages, json!({})).await;
    for mode in [Full, Incremental, Incremental, Full] {
        test.run(mode).await;
        assert_eq!(test.paths().await, expected, "{mode:?}");
    }
    // The document goes behind the run in which the canonical address has one.
    test.set("/nowhere", html("<p>words</p>"));
    test.set(
        "/gone",
        html("<link rel=canonical href=/nowhere><p>other words</p>"),
    );
    test.sync(Incremental).await;
    test.sync(Incremental).await;
    let expected = ["/", "/back", "/hidden", "/nowhere", "/one", "/original"];
    assert_eq!(test.paths().await, expected);
}
