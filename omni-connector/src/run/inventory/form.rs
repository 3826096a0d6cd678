//! The format in which an inventory is saved: packed segments of ids, as base64 strings.

use std::{io::Read, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use serde_json::{Map, Value, json};

use super::{
    fingerprint,
    segment::{Fingerprint, Mark, Seen, Segment},
    shared::{OpenWalk, State},
    table::Table,
};

/// The key by which a saved inventory is recognised. Its value is the version of the format.
const FORM: &str = "inventory";
const VERSION: u64 = 1;
/// The largest unpacked segment. Real ones have some hundred kilobytes; a string that unpacks to more is refused.
const LARGEST: u64 = 64 << 20;

pub(super) fn write(state: &mut State) -> Value {
    let packed = state.table.save(pack);
    let packed: Vec<Value> = packed.iter().map(|text| Value::from(&**text)).collect();
    let mut saved = Map::new();
    saved.insert(FORM.to_owned(), VERSION.into());
    saved.insert("ids".to_owned(), packed.into());
    if !state.missing.is_empty() {
        saved.insert("missing".to_owned(), json!(state.missing));
    }
    if !state.failed_parts.is_empty() {
        saved.insert("failed_parts".to_owned(), json!(state.failed_parts));
    }
    // Without a point to resume from, the next run begins a new walk and needs none of this.
    if let Some(walk) = &mut state.walk
        && let Some(at) = walk.reached().cloned()
    {
        let (mut kept, mut sent) = (Segment::default(), Segment::default());
        state.table.each_below("", |id, mark| match mark.seen {
            Seen::No => {}
            Seen::Kept => kept.push(id.as_bytes(), FREE, None),
            Seen::Sent => sent.push(id.as_bytes(), FREE, None),
        });
        let [kept, sent] = [kept, sent].map(|segment| pack(&segment).to_string());
        let walk = json!({ "run": walk.run, "at": at, "kept": kept, "sent": sent });
        saved.insert("walk".to_owned(), walk);
    }
    saved.into()
}

const FREE: Mark = Mark {
    fingerprint: Fingerprint::NONE,
    seen: Seen::No,
};

fn pack(segment: &Segment) -> Arc<str> {
    use std::io::Write;
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::new(6));
    // Writing to a vector cannot fail.
    let packed = deflate
        .write_all(&segment.to_bytes())
        .and_then(|()| deflate.finish())
        .unwrap_or_default();
    STANDARD_NO_PAD.encode(packed).into()
}

fn unpack(text: &Value) -> Result<Segment, &'static str> {
    const DAMAGED: &str = "the saved inventory is damaged";
    let packed = STANDARD_NO_PAD
        .decode(text.as_str().ok_or(DAMAGED)?)
        .map_err(|_| DAMAGED)?;
    let mut bytes = Vec::new();
    DeflateDecoder::new(&packed[..])
        .take(LARGEST)
        .read_to_end(&mut bytes)
        .map_err(|_| DAMAGED)?;
    Segment::of_bytes(&bytes).ok_or(DAMAGED)
}

/// Reads a saved inventory, or an older format: a list of ids, or a map of ids to versions.
pub(super) fn read(saved: Value) -> Result<State, &'static str> {
    let mut state = State::default();
    match saved {
        Value::Null => {}
        Value::Array(ids) => {
            for id in ids {
                match id {
                    Value::String(id) => add(&mut state.table, &id, Fingerprint::NONE),
                    _ => return Err("an id in the saved list is not a string"),
                }
            }
        }
        Value::Object(mut fields) if fields.get(FORM).is_some_and(Value::is_u64) => {
            if fields[FORM] != VERSION {
                return Err("the inventory was saved by a newer version of the framework");
            }
            if let Some(Value::Array(ids)) = fields.remove("ids") {
                for text in ids {
                    state.table.load(unpack(&text)?);
                }
            }
            if let Some(missing) = fields.remove("missing") {
                state.missing = serde_json::from_value(missing)
                    .map_err(|_| "the list of missing documents is damaged")?;
            }
            if let Some(parts) = fields.remove("failed_parts") {
                state.failed_parts = serde_json::from_value(parts)
                    .map_err(|_| "the list of failed parts is damaged")?;
            }
            if let Some(walk) = fields.remove("walk") {
                state.walk = read_walk(walk, &mut state.table)?;
            }
        }
        Value::Object(versions) => {
            for (id, version) in versions {
                let fingerprint = match version {
                    Value::Null => Fingerprint::NONE,
                    version => fingerprint(&version),
                };
                add(&mut state.table, &id, fingerprint);
            }
        }
        _ => return Err("neither an inventory, nor a list or map of ids"),
    }
    Ok(state)
}

fn read_walk(mut walk: Value, table: &mut Table) -> Result<Option<OpenWalk>, &'static str> {
    for (key, seen) in [("kept", Seen::Kept), ("sent", Seen::Sent)] {
        let mut ids = Table::default();
        ids.load(unpack(&walk[key])?);
        ids.each_below("", |id, _| {
            table.change(id, |mark| mark.seen = seen);
        });
    }
    let (run, at) = (walk["run"].take(), walk["at"].take());
    let run = run.as_str().map(str::to_owned);
    Ok(run.map(|run| OpenWalk::interrupted(run, at)))
}

/// Adds an id of an older format. Duplicates are merged.
pub(super) fn add(table: &mut Table, id: &str, fingerprint: Fingerprint) {
    let mark = Mark {
        fingerprint,
        seen: Seen::No,
    };
    if !table.change(id, |known| *known = mark) {
        table.insert(id, mark, None, 0);
        table.settle(0);
    }
}
