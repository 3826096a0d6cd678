//! Tests searches in a real store, filled by connector events.

use omni_connector::{
    Attributes, ConnectorEvent, DocumentMetadata, DocumentPermissions, SearchOperator, SyncType,
};
use omni_connector_dev::store::{
    Store, StoreError, apply, checkpoints, contents, operators, runs,
    runs::TriggerType,
    search::{Hits, Query},
    sources::{self, SourceRecord},
};
use serde_json::{Value, json};

/// A document that everybody may see.
struct Doc {
    id: String,
    title: &'static str,
    text: String,
    metadata: DocumentMetadata,
    permissions: Option<DocumentPermissions>,
    attributes: Attributes,
}

fn doc(id: impl Into<String>, title: &'static str, text: impl Into<String>) -> Doc {
    Doc {
        id: id.into(),
        title,
        text: text.into(),
        metadata: DocumentMetadata::default(),
        permissions: Some(DocumentPermissions::public()),
        attributes: Attributes::new(),
    }
}

impl Doc {
    fn attribute(mut self, key: &str, value: Value) -> Self {
        self.attributes.insert(key.to_owned(), value);
        self
    }

    fn permissions(mut self, permissions: Option<DocumentPermissions>) -> Self {
        self.permissions = permissions;
        self
    }

    fn metadata(mut self, metadata: Value) -> Self {
        self.metadata = serde_json::from_value(metadata).unwrap();
        self
    }
}

/// A store with one source per source type.
struct Fixture {
    store: Store,
}

impl Fixture {
    fn new() -> Self {
        Self {
            store: Store::in_memory().unwrap(),
        }
    }

    async fn with(docs: impl IntoIterator<Item = Doc>) -> Self {
        let fixture = Self::new();
        fixture.put("file_system", docs).await;
        fixture
    }

    async fn put(&self, source_type: &str, docs: impl IntoIterator<Item = Doc>) -> SourceRecord {
        let docs: Vec<_> = docs.into_iter().collect();
        let source = SourceRecord::new(source_type, source_type, json!({}), "01USER");
        let record = source.clone();
        let filled = self.store.write(move |db| {
            sources::put(db, &record)?;
            let run = runs::insert(db, &record.id, SyncType::Full, TriggerType::Manual)?;
            for doc in docs {
                let mut metadata = doc.metadata;
                metadata.title.get_or_insert(doc.title.to_owned());
                let event = ConnectorEvent::DocumentUpdated {
                    sync_run_id: run.id.clone(),
                    source_id: record.id.clone(),
                    document_id: doc.id,
                    content_id: contents::put(db, &run.id, &doc.text)?,
                    metadata,
                    permissions: doc.permissions,
                    attributes: Some(doc.attributes),
                };
                assert_eq!(apply::apply(db, &run.id, &record.id, &[event])?.refused, 0);
            }
            Ok::<_, StoreError>(())
        });
        filled.await.unwrap();
        source
    }

    async fn operators(self, declared: &[(&str, &str)]) -> Self {
        let declared: Vec<_> = declared
            .iter()
            .map(|(operator, attribute_key)| SearchOperator {
                operator: (*operator).to_owned(),
                attribute_key: (*attribute_key).to_owned(),
                value_type: "text".to_owned(),
            })
            .collect();
        let replaced = self
            .store
            .write(move |db| operators::replace(db, &[("acme".to_owned(), declared)]));
        replaced.await.unwrap();
        self
    }

    async fn group(&self, source: &SourceRecord, group: &str, members: &[&str]) {
        let event = ConnectorEvent::GroupMembershipSync {
            sync_run_id: "01RUN".to_owned(),
            source_id: source.id.clone(),
            group_email: group.to_owned(),
            group_name: None,
            member_emails: members.iter().map(|member| (*member).to_owned()).collect(),
        };
        let source = source.id.clone();
        let applied = self
            .store
            .write(move |db| apply::apply(db, "01RUN", &source, &[event]));
        applied.await.unwrap();
    }

    async fn search(&self, query: Query) -> Hits {
        self.store.search(query).await.unwrap()
    }

    /// Returns the sorted document ids of the hits.
    async fn ids(&self, query: Query) -> Vec<String> {
        let limit = 1000;
        let hits = self.search(Query { limit, ..query }).await;
        assert_eq!(
            hits.total,
            hits.hits.len() as u64,
            "the total counts the hits"
        );
        let mut ids: Vec<_> = hits.hits.into_iter().map(|hit| hit.document_id).collect();
        ids.sort();
        ids
    }

