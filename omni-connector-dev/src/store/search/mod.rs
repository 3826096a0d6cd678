//! Searches the store: words through the index, operators and permissions by the rules of Omni's
//! searcher (`protocol.md` §4.7, §7). A typed query must never cause a syntax error.

mod filter;
mod parse;
mod snippet;

use std::panic::AssertUnwindSafe;

use rusqlite::{Connection, Row, functions::FunctionFlags, named_params};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, column::Json, operators, review};
use filter::{Candidate, Filter};

/// A search query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Words, all of which must match; `"quoted phrases"`; prefixes such as `seri*`; and operators.
    /// An empty query finds all documents, newest first.
    pub text: String,
    /// E-mail address of a person. Restricts the search to documents which that person may see;
    /// `None` searches all.
    pub viewer: Option<String>,
    /// The most hits to return.
    pub limit: usize,
}

impl Query {
    /// Creates a query for the ten best hits.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            viewer: None,
            limit: 10,
        }
    }

    /// Restricts the search to documents which that person may see.
    #[must_use]
    pub fn seen_by(mut self, email: impl Into<String>) -> Self {
        self.viewer = Some(email.into());
        self
    }
}

/// The result of a search.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hits {
    /// How many documents match.
    pub total: u64,
    /// The best hits, or the newest documents for a query without words.
    pub hits: Vec<Hit>,
    /// Operators with invalid values, such as `after:tomorrow`. They are ignored, as in Omni.
    pub ignored: Vec<String>,
}

/// A matching document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Omni's id of the document.
    pub id: String,
    /// The connector's id of the document.
    pub document_id: String,
    /// Its title, or `Untitled`.
    pub title: String,
    /// Its path in the source.
    pub path: Option<String>,
    /// The URL under which people open it.
    pub url: Option<String>,
    /// Its content type for people, else its MIME type.
    pub content_type: Option<String>,
    /// Its source.
    pub source: SourceName,
    /// The part of its text that matches best, or its beginning for a query without words.
    pub snippet: Vec<SnippetPart>,
}

/// The identifying parts of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceName {
    /// The manager's id.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub source_type: String,
}

/// A piece of a snippet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnippetPart {
    /// The text, with each run of whitespace as one space.
    pub text: String,
    /// Whether this piece matches the query.
    pub is_match: bool,
}

impl Store {
    /// Searches the documents; see [`search`].
    ///
    /// # Errors
    /// Fails when SQLite fails.
    pub async fn search(&self, query: Query) -> Result<Hits, StoreError> {
        self.read(move |db| search(db, &query)).await
    }
}

