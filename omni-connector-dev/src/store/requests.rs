//! What runs asked of their sources, as their connectors said: sums, walks, and the latest calls.

use omni_connector::{
    RunRequests, SourceRequest,
    http::{Exchange, RequestId},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{StoreError, column::Json};

/// Calls that are kept of each process that worked on a run.
const KEPT: u64 = 5_000;
/// Processes whose calls are kept.
const KEPT_LOGS: usize = 40;
/// Calls of each process that are kept with their answers.
const KEPT_EXCHANGES: u64 = 300;
/// Processes whose calls are kept with their answers.
const KEPT_EXCHANGE_LOGS: usize = 5;

/// The last call that is known of a run: when its process began, and its number.
///
/// # Errors
/// Those of SQLite.
pub fn last(db: &Connection, run_id: &str) -> Result<Option<(u64, u64)>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT began_ms, max(number) FROM run_requests WHERE sync_run_id = ?1
             GROUP BY began_ms ORDER BY began_ms DESC LIMIT 1",
        )?
        .query_row([run_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// The latest run of a source that made calls.
///
/// # Errors
/// Those of SQLite.
pub fn latest_run(db: &Connection, source_id: &str) -> Result<Option<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT run.id FROM sync_runs run JOIN run_requests request ON request.sync_run_id = run.id
             WHERE run.source_id = ?1 ORDER BY run.started_at DESC, run.rowid DESC LIMIT 1",
        )?
        .query_row([source_id], |row| row.get(0))
        .optional()?)
}

/// Keeps what a connector says of a run, and forgets the oldest.
///
/// # Errors
/// Those of SQLite.
pub fn put(db: &Connection, run_id: &str, mut said: RunRequests) -> Result<(), StoreError> {
    let (began, requests) = (said.began_ms, std::mem::take(&mut said.requests));
    let is_new = !db
        .prepare_cached("SELECT 1 FROM request_sums WHERE sync_run_id = ?1 AND began_ms = ?2")?
        .exists(params![run_id, began])?;
    db.prepare_cached(
        "INSERT INTO request_sums (sync_run_id, began_ms, sums) VALUES (?1, ?2, ?3)
         ON CONFLICT (sync_run_id, began_ms) DO UPDATE SET sums = ?3",
    )?
    .execute(params![run_id, began, Json(&said)])?;
    let last = requests.last().map(|request| request.number);
    for mut request in requests {
        if let Some(exchange) = request.exchange.take() {
            db.prepare_cached("INSERT OR REPLACE INTO run_exchanges (sync_run_id, began_ms, number, exchange) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![run_id, began, request.number, Json(&exchange)])?;
        }
        db.prepare_cached("INSERT OR REPLACE INTO run_requests (sync_run_id, began_ms, number, request) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![run_id, began, request.number, Json(&request)])?;
    }
    for (table, kept) in [("run_requests", KEPT), ("run_exchanges", KEPT_EXCHANGES)] {
        if let Some(oldest) = last.and_then(|last| last.checked_sub(kept)) {
            let sql = format!(
                "DELETE FROM {table} WHERE sync_run_id = ?1 AND began_ms = ?2 AND number <= ?3"
            );
            db.prepare_cached(&sql)?
                .execute(params![run_id, began, oldest])?;
        }
    }
    if is_new {
        db.prepare_cached(
            "DELETE FROM request_sums WHERE began_ms NOT IN (SELECT began_ms FROM request_sums ORDER BY began_ms DESC LIMIT ?1)",
        )?
        .execute([KEPT_LOGS])?;
        db.prepare_cached(
            "DELETE FROM run_requests WHERE began_ms NOT IN (SELECT began_ms FROM request_sums)",
        )?
        .execute([])?;
        db.prepare_cached(
            "DELETE FROM run_exchanges WHERE began_ms NOT IN (SELECT began_ms FROM request_sums ORDER BY began_ms DESC LIMIT ?1)",
        )?
        .execute([KEPT_EXCHANGE_LOGS])?;
    }
    Ok(())
}

/// Returns a call of a run with its answer, if both are kept. Without a time, of the latest process.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(
    db: &Connection,
    run_id: &str,
    began_ms: Option<u64>,
    number: u64,
) -> Result<Option<(u64, SourceRequest)>, StoreError> {
    let found = db
        .prepare_cached(
            "SELECT began_ms, request, exchange FROM run_requests LEFT JOIN run_exchanges USING (sync_run_id, began_ms, number)
             WHERE sync_run_id = ?1 AND number = ?2 AND began_ms = coalesce(?3, began_ms) ORDER BY began_ms DESC LIMIT 1",
        )?
        .query_row(params![run_id, number, began_ms], |row| {
            let Json(mut request): Json<SourceRequest> = row.get("request")?;
            let exchange: Option<Json<Exchange>> = row.get("exchange")?;
            request.exchange = exchange.map(|Json(exchange)| exchange);
            Ok((row.get("began_ms")?, request))
        })
        .optional()?;
    Ok(found)
}

/// Returns the requests of a run that are kept with their answers, in their order.
///
/// # Errors
/// Fails when SQLite fails.
pub fn exchanges(db: &Connection, run_id: &str) -> Result<Vec<(RequestId, Exchange)>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT began_ms, number, exchange FROM run_exchanges WHERE sync_run_id = ?1 ORDER BY began_ms, number",
        )?
        .query_map([run_id], read_exchange)?
        .collect::<Result<_, _>>()?)
}

