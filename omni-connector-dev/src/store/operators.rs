//! Search operators of the live connectors, kept so that a search works while no connector runs (`protocol.md` §7.1).

use omni_connector::SearchOperator;
use rusqlite::{Connection, params};

use super::StoreError;

/// Replaces all operators, in their order.
///
/// # Errors
/// Those of SQLite.
pub fn replace(db: &Connection, operators: &[SearchOperator]) -> Result<(), StoreError> {
    db.execute("DELETE FROM search_operators", [])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO search_operators (operator, attribute_key, value_type) VALUES (?1, ?2, ?3)",
    )?;
    for operator in operators {
        insert.execute(params![
            operator.operator,
            operator.attribute_key,
            operator.value_type
        ])?;
    }
    Ok(())
}

/// All operators, in the order of registration. Of two with one name the first wins.
///
/// # Errors
/// Those of SQLite.
pub fn all(db: &Connection) -> Result<Vec<SearchOperator>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT operator, attribute_key, value_type FROM search_operators ORDER BY rowid",
        )?
        .query_map([], |row| {
            Ok(SearchOperator {
                operator: row.get(0)?,
                attribute_key: row.get(1)?,
                value_type: row.get(2)?,
            })
        })?
        .collect::<Result<_, _>>()?)
}