    async fn found(&self, text: &str) -> Vec<String> {
        self.ids(Query::new(text)).await
    }

    async fn seen_by(&self, email: &str) -> Vec<String> {
        self.ids(Query::new("").seen_by(email)).await
    }
}

#[tokio::test]
async fn every_word_must_match_in_title_or_text_and_titles_weigh_more() {
    let store = Fixture::with([
        doc(
            "a",
            "Notes",
            "how to restart the server, and again: the server, the server",
        ),
        doc("b", "Restart the server", "turn it off and on"),
        doc("c", "Notes", "the server is on fire"),
    ])
    .await;
    let hits = store.search(Query::new("restart server")).await;
    let ids: Vec<_> = hits
        .hits
        .iter()
        .map(|hit| hit.document_id.as_str())
        .collect();
    assert_eq!((ids, hits.total), (vec!["b", "a"], 2));
    assert_eq!(store.found("\"the server is\"").await, ["c"]);
    assert_eq!(store.found("serv").await, [""; 0]);
    assert_eq!(store.found("serv*").await, ["a", "b", "c"]);
}

#[tokio::test]
async fn an_empty_query_finds_everything_newest_first() {
    let store = Fixture::with([
        doc("old", "Old", "").metadata(json!({ "updated_at": "2024-01-01T00:00:00Z" })),
        doc("undated", "Undated", ""),
        doc("new", "New", "first words").metadata(json!({ "updated_at": "2025-01-01T00:00:00Z" })),
    ])
    .await;
    let hits = store
        .search(Query {
            limit: 2,
            ..Query::new("  ")
        })
        .await;
    let ids: Vec<_> = hits
        .hits
        .iter()
        .map(|hit| hit.document_id.as_str())
        .collect();
    assert_eq!((ids, hits.total), (vec!["new", "old"], 3));
    assert_eq!(hits.hits[0].snippet[0].text, "first words");
    assert_eq!(
        store.found("???").await,
        [""; 0],
        "what nothing can match finds nothing"
    );
}

#[tokio::test]
async fn a_snippet_shows_the_match() {
    let before = "before ".repeat(50);
    let store = Fixture::with([doc("a", "A", format!("{before}\nthe  needle\nafter"))
        .metadata(json!({ "path": "ops/a", "url": "file:///ops/a", "mime_type": "text/plain" }))])
    .await;
    let hits = store.search(Query::new("needle")).await;
    let hit = &hits.hits[0];
    let matched: Vec<_> = hit.snippet.iter().filter(|part| part.is_match).collect();
    assert_eq!(matched.len(), 1);
    assert_eq!(matched[0].text, "needle");
    let line: String = hit.snippet.iter().map(|part| part.text.as_str()).collect();
    assert!(
        line.starts_with('…') && line.ends_with("the needle after"),
        "{line}"
    );
    assert_eq!(hit.path.as_deref(), Some("ops/a"));
    assert_eq!(hit.url.as_deref(), Some("file:///ops/a"));
    assert_eq!(hit.content_type.as_deref(), Some("text/plain"));
    assert_eq!(hit.source.source_type, "file_system");
}

#[tokio::test]
async fn no_query_is_a_syntax_error() {
    let store = Fixture::with([doc("a", "a", "a b")])
        .await
        .operators(&[("a", "a\"b"), ("b", "$.")])
        .await;
    let pieces = [
        "\"", "*", "(", ")", ":", "a", " ", "-", "^", "{", "+", "\0", "b:", " NEAR ", " NOT ", "é",
        "'",
    ];
    for first in pieces {
        for second in pieces {
            for third in pieces {
                let text = format!("{first}{second}{third}");
                store.search(Query::new(text)).await;
            }
        }
    }
    store.search(Query::new("word ".repeat(5_000))).await;
    store.search(Query::new("a-".repeat(5_000))).await;
    store.search(Query::new("((((".repeat(5_000))).await;
}

