//! Lists of links that are not what they were: sitemaps that break off, pages with very many links, settings and headers
//! that changed while the pages did not.

use omni_connector::{
    SyncType::{Full, Incremental},
    prelude::*,
};

use crate::site::{Answer, Test, html, plain, redirect};

const ALL: [&str; 5] = ["/", "/a", "/b", "/lonely", "/remote"];

fn pages() -> Vec<(&'static str, Answer)> {
    vec![
        ("/", html("<p>root</p><a href=/a>A</a> <a href=/b>B</a>")),
        ("/a", html("<p>a</p>")),
        ("/b", html("<p>b</p>")),
        ("/lonely", html("<p>lonely</p>")),
        ("/remote", html("<p>remote</p>")),
    ]
}

/// A sitemap with two pages to which no page links.
fn sitemap(test: &Test) -> String {
    let url = |path: &str| format!("<url><loc>{}{path}</loc></url>", test.url);
    format!("<urlset>{}{}</urlset>", url("/lonely"), url("/remote"))
}

fn with_header(name: &'static str, value: &str, page: Answer) -> Answer {
    let mut page = page;
    page.headers.push((name, value.into()));
    page
}

#[tokio::test]
async fn a_sitemap_that_breaks_off_deletes_no_page() {
    let test = Test::start(&pages(), json!({})).await;
    let whole = sitemap(&test);
    test.set("/sitemap.xml", html(&whole));
    test.sync(Full).await;
    assert_eq!(test.paths().await, ALL);
    let (cut, _) = whole.split_once("<url><loc>http").unwrap();
    let half = &whole[..whole.len() - 60];
    let no_gzip = Answer {
        body: vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3],
        ..plain("")
    };
    let error = plain("<?xml version='1.0'?><Error><Code>InternalError</Code></Error>");
    let broken = [html(cut), html(half), no_gzip, error];
    for mode in [Incremental, Full] {
        for (number, broken) in broken.iter().enumerate() {
            // A full run knows no sitemap, so a whole file of another kind is none.
            if mode == Full && number == 3 {
                continue;
            }
            test.set("/sitemap.xml", broken.clone());
            test.run(mode).await;
            assert_eq!(test.paths().await, ALL, "{mode:?} {number}");
        }
    }
    // A page in place of the sitemap says nothing of the pages that were in it.
    test.set("/sitemap.xml", html(&whole));
    test.sync(Incremental).await;
    test.set("/sitemap.xml", html("<p>Please sign in.</p>"));
    test.run(Incremental).await;
    assert_eq!(test.paths().await, ALL);
    // A sitemap that is whole proves what is no longer in it.
    test.set("/sitemap.xml", html("<urlset></urlset>"));
    test.sync(Incremental).await;
    assert_eq!(test.paths().await, ["/", "/a", "/b"]);
}

#[tokio::test]
async fn a_sitemap_that_was_known_as_a_page_is_read_as_one() {
    let test = Test::start(&pages(), json!({})).await;
    test.set("/", html("<p>root</p><a href=/map.xml>Sitemap</a>"));
    let xml = vec![("content-type", "application/xml".into())];
    test.set(
        "/map.xml",
        Answer {
            headers: xml,
            ..html("")
        },
    );
    test.sync(Full).await;
    test.set("/map.xml", html(&sitemap(&test)));
    let robots = "User-agent: *\nCrawl-delay: 0.01\nSitemap: /map.xml";
    test.set("/robots.txt", plain(robots));
    test.sync(Incremental).await;
    assert_eq!(test.paths().await, ["/", "/lonely", "/remote"]);
}

#[tokio::test]
async fn a_page_with_very_many_links_loses_none() {
    let test = Test::start(&pages(), json!({})).await;
    let others = |count: usize| -> String {
        let links = (0..count).map(|it| format!("<a href=//x.invalid/{it}>"));
        links.collect()
    };
    let links = "<a href=/a><a href=/b><a href=/lonely><a href=/remote>";
    test.set("/", html(&format!("{}{links}", others(3_000))));
    test.sync(Full).await;
    assert_eq!(test.paths().await, ALL);
    // So many are not followed, but the pages behind them are not taken for unlinked ones.
    test.set("/", html(&format!("{}{links}", others(60_000))));
    for mode in [Incremental, Incremental, Full] {
        test.run(mode).await;
        assert_eq!(test.paths().await, ALL, "{mode:?}");
    }
    // Nor are those behind the links of a page that is too deep to be parsed.
    test.set("/", html(&format!("{}{links}", "<div>".repeat(6_000))));
    for mode in [Incremental, Incremental, Full] {
        test.run(mode).await;
        assert_eq!(test.paths().await, ALL, "{mode:?}");
    }
}

#[tokio::test]
async fn pages_that_a_setting_left_out_arrive_when_the_setting_is_taken_back() {
    let settings = json!({ "blacklist_patterns": ["/b$"] });
    let test = Test::start(&pages(), settings).await;
    test.sync(Full).await;
    assert_eq!(test.paths().await, ["/", "/a"]);
    test.configure("blacklist_patterns", json!([])).await;
    test.sync(Incremental).await;
    assert_eq!(test.paths().await, ["/", "/a", "/b"]);
    // The next run asks for each page with a condition again.
    test.asked();
    test.sync(Incremental).await;
    assert!(test.asked().iter().all(|it| it.2 == 304));
}

#[tokio::test]
async fn a_header_hides_a_page_whose_text_is_unchanged_and_shows_it_again() {
    let test = Test::start(&pages(), json!({})).await;
    test.sync(Full).await;
    let (page, hidden) = (html("<p>a</p>"), "noindex, nofollow");
    test.set("/a", with_header("x-robots-tag", hidden, page.clone()));
    for _ in 0..2 {
        test.sync(Incremental).await;
        assert_eq!(test.paths().await, ["/", "/b"]);
    }
    test.set("/a", page);
    test.sync(Incremental).await;
    assert_eq!(test.paths().await, ["/", "/a", "/b"]);
}

#[tokio::test]
async fn the_version_of_the_page_behind_a_redirect_is_no_condition_for_another() {
    let test = Test::start(&pages(), json!({})).await;
    test.set("/a", redirect(302, "/lonely"));
    test.sync(Full).await;
    test.asked();
    test.set("/a", redirect(302, "/remote"));
    test.sync(Incremental).await;
    let asked = test.asked();
    assert!(asked.contains(&("/remote".into(), false, 200)), "{asked:?}");
    assert!(test.by_path().await["/a"].text.contains("remote"));
}

#[tokio::test]
async fn a_page_whose_bold_never_ends_becomes_plain_text() {
    let test = Test::start(&pages(), json!({})).await;
    // A browser opens each of these again in each paragraph: 2.4 million elements.
    let bold: Vec<_> = (0..300).map(|it| format!("<b id={it}>")).collect();
    let bold = bold.concat();
    let page = format!("<p>{bold}first{}", "<p>word".repeat(8_000));
    test.set("/a", html(&page));
    test.sync(Full).await;
    let found = &test.by_path().await["/a"].text;
    assert!(found.contains("first word word"), "{}", &found[..100]);
}
