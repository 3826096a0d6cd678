//! What a crawl promises: nothing is lost that exists, nothing is read that did not change, and no page ends a run.

use std::process::Command;

use omni_connector::{
    SyncType::{Full, Incremental},
    prelude::*,
};

use crate::site::{Answer, Test, html, plain, redirect, status};

fn small() -> Vec<(&'static str, Answer)> {
    vec![
        (
            "/",
            html(
                "<title>Root</title><p>root</p><a href=a>A</a> <a href=/b/?utm_source=x&k=1#f>B</a>",
            ),
        ),
        ("/a", html("<title>A</title><p>a</p><a href=c>C</a>")),
        ("/b/?k=1", html("<title>B</title><p>b</p>")),
        ("/c", html("<title>C</title><p>c</p>")),
    ]
}

const SMALL: [&str; 4] = ["/", "/a", "/b/?k=1", "/c"];

#[tokio::test]
async fn a_second_run_asks_once_for_each_page_and_reads_no_body() {
    let test = Test::start(&small(), json!({})).await;
    test.sync(Full).await;
    assert_eq!(test.paths().await, SMALL);
    assert!(test.asked().iter().all(|it| it.2 == 200 && !it.1));
    let second = test.sync(Incremental).await;
    let mut asked = test.asked();
    asked.sort();
    assert_eq!(asked, SMALL.map(|path| (path.to_owned(), true, 304)));
    assert_eq!(
        second.progress.effects.updated + second.progress.effects.deleted,
        0
    );
    test.sync(Full).await;
    assert!(test.asked().iter().all(|it| it.2 == 200));
    assert_eq!(test.paths().await, SMALL);
}

#[tokio::test]
async fn a_site_that_is_down_loses_nothing() {
    let test = Test::start(&small(), json!({})).await;
    test.sync(Full).await;
    for mode in [Full, Incremental] {
        for code in [500, 503, 429, 403] {
            test.world().down = Some(code);
            test.run(mode).await;
            assert_eq!(test.paths().await, SMALL, "{code}");
        }
        test.world().down = None;
        // The root alone is gone, or some pages fail.
        let root = test.world().pages["/"].clone();
        test.set("/", status(404));
        assert!(test.fails(mode).await.contains("`root_url` is gone"));
        test.set("/", root);
        let page = test.world().pages["/a"].clone();
        test.set("/a", status(500));
        test.run(mode).await;
        assert_eq!(test.paths().await, SMALL);
        test.set("/a", page);
    }
    test.sync(Incremental).await;
    assert_eq!(test.paths().await, SMALL);
}

#[tokio::test]
async fn only_what_is_gone_for_certain_is_deleted() {
    let test = Test::start(&small(), json!({})).await;
    test.sync(Full).await;
    test.set("/c", status(410));
    test.sync(Incremental).await;
    assert_eq!(test.paths().await, ["/", "/a", "/b/?k=1"]);
    test.set(
        "/b/?k=1",
        html("<meta name=robots content='noindex, follow'><p>b</p><a href=/d>D</a>"),
    );
    test.set("/d", html("<title>D</title><p>d</p>"));
    test.sync(Incremental).await;
    assert_eq!(test.paths().await, ["/", "/a", "/d"]);
    // Nothing links to it any more.
    test.set(
        "/b/?k=1",
        html("<meta name=robots content=noindex><p>b</p>"),
    );
    test.sync(Incremental).await;
    assert_eq!(test.paths().await, ["/", "/a"]);
    test.configure("blacklist_patterns", json!(["/zzz$", "/a$", "/yyy$"]))
        .await;
    test.sync(Incremental).await;
    assert_eq!(test.paths().await, ["/"]);
}

#[tokio::test]
async fn a_limit_deletes_nothing_and_keeps_the_same_pages() {
    let test = Test::start(&small(), json!({})).await;
    test.sync(Full).await;
    test.configure("max_pages", json!(2)).await;
    test.sync(Incremental).await;
    test.sync(Full).await;
    assert_eq!(test.paths().await, SMALL);
    let test = Test::start(&small(), json!({ "max_pages": 2 })).await;
    for _ in 0..2 {
        test.sync(Full).await;
        assert_eq!(test.paths().await, ["/", "/a"]);
    }
}

#[tokio::test]
async fn redirects_and_canonical_links_lead_to_one_document() {
    let pages = [
        (
            "/",
            html(
                "<p>root</p><a href=/moved><a href=/now><a href=/round><a href=/spin><a href=/away><a href=/copy>",
            ),
        ),
        ("/moved", redirect(301, "/new")),
        ("/new", html("<p>new</p>")),
        ("/now", redirect(302, "/today")),
        ("/today", html("<p>today</p>")),
        ("/round", redirect(301, "/round2")),
        ("/round2", redirect(308, "/round")),
        ("/spin", redirect(302, "/spin")),
        ("/away", redirect(302, "http://169.254.169.254/secret")),
        (
            "/copy",
            html("<link rel=canonical href=/original><p>copy</p>"),
        ),
        ("/original", html("<p>original</p>")),
    ];
    let test = Test::start(&pages, json!({})).await;
    test.sync(Full).await;
    assert_eq!(test.paths().await, ["/", "/new", "/now", "/original"]);
    assert!(test.by_path().await["/now"].text.contains("today"));
}

