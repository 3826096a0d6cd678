-- Brings a store of version 2 to version 3: operators know their connector, which registers them again.
DROP TABLE search_operators;
CREATE TABLE search_operators (
    connector_id   TEXT NOT NULL,
    operator       TEXT NOT NULL,
    attribute_key  TEXT NOT NULL,
    value_type     TEXT NOT NULL
) STRICT;

CREATE TABLE textless_files (
    sync_run_id  TEXT NOT NULL,
    name         TEXT NOT NULL,
    reason       TEXT NOT NULL
) STRICT;
CREATE INDEX textless_files_of_a_run ON textless_files (sync_run_id);
