//! Documents as the indexer stores them: upserted by source and document id, searchable by title
//! and text. Only events may change them, through [`apply`](super::apply). Reading is public.

use omni_connector::{Attributes, DocumentMetadata, DocumentPermissions};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    StoreError,
    column::{Json, Micros, new_id},
    run_documents, words,
};

/// A stored document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredDocument {
    /// Omni's id.
    pub id: String,
    /// Id of its source.
    pub source_id: String,
    /// The connector's id.
    pub document_id: String,
    /// The id of its text.
    pub content_id: String,
    /// `metadata.title`, or `Untitled`.
    pub title: String,
    /// `metadata.content_type`, else `metadata.mime_type`.
    pub content_type: Option<String>,
    /// From the URL, in lower case.
    pub file_extension: Option<String>,
    /// Size in the source in bytes, when `metadata.size` is a number.
    pub size: Option<i64>,
    /// The connector's metadata; absent members are omitted.
    pub metadata: Value,
    /// Who may see it. `None` hides it from everybody.
    pub permissions: Option<Value>,
    /// Attributes that search operators match.
    pub attributes: Value,
    /// When it was first stored.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

impl StoredDocument {
    /// Reads a row of `documents` by column names.
    ///
    /// # Errors
    /// Fails when a column is missing.
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            source_id: row.get("source_id")?,
            document_id: row.get("document_id")?,
            content_id: row.get("content_id")?,
            title: row.get("title")?,
            content_type: row.get("content_type")?,
            file_extension: row.get("file_extension")?,
            size: row.get("size")?,
            metadata: row.get::<_, Json<_>>("metadata")?.0,
            permissions: row
                .get::<_, Option<Json<_>>>("permissions")?
                .map(|Json(value)| value),
            attributes: row.get::<_, Json<_>>("attributes")?.0,
            created_at: row.get::<_, Micros>("created_at")?.0,
            updated_at: row.get::<_, Micros>("updated_at")?.0,
        })
    }
}

/// Counts the documents of one source or of all.
///
/// # Errors
/// Fails when SQLite fails.
pub fn count(db: &Connection, source_id: Option<&str>) -> Result<u64, StoreError> {
    Ok(db
        .prepare_cached("SELECT count(*) FROM documents WHERE ?1 IS NULL OR source_id = ?1")?
        .query_row([source_id], |row| row.get(0))?)
}

/// Finds a document by source and the connector's document id.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find(
    db: &Connection,
    source_id: &str,
    document_id: &str,
) -> Result<Option<StoredDocument>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM documents WHERE source_id = ?1 AND document_id = ?2")?
        .query_row([source_id, document_id], StoredDocument::read)
        .optional()?)
}

/// Finds a document by Omni's id, in any source.
///
/// # Errors
/// Fails when SQLite fails.
pub fn find_by_id(db: &Connection, id: &str) -> Result<Option<StoredDocument>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM documents WHERE id = ?1")?
        .query_row([id], StoredDocument::read)
        .optional()?)
}

/// Returns all documents of a source, ordered by the connector's document ids.
///
/// # Errors
/// Fails when SQLite fails.
pub fn of_source(db: &Connection, source_id: &str) -> Result<Vec<StoredDocument>, StoreError> {
    Ok(db
        .prepare_cached("SELECT * FROM documents WHERE source_id = ?1 ORDER BY document_id")?
        .query_map([source_id], StoredDocument::read)?
        .collect::<Result<_, _>>()?)
}

/// The effect of an upsert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upserted {
    Created,
    Updated,
    Unchanged,
}

/// The parts of an event that make up a document.
pub(super) struct Upsert<'a> {
    pub run_id: &'a str,
    pub source_id: &'a str,
    pub document_id: &'a str,
    pub content_id: &'a str,
    pub metadata: &'a DocumentMetadata,
    pub permissions: Option<&'a DocumentPermissions>,
    pub attributes: Option<&'a Attributes>,
}