#[tokio::test]
async fn robots_and_sitemaps_are_obeyed() {
    let mut pages = small();
    pages.push(("/private/x", html("secret")));
    pages.push(("/lonely", html("<p>lonely</p>")));
    let test = Test::start(&pages, json!({})).await;
    test.set("/", html("<p>root</p><a href=/private/x>X</a>"));
    let map = format!(
        "<sitemapindex><sitemap><loc>{}/more.xml</loc></sitemap></sitemapindex>",
        test.url
    );
    test.set("/sitemap.xml", html(&map));
    let map = format!(
        "<urlset><url><loc>{0}/lonely</loc></url><url><loc>{0}/a</loc></url></urlset>",
        test.url
    );
    test.set("/more.xml", html(&map));
    test.sync(Full).await;
    assert_eq!(test.paths().await, ["/", "/a", "/c", "/lonely"]);
    assert!(test.asked().iter().all(|it| !it.0.contains("private")));
    test.set("/robots.txt", status(500));
    assert!(
        test.fails(Incremental)
            .await
            .contains("robots.txt of `root_url` cannot be read")
    );
    assert_eq!(test.paths().await.len(), 4);
    let robots = "User-agent: *\nCrawl-delay: 0.01\nDisallow: /c";
    test.set("/robots.txt", plain(robots));
    test.sync(Incremental).await;
    assert_eq!(test.paths().await, ["/", "/a", "/lonely", "/private/x"]);
}

#[tokio::test]
async fn no_hostile_page_ends_a_run() {
    let deep = "<div>".repeat(200_000) + "<p>deep words</p>";
    let pages = [
        (
            "/",
            html(
                "<p>root</p><a href=/huge><a href=/binary><a href=/deep><a href=/odd><a href=/trap/1><a href=/empty><a href='http://['><a href='javascript:x'><a href=/z>",
            ),
        ),
        ("/huge", html(&"x".repeat(12 << 20))),
        (
            "/binary",
            html(&String::from_utf8_lossy(
                &(0..=255).collect::<Vec<u8>>().repeat(400),
            )),
        ),
        ("/deep", html(&deep)),
        (
            "/odd",
            Answer {
                headers: vec![("content-type", "image/png".into())],
                ..html("PNG")
            },
        ),
        ("/empty", html("")),
        ("/z", html("<p>z</p>")),
    ];
    let test = Test::start(&pages, json!({ "max_pages": 60, "max_depth": 1000 })).await;
    test.world().others = Some(|path| {
        let number = path
            .strip_prefix("/trap/")
            .and_then(|it| it.parse::<u64>().ok());
        number.map_or(status(404), |it| {
            html(&format!(
                "<p>{it}</p><a href=/trap/{}>next</a><a href=/trap/{}>",
                it + 1,
                it * 1_000
            ))
        })
    });
    test.sync(Full).await;
    let found = test.by_path().await;
    assert!(found["/deep"].text.contains("deep words"));
    for path in ["/", "/binary", "/empty", "/z", "/trap/3"] {
        assert!(found.contains_key(path), "{path}");
    }
    assert!(!found.contains_key("/huge") && !found.contains_key("/odd"));
    assert!(found.len() <= 60);
}

#[tokio::test]
async fn a_wrong_setting_is_named() {
    let test = Test::start(&small(), json!({})).await;
    let https = test.url.replace("http:", "https:");
    for (key, value, message) in [
        (
            "root_url",
            json!("http://no-such-host.invalid/"),
            "`no-such-host.invalid` of the setting `root_url` is not found",
        ),
        ("root_url", json!(https), "`root_url`"),
        (
            "root_url",
            json!("ftp://example.com/"),
            "must begin with `http://`",
        ),
        ("blacklist_patterns", json!(["("]), "`blacklist_patterns`"),
    ] {
        let before = json!(format!("{}/", test.url));
        test.configure(key, value).await;
        let error = test.refusal(Full).await;
        assert!(error.contains(message), "{error}");
        test.configure("root_url", before).await;
    }
}

#[tokio::test]
async fn the_pages_are_those_that_wget_finds() {
    let mut pages = small();
    pages.push((
        "/d/",
        html("<base href=/e/><a href=x>X</a><a href=../../a>A</a>"),
    ));
    pages.push(("/e/x", html("<p>x</p><iframe src=y></iframe>")));
    pages.push((
        "/e/y",
        html("<p>y</p><a href=/d/?utm_medium=m>D</a><a href=//127.0.0.1:1/z>"),
    ));
    let test = Test::start(&pages, json!({})).await;
    test.set("/", html("<title>Root</title><a href=a>A</a> <a href='/b/?k=1'>B</a><a href=./d/#top>D</a><a href=/gone>"));
    test.sync(Full).await;
    test.asked();
    let folder = tempfile::tempdir().unwrap();
    let mut wget = Command::new("wget");
    wget.args(["-q", "-r", "-l", "10", "-P"])
        .arg(folder.path())
        .arg(format!("{}/", test.url));
    let Ok(ended) = tokio::task::spawn_blocking(move || wget.status())
        .await
        .unwrap()
    else {
        eprintln!("wget is not installed, so nothing is compared");
        return;
    };
    // It follows the link to another port, where nothing answers.
    assert_eq!(ended.code(), Some(4));
    let found = test
        .asked()
        .into_iter()
        .filter(|it| it.2 == 200 && !it.0.contains("utm_"));
    let mut found: Vec<_> = found.map(|it| it.0).collect();
    found.sort();
    found.dedup();
    assert_eq!(test.paths().await, found);
}
