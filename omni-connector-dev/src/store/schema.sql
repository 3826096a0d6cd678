-- The development manager's tables. Documented for readers of the database file; `search` relies on the last section.
-- Times are microseconds since 1970 in UTC, free JSON is text, ids are ULIDs in upper case.

CREATE TABLE users (
    id          TEXT PRIMARY KEY,
    email       TEXT NOT NULL,
    role        TEXT NOT NULL,              -- admin, user
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE sources (
    id                     TEXT PRIMARY KEY,
    name                   TEXT NOT NULL,
    source_type            TEXT NOT NULL,
    integration_type       TEXT NOT NULL,   -- connector, remote_mcp
    config                 TEXT NOT NULL,
    is_active              INTEGER NOT NULL,
    is_deleted             INTEGER NOT NULL,
    scope                  TEXT NOT NULL,   -- org, user
    user_filter_mode       TEXT NOT NULL,   -- all, whitelist, blacklist
    user_whitelist         TEXT,            -- JSON list of addresses
    user_blacklist         TEXT,
    connector_state        TEXT,
    checkpoint             TEXT,            -- NULL is "none", the text null is a saved JSON null
    sync_interval_seconds  INTEGER,         -- NULL switches scheduled runs off
    created_at             INTEGER NOT NULL,
    updated_at             INTEGER NOT NULL,
    created_by             TEXT NOT NULL
) STRICT;

CREATE TABLE credentials (
    id                 TEXT PRIMARY KEY,
    source_id          TEXT NOT NULL,
    user_id            TEXT,                -- NULL is the organisation's row
    provider           TEXT NOT NULL,
    auth_type          TEXT NOT NULL,
    principal_email    TEXT,
    credentials        TEXT NOT NULL,
    config             TEXT NOT NULL,
    expires_at         INTEGER,
    last_validated_at  INTEGER,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_credential_per_owner ON credentials (source_id, ifnull(user_id, ''));

-- The admin-managed settings of a provider, such as OAuth client settings.
CREATE TABLE connector_configs (
    provider  TEXT PRIMARY KEY,
    config    TEXT NOT NULL
) STRICT;

-- Manifests of connectors that have registered, in the order of their first registration.
CREATE TABLE registrations (
    connector_id  TEXT PRIMARY KEY,
    manifest      TEXT NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;

-- Operators of all connectors, those that live first, in the order of registration; of two with one name the first wins.
CREATE TABLE search_operators (
    connector_id   TEXT NOT NULL,
    operator       TEXT NOT NULL,
    attribute_key  TEXT NOT NULL,
    value_type     TEXT NOT NULL            -- text, person, datetime
) STRICT;

CREATE TABLE sync_runs (
    id                   TEXT PRIMARY KEY,
    source_id            TEXT NOT NULL,
    sync_type            TEXT NOT NULL,     -- full, incremental, realtime
    status               TEXT NOT NULL,     -- running, completed, failed, cancelled
    trigger_type         TEXT NOT NULL,     -- manual, scheduled, webhook
    -- Counters are 32-bit integers in Omni.
    documents_scanned    INTEGER NOT NULL DEFAULT 0 CHECK (documents_scanned BETWEEN -2147483648 AND 2147483647),
    documents_processed  INTEGER NOT NULL DEFAULT 0,
    documents_updated    INTEGER NOT NULL DEFAULT 0 CHECK (documents_updated BETWEEN -2147483648 AND 2147483647),
    error_message        TEXT,
    checkpoint           TEXT,
    started_at           INTEGER NOT NULL,
    completed_at         INTEGER,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    last_activity_at     INTEGER NOT NULL,
    -- What the run's events and contents did to the store, beside what the connector says of itself above.
    effect_created       INTEGER NOT NULL DEFAULT 0,
    effect_updated       INTEGER NOT NULL DEFAULT 0,
    effect_unchanged     INTEGER NOT NULL DEFAULT 0,
    effect_deleted       INTEGER NOT NULL DEFAULT 0,
    effect_refused       INTEGER NOT NULL DEFAULT 0,
    contents_stored      INTEGER NOT NULL DEFAULT 0,
    content_bytes        INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX one_running_run_per_slot ON sync_runs (source_id, sync_type = 'realtime') WHERE status = 'running';
CREATE INDEX runs_of_a_source ON sync_runs (source_id, started_at DESC);

-- Events that were accepted and that the indexer would dead-letter later, with the reason.
CREATE TABLE refused_events (
    sync_run_id  TEXT NOT NULL,
    subject      TEXT NOT NULL,
    reason       TEXT NOT NULL
) STRICT;
CREATE INDEX refused_events_of_a_run ON refused_events (sync_run_id);

-- Files whose text could not be read, so that no word of them is found.
CREATE TABLE textless_files (
    sync_run_id  TEXT NOT NULL,
    name         TEXT NOT NULL,
    reason       TEXT NOT NULL
) STRICT;
CREATE INDEX textless_files_of_a_run ON textless_files (sync_run_id);

CREATE TABLE contents (
    id         TEXT PRIMARY KEY,
    sha256     BLOB NOT NULL UNIQUE,        -- of the normalised text
    issued_at  INTEGER NOT NULL,            -- when the id was last handed out, to the minute
    body       TEXT NOT NULL                -- last, so that the others are read without it
) STRICT;

CREATE TABLE groups (
    source_id    TEXT NOT NULL,
    group_email  TEXT NOT NULL,             -- lower case
    group_name   TEXT,
    PRIMARY KEY (source_id, group_email)
) STRICT, WITHOUT ROWID;

CREATE TABLE group_members (
    source_id     TEXT NOT NULL,
    group_email   TEXT NOT NULL,
    member_email  TEXT NOT NULL,            -- lower case
    PRIMARY KEY (source_id, group_email, member_email)
) STRICT, WITHOUT ROWID;
CREATE INDEX groups_of_a_member ON group_members (member_email, group_email);

CREATE TABLE people (
    source_id    TEXT NOT NULL,
    email        TEXT NOT NULL,             -- trimmed, lower case: the identity
    external_id  TEXT NOT NULL,
    is_active    INTEGER NOT NULL,
    record       TEXT NOT NULL,             -- JSON of the whole record
    PRIMARY KEY (source_id, email)
) STRICT, WITHOUT ROWID;

CREATE TABLE documents (
    key             INTEGER PRIMARY KEY,    -- rowid of the search index
    id              TEXT NOT NULL UNIQUE,   -- Omni's id
    source_id       TEXT NOT NULL,
    document_id     TEXT NOT NULL,          -- the connector's id
    content_id      TEXT NOT NULL,
    title           TEXT NOT NULL,
    content_type    TEXT,
    file_extension  TEXT,                   -- lower case, from the URL
    size            INTEGER,                -- bytes in the source
    metadata        TEXT NOT NULL,          -- JSON object, absent members left out
    permissions     TEXT,                   -- JSON object; NULL hides the document
    attributes      TEXT NOT NULL,          -- JSON object
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (source_id, document_id)
) STRICT;
CREATE INDEX documents_of_a_content ON documents (content_id);

-- Words of title and body. `rowid` is `documents.key`; kept in step by every upsert and delete.
CREATE VIEW document_texts AS
    SELECT documents.key AS key, documents.title AS title, contents.body AS body
    FROM documents JOIN contents ON contents.id = documents.content_id;
CREATE VIRTUAL TABLE document_words USING fts5 (
    title, body, content = 'document_texts', content_rowid = 'key', tokenize = "unicode61 remove_diacritics 2"
);