#[tokio::test]
async fn an_operator_matches_the_attribute_it_was_declared_for() {
    let store = Fixture::with([
        doc("a", "A", "text").attribute("extension", json!("md")),
        doc("b", "B", "text").attribute("extension", json!("rs")),
        doc("c", "C", "text").attribute("extension", json!(["rs", "toml"])),
        doc("d", "D", "other").attribute("ext", json!("md")),
    ])
    .await
    .operators(&[("ext", "extension"), ("ext", "ext")])
    .await;
    assert_eq!(
        store.found("ext:md").await,
        ["a"],
        "the first of a name wins"
    );
    assert_eq!(store.found("EXT:MD").await, ["a"]);
    assert_eq!(
        store.found("ext:rs").await,
        ["b", "c"],
        "any element of a list matches"
    );
    assert_eq!(
        store.found("ext:md ext:toml").await,
        ["a", "c"],
        "repeating is or"
    );
    assert_eq!(store.found("text ext:md").await, ["a"]);
    assert_eq!(store.found("other ext:md").await, [""; 0]);
}

#[tokio::test]
async fn different_operators_must_all_match() {
    let store = Fixture::with([
        doc("a", "A", "")
            .attribute("status", json!("in_review"))
            .attribute("team", json!("ops")),
        doc("b", "B", "")
            .attribute("status", json!("in_review"))
            .attribute("team", json!("hr")),
        doc("c", "C", "")
            .attribute("status", json!("done"))
            .attribute("team", json!("ops")),
    ])
    .await
    .operators(&[("status", "status"), ("team", "team")])
    .await;
    assert_eq!(store.found("status:\"In Review\" team:ops").await, ["a"]);
    assert_eq!(
        store.found("status:in_review team:ops team:hr").await,
        ["a", "b"]
    );
}

#[tokio::test]
async fn built_in_operators_filter_by_author_type_and_time() {
    let store = Fixture::with([
        doc("a", "A", "").metadata(json!({
            "author": "Ann@Example.com", "content_type": "spreadsheet", "updated_at": "2024-06-30T23:59:59.5Z" })),
        doc("b", "B", "").metadata(json!({
            "author": "Bob Ahn", "mime_type": "text/Markdown", "updated_at": "2024-07-01T00:00:00Z" })),
        doc("c", "C", ""),
    ])
    .await;
    assert_eq!(
        store.found("by:ann").await,
        ["a"],
        "part of an address in any case"
    );
    assert_eq!(
        store.found("by:\"bob ahn\" by:ann@example.com").await,
        ["a", "b"]
    );
    assert_eq!(store.found("type:sheet").await, ["a"], "a short name");
    assert_eq!(
        store.found("type:text/markdown").await,
        ["b"],
        "a literal type"
    );
    assert_eq!(
        store.found("before:2024-06").await,
        ["a"],
        "the month itself counts"
    );
    assert_eq!(
        store.found("after:2024-07-01").await,
        ["b"],
        "the day itself counts"
    );
    assert_eq!(store.found("after:2024 before:2024").await, ["a", "b"]);
    assert_eq!(store.found("after:2025").await, [""; 0]);
}

#[tokio::test]
async fn in_filters_by_source_type_and_invalid_values_are_reported() {
    let store = Fixture::new();
    store.put("google_drive", [doc("drive", "A", "")]).await;
    store.put("jira", [doc("jira", "A", "")]).await;
    assert_eq!(store.found("in:Drive").await, ["drive"]);
    assert_eq!(store.found("in:jira in:gdrive").await, ["drive", "jira"]);
    let hits = store.search(Query::new("in:nowhere after:tomorrow")).await;
    assert_eq!(hits.total, 2);
    assert_eq!(hits.ignored, ["after:tomorrow", "in:nowhere"]);
}

#[tokio::test]
async fn a_person_finds_what_the_permission_rule_shows() {
    let users = |email: &str| Some(DocumentPermissions::users([email]));
    let groups = |group: &str| Some(DocumentPermissions::private().and_groups([group]));
    let store = Fixture::new();
    let docs = [
        doc("public", "A", ""),
        doc("hers", "A", "").permissions(users("ann@example.com")),
        doc("his", "A", "").permissions(users("bob@example.com")),
        doc("unmatched_case", "A", "").permissions(users("Ann@example.com")),
        doc("domain", "A", "").permissions(groups("example.com")),
        doc("other_domain", "A", "").permissions(groups("example.org")),
        doc("group", "A", "").permissions(groups("ops@example.com")),
        doc("other_group", "A", "").permissions(groups("hr@example.com")),
        doc("private", "A", "").permissions(Some(DocumentPermissions::private())),
        doc("unknown", "A", "").permissions(None),
    ];
    let source = store.put("file_system", docs).await;
    store
        .group(&source, "Ops@Example.com", &["ANN@example.com"])
        .await;
    store
        .group(&source, "hr@example.com", &["bob@example.com"])
        .await;

    let hers = ["domain", "group", "hers", "public"];
    assert_eq!(store.seen_by("ann@example.com").await, hers);
    assert_eq!(store.seen_by(" Ann@EXAMPLE.com").await, hers);
    assert_eq!(store.seen_by("eve@elsewhere.org").await, ["public"]);
    assert_eq!(
        store.found("").await.len(),
        10,
        "without a person everything is found"
    );
}