pub(super) fn upsert(db: &Connection, upsert: &Upsert<'_>) -> Result<Upserted, StoreError> {
    let metadata = without_nulls(to_json(upsert.metadata)?).to_string();
    let permissions = upsert.permissions.map(to_json).transpose()?;
    let permissions = permissions.map(|permissions| permissions.to_string());
    let attributes = match upsert.attributes {
        Some(attributes) => to_json(attributes)?.to_string(),
        None => "{}".to_owned(),
    };
    let title = upsert.metadata.title.as_deref().unwrap_or("Untitled");
    let shown = permissions.as_deref().unwrap_or_default();
    let digest = run_documents::digest(&[upsert.content_id, &metadata, shown, &attributes]);
    run_documents::note(db, upsert.run_id, upsert.document_id, Some(digest))?;

    let known = db
        .prepare_cached(
            "SELECT key, content_id = ?3, title = ?4, metadata = ?5 AND permissions IS ?6 AND attributes = ?7
             FROM documents WHERE source_id = ?1 AND document_id = ?2",
        )?
        .query_row(
            params![
                upsert.source_id,
                upsert.document_id,
                upsert.content_id,
                title,
                metadata,
                permissions,
                attributes
            ],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, bool>(1)? && row.get::<_, bool>(2)?,
                    row.get::<_, bool>(3)?,
                ))
            },
        )
        .optional()?;
    if let Some((_, true, true)) = known {
        return Ok(Upserted::Unchanged);
    }

    if known.is_some() {
        run_documents::keep_version(db, upsert.run_id, upsert.source_id, upsert.document_id)?;
    }
    let same_words = matches!(known, Some((_, true, _)));
    if let (Some((key, ..)), false) = (known, same_words) {
        forget_words(db, key)?;
    }
    let key: i64 = db
        .prepare_cached(
            "INSERT INTO documents (id, source_id, document_id, content_id, title, content_type, file_extension, size,
                metadata, permissions, attributes, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)
             ON CONFLICT (source_id, document_id) DO UPDATE SET content_id = ?4, title = ?5, content_type = ?6,
                file_extension = ?7, size = ?8, metadata = ?9, permissions = ?10, attributes = ?11, updated_at = ?12
             RETURNING key",
        )?
        .query_row(
            params![
                new_id(),
                upsert.source_id,
                upsert.document_id,
                upsert.content_id,
                title,
                upsert
                    .metadata
                    .content_type
                    .as_ref()
                    .or(upsert.metadata.mime_type.as_ref()),
                upsert.metadata.url.as_deref().and_then(file_extension),
                upsert
                    .metadata
                    .size
                    .as_ref()
                    .and_then(|size| size.parse::<i64>().ok()),
                metadata,
                permissions,
                attributes,
                Micros::now(),
            ],
            |row| row.get(0),
        )?;
    if !same_words {
        learn_words(db, key, title, upsert.content_id)?;
    }
    Ok(if known.is_some() {
        Upserted::Updated
    } else {
        Upserted::Created
    })
}

/// Removes a document for a run. Returns whether it existed.
pub(super) fn delete(
    db: &Connection,
    run_id: &str,
    source_id: &str,
    document_id: &str,
) -> Result<bool, StoreError> {
    let key: Option<i64> = db
        .prepare_cached("SELECT key FROM documents WHERE source_id = ?1 AND document_id = ?2")?
        .query_row([source_id, document_id], |row| row.get(0))
        .optional()?;
    run_documents::note(db, run_id, document_id, None)?;
    let Some(key) = key else { return Ok(false) };
    run_documents::keep_version(db, run_id, source_id, document_id)?;
    forget_words(db, key)?;
    db.prepare_cached("DELETE FROM documents WHERE key = ?1")?
        .execute([key])?;
    Ok(true)
}

/// Removes up to `limit` documents of a source. Returns how many.
pub(super) fn delete_some(
    db: &Connection,
    source_id: &str,
    limit: usize,
) -> Result<usize, StoreError> {
    let keys: Vec<i64> = db
        .prepare_cached("SELECT key FROM documents WHERE source_id = ?1 LIMIT ?2")?
        .query_map(params![source_id, limit], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for key in &keys {
        forget_words(db, *key)?;
        db.prepare_cached("DELETE FROM documents WHERE key = ?1")?
            .execute([key])?;
    }
    Ok(keys.len())
}

fn forget_words(db: &Connection, key: i64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM document_words WHERE rowid = ?1")?
        .execute([key])?;
    Ok(())
}

fn learn_words(db: &Connection, key: i64, title: &str, content_id: &str) -> Result<(), StoreError> {
    let body = db
        .prepare_cached("SELECT body FROM contents WHERE id = ?1")?
        .query_row([content_id], |row| {
            Ok(words::indexed(row.get_ref(0)?.as_str()?))
        })?;
    db.prepare_cached("INSERT INTO document_words (rowid, title, body) VALUES (?1, ?2, ?3)")?
        .execute(params![key, words::indexed(title), body])?;
    Ok(())
}

/// Fills an empty search index with all documents. Returns how many there are.
pub(super) fn index_all(db: &Connection) -> Result<usize, StoreError> {
    let mut all = db.prepare("SELECT key, title, content_id FROM documents")?;
    let mut rows = all.query([])?;
    let mut indexed = 0;
    while let Some(row) = rows.next()? {
        let (title, content_id): (String, String) = (row.get(1)?, row.get(2)?);
        learn_words(db, row.get(0)?, &title, &content_id)?;
        indexed += 1;
    }
    Ok(indexed)
}

fn to_json(value: &impl Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()).into())
}

/// Removes null members, which mean the same as absent ones, so that values compare.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        other => other,
    }
}

/// Returns the file extension of a URL's last path segment.
fn file_extension(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let (_, name) = path.rsplit_once('/')?;
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then(|| extension.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::file_extension;

    #[test]
    fn the_extension_is_read_from_the_last_segment() {
        assert_eq!(
            file_extension("https://a.example/x/R.PDF?v=1.2#p"),
            Some("pdf".into())
        );
        assert_eq!(
            file_extension("file:///srv/a.b/notes.md"),
            Some("md".into())
        );
        assert_eq!(file_extension("https://wiki.example.com/p/9"), None);
        assert_eq!(file_extension("https://wiki.example.com"), None);
        assert_eq!(file_extension("https://a.example/.hidden"), None);
    }
}