/// Searches the documents of all sources that are not deleted.
///
/// `operator:value` and `operator:"quoted value"` match an attribute through the operators that
/// connectors registered. The built-in operators are `by:` for an author, `in:` for a source type,
/// `type:` for a content type, and `before:` and `after:` for the last change. Their times are
/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD` in UTC. Repeating an operator adds an alternative; different
/// operators must all match.
///
/// # Errors
/// Fails when SQLite fails.
pub fn search(db: &Connection, query: &Query) -> Result<Hits, StoreError> {
    let parsed = parse::parse(&query.text, &operators::all(db)?);
    if parsed.is_nothing_searchable {
        return Ok(Hits::default());
    }
    let (mut filter, ignored) = Filter::new(&parsed);
    if let Some(viewer) = &query.viewer {
        filter = filter.seen_by(db, viewer)?;
    }
    let words = parsed.index_query();
    let admitted = if filter.admits_everything() {
        "1".to_owned()
    } else {
        let columns = COMPARED.iter().zip(filter.columns());
        let columns = columns.map(|(column, is_read)| if is_read { column } else { "NULL" });
        let columns = columns.collect::<Vec<_>>().join(", ");
        register(db, filter)?;
        format!("admits({columns})")
    };
    let admitted = admitted.as_str();
    let hits = match &words {
        Some(words) => best(db, words, &parsed.words, admitted, query.limit)?,
        None => newest(db, admitted, query.limit)?,
    };
    let total = match &words {
        _ if hits.len() < query.limit => hits.len() as u64,
        Some(words) => count(db, words, admitted)?,
        None => count_all(db, admitted)?,
    };
    Ok(Hits {
        total,
        hits,
        ignored,
    })
}

/// Registers `filter` as the SQL function `admits`.
fn register(db: &Connection, filter: Filter) -> Result<(), StoreError> {
    // Nothing of the filter changes but its decisions, which are kept whole, so a panic cannot leave it half changed.
    let filter = AssertUnwindSafe(filter);
    db.create_scalar_function("admits", 5, FunctionFlags::SQLITE_UTF8, move |row| {
        let text = |index| row.get_raw(index).as_str_or_null();
        Ok(filter.admits(&Candidate {
            source_type: text(0)?.unwrap_or_default(),
            content_type: text(1)?,
            metadata: text(2)?.unwrap_or_default(),
            permissions: text(3)?,
            attributes: text(4)?.unwrap_or_default(),
        }))
    })?;
    Ok(())
}

/// What a filter compares, in the order of `Candidate`.
const COMPARED: [&str; 5] = [
    "sources.source_type",
    "documents.content_type",
    "documents.metadata",
    "documents.permissions",
    "documents.attributes",
];

const COLUMNS: &str = "documents.id, documents.document_id, documents.title, documents.content_type, documents.metadata,
    sources.id AS source_id, sources.name AS source_name, sources.source_type";

/// Returns the best matches. The index is the outer loop and yields rows by rank, so only texts
/// within the limit are read.
fn best(
    db: &Connection,
    words: &str,
    typed: &[parse::Word],
    admitted: &str,
    limit: usize,
) -> Result<Vec<Hit>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, contents.body
         FROM document_words
         CROSS JOIN documents ON documents.key = document_words.rowid
         CROSS JOIN sources ON sources.id = documents.source_id
         CROSS JOIN contents ON contents.id = documents.content_id
         WHERE document_words MATCH :words AND rank MATCH 'bm25(8.0, 1.0)' AND NOT sources.is_deleted AND {admitted}
         ORDER BY rank LIMIT :limit"
    );
    let params = named_params! { ":words": words, ":limit": limit };
    let secrets = review::secrets(db)?;
    Ok(db
        .prepare_cached(&sql)?
        .query_map(params, |row| Hit::read(row, typed, &secrets))?
        .collect::<Result<_, _>>()?)
}

/// Returns the newest documents. Reads them in the order of an index, and nothing behind the limit.
fn newest(db: &Connection, admitted: &str, limit: usize) -> Result<Vec<Hit>, StoreError> {
    let secrets = review::secrets(db)?;
    Ok(db
        .prepare_cached(&newest_sql(admitted))?
        .query_map(named_params! { ":limit": limit }, |row| {
            Hit::read(row, &[], &secrets)
        })?
        .collect::<Result<_, _>>()?)
}

fn newest_sql(admitted: &str) -> String {
    format!(
        "SELECT {COLUMNS}, substr(contents.body, 1, 200) AS body
         FROM documents
         CROSS JOIN sources ON sources.id = documents.source_id
         CROSS JOIN contents ON contents.id = documents.content_id
         WHERE NOT sources.is_deleted AND {admitted}
         ORDER BY documents.metadata ->> 'updated_at' DESC, documents.key LIMIT :limit"
    )
}

fn count_all(db: &Connection, admitted: &str) -> Result<u64, StoreError> {
    let sql = format!(
        "SELECT count(*) FROM documents CROSS JOIN sources ON sources.id = documents.source_id
         WHERE NOT sources.is_deleted AND {admitted}"
    );
    Ok(db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
}

fn count(db: &Connection, words: &str, admitted: &str) -> Result<u64, StoreError> {
    let sql = format!(
        "SELECT count(*) FROM document_words CROSS JOIN documents ON documents.key = document_words.rowid
         CROSS JOIN sources ON sources.id = documents.source_id
         WHERE document_words MATCH :words AND NOT sources.is_deleted AND {admitted}"
    );
    Ok(db
        .prepare_cached(&sql)?
        .query_row(named_params! { ":words": words }, |row| row.get(0))?)
}

impl Hit {
    fn read(row: &Row<'_>, typed: &[parse::Word], secrets: &[String]) -> rusqlite::Result<Self> {
        let Json(metadata) = row.get::<_, Json<serde_json::Value>>("metadata")?;
        let text = |key: &str| metadata.get(key)?.as_str().map(str::to_owned);
        Ok(Self {
            id: row.get("id")?,
            document_id: row.get("document_id")?,
            title: row.get("title")?,
            path: text("path"),
            url: text("url"),
            content_type: row.get("content_type")?,
            source: SourceName {
                id: row.get("source_id")?,
                name: row.get("source_name")?,
                source_type: row.get("source_type")?,
            },
            snippet: snippet::around(row.get_ref("body")?.as_str()?, typed, secrets),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_documents_are_found_without_sorting_all() {
        let store = Store::in_memory().unwrap();
        let plan = |db: &Connection| {
            let sql = format!("EXPLAIN QUERY PLAN {}", newest_sql("1"));
            let mut statement = db.prepare(&sql)?;
            let steps =
                statement.query_map(named_params! { ":limit": 10 }, |row| row.get("detail"))?;
            Ok::<_, StoreError>(steps.collect::<Result<Vec<String>, _>>()?)
        };
        let steps = store.read(plan).await.unwrap();
        let whole = steps.join("; ");
        assert!(whole.contains("documents_by_change"), "{whole}");
        assert!(!whole.contains("TEMP B-TREE"), "{whole}");
    }
}