#[tokio::test]
async fn documents_of_deleted_sources_are_not_found() {
    let store = Fixture::new();
    let source = store.put("jira", [doc("a", "A", "word")]).await;
    assert_eq!(store.found("word").await, ["a"]);
    let deleted = SourceRecord {
        is_deleted: true,
        ..source
    };
    let put = store.store.write(move |db| sources::put(db, &deleted));
    put.await.unwrap();
    assert_eq!(store.found("word").await, [""; 0]);
    assert_eq!(store.found("").await, [""; 0]);
}

#[tokio::test]
async fn words_are_found_as_in_omni_whatever_the_script() {
    let store = Fixture::with([
        doc(
            "zh",
            "季度会议纪要",
            "我们在北京召开了会议，讨论预算。会议纪要已经发布。",
        ),
        doc("ja", "T", "四半期報告書を作成しました。東京都の会議"),
        doc("th", "T", "รายงานประจำปีของบริษัท"),
        doc("ko", "T", "회의록을 공유합니다"),
        doc("km", "T", "សូមអានរបាយការណ៍ប្រចាំឆ្នាំ"),
        doc("my", "T", "နှစ်ပတ်လည်အစီရင်ခံစာ"),
        doc(
            "kana",
            "T",
            "プロジェクトマネージャーがデータベースサーバーを購入",
        ),
        doc("either", "T", "研究生命的起源和发展中国家"),
        doc(
            "fold",
            "Smørrebrød",
            "Straße Łódź œuvre Đường Diyarbakır ﬁnance Ａｂｃ ﾃﾞｰﾀ Αθήνα",
        ),
        doc("nfd", "Cafe\u{301}", "Invoice INV-2041 in report.pdf 🎉"),
    ])
    .await;
    for (text, id) in [
        ("会议", "zh"),
        ("会议纪要", "zh"),
        ("預算", ""),
        ("報告書", "ja"),
        ("京都", ""),
        ("マネージャー", "kana"),
        ("ｻｰﾊﾞｰ", "kana"),
        ("生命", "either"),
        ("国家", "either"),
        ("รายงาน", "th"),
        ("회의록", "ko"),
        ("របាយការណ៍", "km"),
        ("အစီရင်ခံစာ", "my"),
        ("strasse", "fold"),
        ("STRASSE lodz oeuvre duong diyarbakir", "fold"),
        ("finance abc データ ΑΘΗΝΑ smorrebrod", "fold"),
        ("café", "nfd"),
        ("cafe\u{301}", "nfd"),
        ("INV-2041", "nfd"),
        ("2041", "nfd"),
        ("report", "nfd"),
        ("\"invoice inv\"", "nfd"),
        ("INV-204", ""),
        ("🎉", ""),
    ] {
        let expected: Vec<&str> = [id].into_iter().filter(|id| !id.is_empty()).collect();
        assert_eq!(store.found(text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn a_store_of_an_earlier_version_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let old = rusqlite::Connection::open(folder.path().join("manager.sqlite3")).unwrap();
    old.execute_batch(include_str!("store-2.sql")).unwrap();
    drop(old);
    for _ in 0..2 {
        let store = Store::open(folder.path()).unwrap();
        let hits = store.search(Query::new("会议")).await.unwrap();
        assert_eq!((hits.total, hits.hits[0].document_id.as_str()), (1, "zh"));
        assert_eq!(hits.hits[0].snippet[1].text, "会议");
        let saved = store
            .read(|db| {
                let of = |owner| checkpoints::find(db, owner);
                Ok::<_, StoreError>((of("S")?, of("R")?, of("none")?))
            })
            .await
            .unwrap();
        assert_eq!(saved, (Some(json!({ "page": 2 })), Some(Value::Null), None));
    }
}
