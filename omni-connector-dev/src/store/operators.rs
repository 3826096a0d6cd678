//! Search operators of registered connectors, stored so that search works while no connector runs
//! (`protocol.md` §7.1).

use omni_connector::SearchOperator;
use rusqlite::{Connection, params};

use super::StoreError;

/// Stores the operators of the live connectors, each with its connector id, in order. Keeps those
/// of other connectors after them, so that their documents can still be found.
///
/// # Errors
/// Fails when SQLite fails.
pub fn replace(db: &Connection, live: &[(String, Vec<SearchOperator>)]) -> Result<(), StoreError> {
    let mut all: Vec<(String, SearchOperator)> = Vec::new();
    for (connector_id, operators) in live {
        let operators = operators.iter();
        all.extend(operators.map(|operator| (connector_id.clone(), operator.clone())));
    }
    let earlier = stored(db)?.into_iter();
    all.extend(earlier.filter(|(id, _)| live.iter().all(|(live, _)| live != id)));
    db.execute("DELETE FROM search_operators", [])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO search_operators (connector_id, operator, attribute_key, value_type) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (connector_id, operator) in all {
        insert.execute(params![
            connector_id,
            operator.operator,
            operator.attribute_key,
            operator.value_type
        ])?;
    }
    Ok(())
}

/// Returns all operators in the order of registration. The first of two with the same name wins.
///
/// # Errors
/// Fails when SQLite fails.
pub fn all(db: &Connection) -> Result<Vec<SearchOperator>, StoreError> {
    let stored = stored(db)?.into_iter();
    Ok(stored.map(|(_, operator)| operator).collect())
}

/// Returns all operators, each with its connector's id.
fn stored(db: &Connection) -> Result<Vec<(String, SearchOperator)>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT connector_id, operator, attribute_key, value_type FROM search_operators ORDER BY rowid",
        )?
        .query_map([], |row| {
            let operator = SearchOperator {
                operator: row.get(1)?,
                attribute_key: row.get(2)?,
                value_type: row.get(3)?,
            };
            Ok((row.get(0)?, operator))
        })?
        .collect::<Result<_, _>>()?)
}
