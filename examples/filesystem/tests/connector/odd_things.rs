//! Whatever is in a tree: a document, or a skip with a reason; never a lost run, and never a delete that nothing proves.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    process::Command,
};

use omni_connector::SyncType::{Full, Incremental};

use crate::support::Setup;

#[tokio::test]
async fn everything_that_is_no_file_is_skipped_with_its_reason() {
    let setup = Setup::new().await;
    setup.write("plain.txt", "a file like any other");
    setup.write("case/Readme", "one");
    setup.write("case/README", "another");
    setup.write("program", b"\x7fELF\x02\x01\x01\0\0\0");
    setup.write("latin", b"Gr\xf6\xdfe");
    setup.write("new\nline.txt", "odd, but a name");
    symlink("nowhere", setup.path("dead-link")).unwrap();
    symlink(".", setup.path("loop")).unwrap();
    symlink("plain.txt", setup.path("link")).unwrap();
    symlink("/etc", setup.path("out-of-the-tree")).unwrap();
    let _socket = UnixListener::bind(setup.path("socket")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(setup.path("pipe"))
            .status()
            .unwrap()
            .success()
    );
    fs::write(
        setup.path("").join(OsStr::from_bytes(b"caf\xe9.txt")),
        "name in latin-1",
    )
    .unwrap();
    // Each file in such a folder is named, so that nobody takes them for one.
    let folder = setup.path("").join(OsStr::from_bytes(b"dossier\xe9"));
    fs::create_dir_all(folder.join("inner")).unwrap();
    for name in ["1.txt", "2.txt", "inner/3.txt"] {
        fs::write(folder.join(name), "below a name in latin-1").unwrap();
    }
    // Office programs leave these beside a document that somebody has open.
    setup.write("~$report.docx", b"\x03Ada");
    setup.write(".~lock.report.odt#", ",ada,desk,28.11.2026;");
    setup.write("reserved.docx", [0; 4096]);
    setup.write("placeholder.docx", "");
    setup.write(".fetched-later.pdf.icloud", "bplist00");
    // Their names promise a text.
    setup.write("packed.txt", b"\x1f\x8b\x08\0\0\0\0\0\0\x03");
    let large = fs::File::create(setup.path("large.csv")).unwrap();
    large.set_len((50 << 20) + 1).unwrap();
    let long = format!("{0}/{0}/{0}", "long-".repeat(40));
    setup.write(&format!("{long}/file.txt"), "too deep for an id");

    let ended = setup.sync(Full).await;
    let expected = [
        "case/README",
        "case/Readme",
        "large.csv",
        "latin",
        "new\nline.txt",
        "packed.txt",
        "placeholder.docx",
        "plain.txt",
        "program",
    ];
    assert_eq!(setup.ids().await, expected);
    let reasons = ended
        .report()
        .reasons
        .iter()
        .map(|(reason, count)| (reason.as_str(), *count));
    let expected = [
        ("a link, which is not followed", 4),
        ("a pipe, socket or device", 2),
        ("a placeholder without content", 2),
        ("found by its name alone, since it is larger than 50 MiB", 1),
        (
            "found by its name alone, since no text can be read in it",
            1,
        ),
        ("the mark of a document that somebody has open", 2),
        ("the name is not UTF-8", 4),
        ("the path is longer than an id of Omni", 1),
    ];
    assert_eq!(reasons.collect::<Vec<_>>(), expected);
    let link = ended
        .report()
        .skips
        .iter()
        .find(|skip| skip.item.ends_with("/out-of-the-tree"))
        .unwrap();
    assert_eq!(link.detail.as_deref(), Some("/etc"));

    let documents = setup.documents().await;
    assert_eq!(documents["latin"].text, "Größe");
    assert_eq!(
        documents["latin"].metadata["extra"]["encoding"],
        "windows-1252"
    );
    for (id, mime) in [
        ("program", "application/octet-stream"),
        (
            "placeholder.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
    ] {
        assert_eq!(documents[id].text, "");
        assert_eq!(documents[id].content_type(), Some(mime));
    }
}

#[tokio::test]
async fn what_cannot_be_read_keeps_its_documents() {
    let setup = Setup::unprivileged().await;
    for n in 0..5 {
        setup.write(&format!("closed/deeper/{n}.md"), "behind a door");
    }
    for path in ["closed-not/file.md", "locked.md", "gone.md"] {
        setup.write(path, "some text");
    }
    setup.sync(Full).await;
    assert_eq!(setup.ids().await.len(), 8);

    let close =
        |path| fs::set_permissions(setup.path(path), fs::Permissions::from_mode(0o000)).unwrap();
    setup.write("locked.md", "other text");
    close("locked.md");
    close("closed");
    fs::remove_file(setup.path("gone.md")).unwrap();
    for mode in [Incremental, Full] {
        let ended = setup.sync(mode).await;
        let report = ended.report();
        assert_eq!(report.reasons.get("cannot be read"), Some(&2), "{report:?}");
        let is_named = |name: &str| report.skips.iter().any(|skip| skip.item.ends_with(name));
        assert!(
            is_named("/locked.md") && is_named("/closed"),
            "{:?}",
            report.skips
        );
        assert_eq!(setup.ids().await.len(), 7);
    }

    let open = |path, mode| {
        fs::set_permissions(setup.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    open("locked.md", 0o644);
    open("closed", 0o755);
    fs::remove_file(setup.path("closed/deeper/0.md")).unwrap();
    let ended = setup.sync(Incremental).await;
    assert_eq!(ended.report().deleted, 1);
    assert_eq!(setup.ids().await.len(), 6);
}

#[tokio::test]
async fn paths_longer_than_the_system_allows_end_in_a_skip() {
    let setup = Setup::new().await;
    setup.write("file.md", "at the top");
    let script = "for n in $(seq 20); do mkdir $1 && cd -P $1 || exit 1; done; echo deep > file.md";
    let name = "d".repeat(250);
    let made = Command::new("bash")
        .args(["-c", script, "-", &name])
        .current_dir(setup.path(""))
        .status();
    assert!(made.unwrap().success());
    let ended = setup.sync(Full).await;
    assert_eq!(setup.ids().await, ["file.md"]);
    assert_eq!(ended.report().skipped, 1, "{:?}", ended.report());
    assert_eq!(setup.sync(Incremental).await.report().deleted, 0);
}
