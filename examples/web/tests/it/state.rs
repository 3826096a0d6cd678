//! What a checkpoint keeps of a site, in today's form and in the earlier one.

use omni_connector::{
    SyncType::{Full, Incremental},
    prelude::*,
};

use crate::site::{Answer, Test, html, status};

const ALL: [&str; 3] = ["/", "/a", "/b"];

fn pages() -> Vec<(&'static str, Answer)> {
    vec![
        (
            "/",
            html("<title>Root</title><a href=#top>T</a> <a href=/b>B</a> <a href=/a>A</a>"),
        ),
        ("/a", html("<title>A</title><p>a</p><a href=/a>A</a>")),
        ("/b", html("<title>B</title><p>b</p>")),
    ]
}

/// Returns the checkpoint that a run of the earlier form left behind the same documents.
async fn earlier(test: &Test) -> Value {
    let found = test.by_path().await;
    let mut versions = serde_json::Map::new();
    let graph = ALL.map(|path| {
        let document = &found[path];
        let extra = &document.metadata["extra"];
        // Both had the first 48 bits of the hash as the version.
        let hash = u64::from_str_radix(&extra["content_hash"].as_str().unwrap()[..12], 16).unwrap();
        versions.insert(document.id.clone(), hash.into());
        let links = if path == "/" { json!([2, -1]) } else { json!([]) };
        let url = &document.metadata["url"];
        json!({ "url": url, "version": extra["etag"], "hash": hash, "links": links, "is_done": true })
    });
    json!({ "run": "earlier", "documents": versions, "graph": graph })
}

#[tokio::test]
async fn a_checkpoint_of_the_earlier_form_costs_one_conditional_request_a_page() {
    let test = Test::start(&pages(), json!({})).await;
    test.sync(Full).await;
    let checkpoint = earlier(&test).await;
    test.set_checkpoint(checkpoint).await;
    for _ in 0..2 {
        test.asked();
        let ended = test.sync(Incremental).await;
        let effects = &ended.progress.effects;
        assert_eq!(effects.created + effects.updated + effects.deleted, 0);
        let mut asked = test.asked();
        asked.sort();
        assert_eq!(asked, ALL.map(|path| (path.to_owned(), true, 304)));
    }
    // Its links are known: a page that is only in the checkpoint is no longer linked.
    test.set("/", html("<title>Root</title><a href=/b>B</a>"));
    test.sync(Incremental).await;
    assert_eq!(test.paths().await, ["/", "/b"]);
}

#[tokio::test]
async fn a_page_that_changed_twice_around_a_kill_is_in_omni_as_it_is_now() {
    let test = Test::start(&pages(), json!({})).await;
    test.sync(Full).await;
    let before = test.checkpoint().await.unwrap();
    let first = test.world().pages["/a"].clone();
    test.set("/a", html("<title>A</title><p>other words</p>"));
    test.sync(Incremental).await;
    // The runtime saves accepted documents between the saves of the crawl, so a kill leaves an older site behind them.
    let mut killed = test.checkpoint().await.unwrap();
    for field in ["run", "number", "site"] {
        killed[field] = before[field].clone();
    }
    test.set_checkpoint(killed).await;
    test.set("/a", first);
    test.sync(Incremental).await;
    let now = &test.by_path().await["/a"].text;
    assert!(!now.contains("other words"), "{now}");
}

#[tokio::test]
async fn a_page_that_only_links_to_itself_was_read_and_holds_nothing_back() {
    let test = Test::start(&pages(), json!({})).await;
    test.sync(Full).await;
    test.set("/", html("<title>Root</title><a href=/a>A</a>"));
    test.set("/a", status(500));
    test.run(Incremental).await;
    assert_eq!(test.paths().await, ["/", "/a"]);
}

#[tokio::test]
async fn a_page_with_the_same_text_under_a_new_etag_is_read_once_and_not_sent() {
    let test = Test::start(&pages(), json!({})).await;
    test.sync(Full).await;
    test.set("/b", html("<title>B</title><nav>menu</nav><p>b</p>"));
    for expected in [200, 304] {
        test.asked();
        let ended = test.sync(Incremental).await;
        assert_eq!(ended.progress.effects.updated, 0);
        let asked = test.asked();
        let asked = asked.iter().find(|it| it.0 == "/b");
        assert_eq!(asked, Some(&("/b".to_owned(), true, expected)));
    }
    let site = |checkpoint: Option<Value>| checkpoint.unwrap()["site"].clone();
    let before = site(test.checkpoint().await);
    test.sync(Incremental).await;
    assert_eq!(site(test.checkpoint().await), before, "nothing changed");
}
