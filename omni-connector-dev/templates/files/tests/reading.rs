//! The action `read_file` reads what is in the folder, and nothing else.

//> template
#![allow(
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

mod source;

use omni_connector_dev::testing::{Setup, Source, SyncType};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_for_its_readers_and_nothing_outside_of_the_folder() {
    let source = source::start();
    //> access=public
    let config = json!({ "folder": source.url() });
    //<
    //> access=settings
    let config = json!({ "folder": source.url(), "readers": ["ada@example.com"] });
    //<
    let setup = Setup::of(env!("CARGO_BIN_EXE_archetype"))
        .config(config)
        .start()
        .await;
    let read = async |path: &str, person: &str| {
        let called = setup.try_call("read_file", json!({ "path": path }), Some(person));
        called.await.map_err(|(status, _)| status)
    };
    let found = read("readme.txt", "ada@example.com").await;
    assert_eq!(found.expect("the file is there")["text"], "Begin here.");
    for (path, status) in [
        ("gone.txt", 404),
        ("ops", 404),
        ("../files/readme.txt", 400),
        ("/etc/passwd", 400),
    ] {
        let refused = read(path, "ada@example.com").await;
        assert_eq!(refused.expect_err(path), status, "{path}");
    }
    //> access=settings
    let refused = read("readme.txt", "eve@example.com").await;
    assert_eq!(refused.expect_err("she is no reader"), 403);
    //<
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_followed_neither_by_a_run_nor_by_the_action() {
    let (source, outside) = (source::start(), source::start());
    //> access=public
    let config = json!({ "folder": source.url() });
    //<
    //> access=settings
    let config = json!({ "folder": source.url(), "readers": ["ada@example.com"] });
    //<
    for link in ["file.txt", "folder"] {
        let target = match link {
            "folder" => outside.url(),
            _ => format!("{}/readme.txt", outside.url()),
        };
        let link = format!("{}/{link}", source.url());
        std::os::unix::fs::symlink(target, link).expect("the link is made");
    }
    let setup = Setup::of(env!("CARGO_BIN_EXE_archetype"))
        .config(config)
        .start()
        .await;
    setup.sync(SyncType::Full).await;
    assert_eq!(setup.documents().await.len(), source::FILES);
    for path in ["file.txt", "folder/readme.txt"] {
        let input = json!({ "path": path });
        let called = setup.try_call("read_file", input, Some("ada@example.com"));
        assert_eq!(called.await.expect_err(path).0, 404, "{path}");
    }
}
