//! The fuzz targets, as functions of bytes. Called by `fuzz/`, and by `tests/fuzzed.rs` with the
//! seeds and all earlier findings.
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

/// Checks that a decoded value survives encoding and decoding.
fn round_trip<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(
    data: &[u8],
) -> Option<T> {
    let value: T = serde_json::from_slice(data).ok()?;
    let text = serde_json::to_string(&value).expect("what was decoded can be encoded");
    let again: T = serde_json::from_str(&text).expect("what was encoded can be decoded");
    assert_eq!(value, again, "{text}");
    Some(value)
}

/// Decodes a connector's `POST /sync`.
pub fn sync_request(data: &[u8]) {
    round_trip::<SyncRequest>(data);
}

/// Decodes a connector's `POST /action`.
pub fn action_request(data: &[u8]) {
    round_trip::<ActionRequest>(data);
}

/// Decodes and validates a manifest.
pub fn manifest(data: &[u8]) {
    if let Some(manifest) = round_trip::<Manifest>(data) {
        for problem in check(&manifest) {
            assert!(!problem.to_string().is_empty());
        }
    }
}

/// Decodes single events and lists of events.
pub fn events(data: &[u8]) {
    round_trip::<ConnectorEvent>(data);
    round_trip::<EventBatch>(data);
}

/// Reads both families of timestamps. A parsed timestamp must be writable, and must read back as
/// the same instant or the nearest one that the wire format can hold.
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

/// Checks and simplifies a schema. A second simplification must change nothing.
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

/// Normalises and truncates a text: no invisible characters, no outer whitespace, no two empty
/// lines, within the limit.
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
    let _ = text::truncate(&mut normal, limit);
    assert!(normal.len() <= limit || whole <= limit);
}

/// Searches for any string; none may fail.
pub fn search(data: &[u8]) {
    static STORE: LazyLock<Store> = LazyLock::new(|| Store::in_memory().expect("a store"));
    let text = String::from_utf8_lossy(data);
    let hits = RUNTIME.block_on(STORE.search(Query::new(text.clone())));
    assert!(hits.is_ok(), "{text:?}: {hits:?}");
}

/// Reads a file in the format that the first byte selects. A reader may refuse or panic, but must
/// return, stay within the text limit, and end with a final frame.
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
    // The stack size of the program.
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

/// libFuzzer aborts at any panic, so panics of readers are caught.
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
