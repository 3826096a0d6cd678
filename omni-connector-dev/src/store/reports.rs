//! The connectors' reports on their runs. Several processes may work on one run, one after the other.

use std::{
    collections::{BTreeMap, HashSet},
    mem,
};

use omni_connector::RunReport;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::{StoreError, column::Json, run_documents};

/// Stores the report of the process that works on a run.
///
/// # Errors
/// Fails when SQLite fails.
pub fn put(db: &Connection, run_id: &str, report: &Value) -> Result<(), StoreError> {
    put_into(db, "run_reports", run_id, report)
}

/// Sets the reports on a run aside, before another process goes on with it.
///
/// # Errors
/// Fails when SQLite fails.
pub fn set_aside(db: &Connection, run_id: &str) -> Result<(), StoreError> {
    if let Some(report) = find(db, run_id)? {
        let report = serde_json::to_value(report).unwrap_or_default();
        put_into(db, "earlier_reports", run_id, &report)?;
        db.prepare_cached("DELETE FROM run_reports WHERE sync_run_id = ?1")?
            .execute([run_id])?;
    }
    Ok(())
}

/// Returns the report on a run, of all its processes.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(db: &Connection, run_id: &str) -> Result<Option<RunReport>, StoreError> {
    let latest = find_in(db, "run_reports", run_id)?;
    match find_in(db, "earlier_reports", run_id)? {
        None => Ok(latest),
        Some(earlier) => joined(db, run_id, earlier, latest.unwrap_or_default()).map(Some),
    }
}

/// Removes the reports on the runs of a source.
pub(super) fn forget(db: &Connection, source_id: &str) -> Result<(), StoreError> {
    for table in ["run_reports", "earlier_reports"] {
        db.prepare_cached(&format!(
            "DELETE FROM {table} WHERE sync_run_id IN (SELECT id FROM sync_runs WHERE source_id = ?1)"
        ))?
        .execute([source_id])?;
    }
    Ok(())
}

fn put_into(db: &Connection, table: &str, run_id: &str, report: &Value) -> Result<(), StoreError> {
    db.prepare_cached(&format!(
        "INSERT INTO {table} (sync_run_id, report) VALUES (?1, ?2) ON CONFLICT (sync_run_id) DO UPDATE SET report = ?2"
    ))?
    .execute(params![run_id, Json(report)])?;
    Ok(())
}

fn find_in(db: &Connection, table: &str, run_id: &str) -> Result<Option<RunReport>, StoreError> {
    let report = db
        .prepare_cached(&format!(
            "SELECT report FROM {table} WHERE sync_run_id = ?1"
        ))?
        .query_row([run_id], |row| row.get::<_, Json<Value>>(0))
        .optional()?;
    // What another SDK reports may have another shape.
    Ok(report.and_then(|Json(report)| serde_json::from_value(report).ok()))
}

/// Adds the skips and failures of earlier processes to the report of the latest one. An item that the latest one names again
/// counts once. One that the run sent or deleted as a document is settled, also if only a part of it had failed.
fn joined(
    db: &Connection,
    run_id: &str,
    mut earlier: RunReport,
    mut latest: RunReport,
) -> Result<RunReport, StoreError> {
    let failed = latest.failures.iter().map(|it| it.item.as_str());
    let skipped = latest.skips.iter().map(|it| it.item.as_str());
    let named: HashSet<_> = failed.chain(skipped).collect();
    let is_open = |item: &str| {
        Ok::<_, StoreError>(
            !named.contains(item) && run_documents::part(db, run_id, item)?.is_none(),
        )
    };
    let mut failures = Vec::new();
    for failure in mem::take(&mut earlier.failures) {
        if is_open(&failure.item)? {
            failures.push(failure);
        } else {
            earlier.failed = earlier.failed.saturating_sub(1);
            take_one(&mut earlier.failed_at, &failure.stage);
            take_one(&mut earlier.causes, &failure.cause);
        }
    }
    let mut skips = Vec::new();
    for skip in mem::take(&mut earlier.skips) {
        if is_open(&skip.item)? {
            skips.push(skip);
        } else {
            earlier.skipped = earlier.skipped.saturating_sub(1);
            take_one(&mut earlier.reasons, &skip.reason);
        }
    }
    failures.append(&mut latest.failures);
    skips.append(&mut latest.skips);
    (latest.failures, latest.skips) = (failures, skips);
    latest.failed += earlier.failed;
    latest.skipped += earlier.skipped;
    add(&mut latest.failed_at, earlier.failed_at);
    add(&mut latest.causes, earlier.causes);
    add(&mut latest.reasons, earlier.reasons);
    latest.scanned += earlier.scanned;
    latest.updated += earlier.updated;
    latest.deleted += earlier.deleted;
    latest.bytes += earlier.bytes;
    latest.contents += earlier.contents;
    // A walk that was finished twice held the same ones back.
    latest.held_back = latest.held_back.max(earlier.held_back);
    Ok(latest)
}

fn take_one<K: Ord>(counts: &mut BTreeMap<K, u64>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
    }
    counts.retain(|_, count| *count > 0);
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, others: BTreeMap<K, u64>) {
    for (key, count) in others {
        *counts.entry(key).or_default() += count;
    }
}
