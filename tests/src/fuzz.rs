//! What is fuzzed, as functions of bytes. The targets of `fuzz/` call them, and so does `tests/fuzzed.rs`, with the seeds and
//! with everything that was ever found.
//!
//! Each panics when a promise is broken.
#![allow(clippy::missing_panics_doc, reason = "that is what they are for")]

use std::{cell::Cell, sync::LazyLock, thread, time::Duration};

use omni_connector::{
    Manifest,
    schema::{check, check_input_schema, safe_schema},
    wire::{
        ActionRequest, ConnectorEvent, EventBatch, SyncRequest,
        timestamp::{self, extended},
    },
};
use omni_connector_dev::store::{Store, search::Query, text};
use omni_connector_readers::{Format, Frame, Job};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
});

/// What decodes is what is encoded again.
fn round_trip<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(
    data: &[u8],
) -> Option<T> {
    let value: T = serde_json::from_slice(data).ok()?;
    let text = serde_json::to_string(&value).expect("what was decoded can be encoded");
    let again: T = serde_json::from_str(&text).expect("what was encoded can be decoded");
    assert_eq!(value, again, "{text}");
    Some(value)
}

/// `POST /sync` of a connector.
pub fn sync_request(data: &[u8]) {
    round_trip::<SyncRequest>(data);
}

/// `POST /action` of a connector.
pub fn action_request(data: &[u8]) {
    round_trip::<ActionRequest>(data);
}

/// A manifest, and what is found wrong with it.
pub fn manifest(data: &[u8]) {
    if let Some(manifest) = round_trip::<Manifest>(data) {
        for problem in check(&manifest) {
            assert!(!problem.to_string().is_empty());
        }
    }
}

/// Events, one and many.
pub fn events(data: &[u8]) {
    round_trip::<ConnectorEvent>(data);
    round_trip::<EventBatch>(data);
}

/// Both families of timestamps: what is read can be written, and read again as the same instant, or as the nearest one that
/// the wire knows.
pub fn timestamps(data: &[u8]) {
    const DAY: Duration = Duration::from_hours(24);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(time) = timestamp::parse(text) else {
        return;
    };
    let written = extended::format(time).expect("what was read can be written");
    let again = timestamp::parse(&written).expect("what was written can be read");
    let is_at_an_end = time.year() == 0 || time.year() == 9999;
    assert!(
        again == time || is_at_an_end && (again - time).abs() <= DAY,
        "{text} became {written}"
    );
}

/// Schemas: the check of one, and its simplification, which is not undone by another one.
pub fn schema(data: &[u8]) {
    let Ok(schema) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let verdict = check_input_schema(&schema);
    let safe = safe_schema(schema.clone());
    assert!(safe.is_object(), "{safe}");
    if verdict.is_ok() && safe["type"] == "object" {
        let safe_verdict = check_input_schema(&safe);
        assert!(
            safe_verdict.is_ok(),
            "{schema} became {safe}: {safe_verdict:?}"
        );
    }
}

/// Stored texts: nothing invisible, no blank at an end, no two empty lines; cut to the limit.
pub fn content(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut normal = text::normalise(&text);
    assert!(
        !normal.contains(|c: char| c != '\n' && c.is_control()),
        "{normal:?}"
    );
    assert!(!normal.contains("\n\n\n"), "{normal:?}");
    assert_eq!(normal, normal.trim(), "an end is not trimmed");
    for line in normal.split('\n') {
        assert_eq!(line, line.trim(), "a line is not trimmed");
    }
    let (limit, whole) = (128 + data.len() / 2, normal.len());
    text::truncate(&mut normal, limit);
    assert!(normal.len() <= limit || whole <= limit);
}

/// Any text may be searched for; none is an error.
pub fn search(data: &[u8]) {
    static STORE: LazyLock<Store> = LazyLock::new(|| Store::in_memory().expect("a store"));
    let text = String::from_utf8_lossy(data);
    let hits = RUNTIME.block_on(STORE.search(Query::new(text.clone())));
    assert!(hits.is_ok(), "{text:?}: {hits:?}");
}

/// Files of a format that the first byte chooses. A reader may refuse and panic; it must come back, within the text that it
/// may give, and its last frame says how it ended.
pub fn extraction(data: &[u8]) {
    const FORMATS: [Format; 9] = [
        Format::Html,
        Format::Csv,
        Format::Pdf,
        Format::Docx,
        Format::Pptx,
        Format::Xlsx,
        Format::Xls,
        Format::Eml,
        Format::Msg,
    ];
    const MOST_TEXT: usize = 1 << 20;
    // As the program has it.
    const STACK: usize = 64 << 20;
    let Some((kind, data)) = data.split_first() else {
        return;
    };
    tolerate_readers();
    let job = Job {
        format: FORMATS[usize::from(*kind) % FORMATS.len()],
        first_part: 0,
        max_rows: 100,
        max_text_bytes: MOST_TEXT,
        max_memory_bytes: 0,
        max_seconds: 0,
    };
    let mut frames = Vec::new();
    thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(STACK);
        let reader = reader.spawn_scoped(scope, || {
            IS_READING.set(true);
            omni_connector_readers::read(&job, data, &mut |frame| frames.push(frame));
        });
        let ended = reader.expect("a thread").join();
        assert!(ended.is_ok(), "a panic left its reader");
    });
    let ends = |frame: &Frame| matches!(frame, Frame::Done | Frame::Failed { .. });
    assert!(frames.last().is_some_and(ends), "{frames:?}");
    assert_eq!(frames.iter().filter(|frame| ends(frame)).count(), 1);
    let text: usize = frames
        .iter()
        .map(|frame| match frame {
            Frame::Text { text } => text.len(),
            _ => 0,
        })
        .sum();
    assert!(text <= MOST_TEXT + 1, "{text} bytes");
}

thread_local! {
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// libFuzzer ends the process at any panic; those of readers are caught.
fn tolerate_readers() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !IS_READING.get() {
                before(panic);
            }
        }));
    });
}
