//! A database like that of Prototype.
//> template
#![allow(
    unused_variables,
    reason = "a template holds all its variants, one after the other"
)]
//<

use std::{error::Error, path::Path};

use omni_connector_dev::testing::FakeItems;
use rusqlite::Connection;
use serde_json::{Value, json};

/// How many issues there are.
pub const ISSUES: usize = 13;

/// The tables of Prototype. Addresses in a column are separated by commas.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS issues (
        id TEXT PRIMARY KEY,
        title TEXT,
        text TEXT,
        url TEXT,
        status TEXT,
        updated_at TEXT,
        readers TEXT,
        team TEXT
    );
    CREATE TABLE IF NOT EXISTS teams (email TEXT PRIMARY KEY, members TEXT);
";

/// Makes the database. The checks change the items here, and `write` puts them into it again. They know the members `title`, `text` and
/// `readers` of items. If yours have other names, add `.title("…")`, `.text("…")` or `.readers("…")`; otherwise these checks are left out.
pub fn start() -> FakeItems {
    FakeItems::new("prototype.db", write)
        .list(issues())
        .id("id")
        .count(count)
        //> incremental=time
        .changed("updated_at")
        //<
        //> access=groups
        .list(teams())
        .members("members")
    //<
}

/// Makes the database have exactly the rows of these lists.
fn write(database: &Path, lists: &[Vec<Value>]) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut database = Connection::open(database)?;
    let database = database.transaction()?;
    database.execute_batch(TABLES)?;
    for (table, rows) in ["issues", "teams"].into_iter().zip(lists) {
        database.execute(&format!("DELETE FROM {table}"), [])?;
        for row in rows.iter().filter_map(Value::as_object) {
            let columns: Vec<_> = row.keys().map(String::as_str).collect();
            let places = vec!["?"; columns.len()].join(", ");
            let columns = columns.join(", ");
            let values = row.values().map(column);
            database.execute(
                &format!("INSERT INTO {table} ({columns}) VALUES ({places})"),
                rusqlite::params_from_iter(values),
            )?;
        }
    }
    Ok(database.commit()?)
}

/// A value as it is in a column.
fn column(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => Some(
            items
                .iter()
                .filter_map(column)
                .collect::<Vec<_>>()
                .join(","),
        ),
        other => Some(other.to_string()),
    }
}

/// How many issues the database has.
fn count(database: &Path) -> usize {
    let count = "SELECT count(*) FROM issues";
    let rows: Result<u32, _> = Connection::open(database)
        .and_then(|database| database.query_row(count, [], |row| row.get(0)));
    usize::try_from(rows.expect("the database is there")).unwrap_or(usize::MAX)
}

fn issues() -> Vec<Value> {
    let issue = |number| {
        json!({
            "id": format!("{number:02}"),
            "title": format!("Issue {number}"),
            "text": format!("What is to be known of number {number}."),
            "url": format!("https://prototype.example.com/issues/{number}"),
            "status": if number % 3 == 0 { "closed" } else { "open" },
            "updated_at": format!("2026-01-{number:02}T12:00:00Z"),
            //> access=groups
            "team": "ops@example.com",
            //<
            //> access=item
            "readers": ["ada@example.com", "bo@example.com"],
            //<
        })
    };
    (1..=ISSUES).map(issue).collect()
}
//> access=groups

fn teams() -> Vec<Value> {
    vec![json!({ "email": "ops@example.com", "members": ["ada@example.com", "bo@example.com"] })]
}
//<
