-- Tables and indexes for the development page, mostly history. Created when missing; Omni has no such tables.

-- The latest report of a connector on a run (`GET /sync/{id}/report`).
CREATE TABLE IF NOT EXISTS run_reports (
    sync_run_id  TEXT PRIMARY KEY,
    report       TEXT NOT NULL              -- JSON
) STRICT;

-- What the processes reported that worked on the run before and were lost.
CREATE TABLE IF NOT EXISTS earlier_reports (
    sync_run_id  TEXT PRIMARY KEY,
    report       TEXT NOT NULL              -- JSON
) STRICT;

-- The latest checkpoints that the runs of each source saved.
CREATE TABLE IF NOT EXISTS saved_checkpoints (
    id           INTEGER PRIMARY KEY,
    sync_run_id  TEXT NOT NULL,
    source_id    TEXT NOT NULL,
    saved_at     INTEGER NOT NULL,
    documents    INTEGER NOT NULL,          -- documents that the run had brought by then
    size         INTEGER NOT NULL,          -- bytes of the JSON
    checkpoint   TEXT                       -- JSON; NULL where it is too large to keep every version of it
) STRICT;
CREATE INDEX IF NOT EXISTS saved_checkpoints_of_a_run ON saved_checkpoints (sync_run_id, id);
CREATE INDEX IF NOT EXISTS saved_checkpoints_of_a_source ON saved_checkpoints (source_id, id);

-- What a run asked of its source (`GET /sync/{id}/requests/{after}`): sums and walks of each process that worked on it.
CREATE TABLE IF NOT EXISTS request_sums (
    began_ms     INTEGER NOT NULL,          -- when the process began with the run
    sync_run_id  TEXT NOT NULL,
    sums         TEXT NOT NULL,             -- JSON: all of the answer but its calls
    PRIMARY KEY (sync_run_id, began_ms)
) STRICT;

-- The latest calls of these.
CREATE TABLE IF NOT EXISTS run_requests (
    sync_run_id  TEXT NOT NULL,
    began_ms     INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    request      TEXT NOT NULL,             -- JSON
    PRIMARY KEY (sync_run_id, began_ms, number)
) STRICT, WITHOUT ROWID;

-- The latest of these with their answers, without secrets.
CREATE TABLE IF NOT EXISTS run_exchanges (
    sync_run_id  TEXT NOT NULL,
    began_ms     INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    exchange     TEXT NOT NULL,             -- JSON
    PRIMARY KEY (sync_run_id, began_ms, number)
) STRICT;

-- The newest documents, which are shown where nothing is searched for.
CREATE INDEX IF NOT EXISTS documents_by_change ON documents (metadata ->> 'updated_at' DESC, key);

-- The settings of its source with which a run began.
CREATE TABLE IF NOT EXISTS run_settings (
    sync_run_id  TEXT PRIMARY KEY,
    settings     TEXT NOT NULL              -- JSON
) STRICT, WITHOUT ROWID;

-- Runs that a person bounded: to some documents, or to one item that failed before.
DROP TABLE IF EXISTS run_bounds;
CREATE TABLE IF NOT EXISTS bounded_runs (
    sync_run_id  TEXT PRIMARY KEY,
    bound        TEXT NOT NULL              -- JSON
) STRICT;

-- Doubts about sources that a person dismissed. They come back when the sentence changes in more than its numbers.
CREATE TABLE IF NOT EXISTS dismissed_doubts (
    source_id     TEXT NOT NULL,
    kind          TEXT NOT NULL,            -- the topic and the sentence without numbers
    reason        TEXT NOT NULL,
    PRIMARY KEY (source_id, kind)
) STRICT, WITHOUT ROWID;

-- The documents that the latest runs of each source sent or deleted.
CREATE TABLE IF NOT EXISTS run_documents (
    sync_run_id  TEXT NOT NULL,
    document_id  TEXT NOT NULL,
    digest       INTEGER,                   -- of all parts of the document; NULL when it was deleted
    PRIMARY KEY (sync_run_id, document_id)
) STRICT, WITHOUT ROWID;

-- The latest versions of documents that a run replaced or deleted.
CREATE TABLE IF NOT EXISTS document_versions (
    id           INTEGER PRIMARY KEY,
    source_id    TEXT NOT NULL,
    document_id  TEXT NOT NULL,
    sync_run_id  TEXT NOT NULL,             -- the run that replaced or deleted it
    until        INTEGER NOT NULL,
    content_id   TEXT NOT NULL,             -- the text may be gone
    record       TEXT NOT NULL              -- JSON: title, metadata, permissions, attributes
) STRICT;
CREATE INDEX IF NOT EXISTS versions_of_a_document ON document_versions (source_id, document_id, id);