/// Returns the latest requests of a run whose kept answers contain a text, the latest first.
///
/// # Errors
/// Fails when SQLite fails.
pub fn answers_with(
    db: &Connection,
    run_id: &str,
    text: &str,
    limit: usize,
) -> Result<Vec<(RequestId, Exchange)>, StoreError> {
    let quoted = serde_json::Value::from(text).to_string();
    Ok(db
        .prepare_cached(
            "SELECT began_ms, number, exchange FROM run_exchanges WHERE sync_run_id = ?1 AND instr(exchange, ?2) > 0
             ORDER BY began_ms DESC, number DESC LIMIT ?3",
        )?
        .query_map(params![run_id, quoted.trim_matches('"'), limit], read_exchange)?
        .collect::<Result<_, _>>()?)
}

fn read_exchange(row: &Row<'_>) -> rusqlite::Result<(RequestId, Exchange)> {
    let id = RequestId {
        began_ms: row.get("began_ms")?,
        number: row.get("number")?,
    };
    let Json(exchange) = row.get("exchange")?;
    Ok((id, exchange))
}

/// What is known of a run: for each process that worked on it, the first one first, with all calls that are kept.
///
/// # Errors
/// Those of SQLite.
pub fn of_run(db: &Connection, run_id: &str) -> Result<Vec<RunRequests>, StoreError> {
    let mut logs: Vec<RunRequests> = db
        .prepare_cached("SELECT sums FROM request_sums WHERE sync_run_id = ?1 ORDER BY began_ms")?
        .query_map([run_id], |row| row.get(0).map(|Json(sums)| sums))?
        .collect::<Result<_, _>>()?;
    for log in &mut logs {
        log.requests = db
            .prepare_cached(
                "SELECT request FROM run_requests WHERE sync_run_id = ?1 AND began_ms = ?2 ORDER BY number",
            )?
            .query_map(params![run_id, log.began_ms], |row| {
                row.get(0).map(|Json(request)| request)
            })?
            .collect::<Result<_, _>>()?;
    }
    Ok(logs)
}

/// Forgets all of a source.
pub(super) fn forget(db: &Connection, source_id: &str) -> Result<(), StoreError> {
    for table in ["request_sums", "run_requests", "run_exchanges"] {
        let sql = format!(
            "DELETE FROM {table} WHERE sync_run_id IN (SELECT id FROM sync_runs WHERE source_id = ?1)"
        );
        db.prepare_cached(&sql)?.execute([source_id])?;
    }
    Ok(())
}
