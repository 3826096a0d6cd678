-- Brings a store of version 2 to version 3: checkpoints in rows of their own, words cut as Omni's index cuts them.
CREATE TABLE checkpoints (
    owner       TEXT PRIMARY KEY,
    checkpoint  TEXT NOT NULL
) STRICT;
INSERT INTO checkpoints SELECT id, checkpoint FROM sources WHERE checkpoint IS NOT NULL;
INSERT INTO checkpoints SELECT id, checkpoint FROM sync_runs WHERE checkpoint IS NOT NULL;
ALTER TABLE sources DROP COLUMN checkpoint;
ALTER TABLE sync_runs DROP COLUMN checkpoint;

DROP TABLE document_words;
DROP VIEW document_texts;
CREATE VIRTUAL TABLE document_words USING fts5 (
    title, body, content = '', contentless_delete = 1, tokenize = 'ascii'
);

-- Operators come back with the next registration.
DROP TABLE search_operators;
-- Operators of all connectors, those that live first, in the order of registration; of two with one name the first wins.
CREATE TABLE search_operators (
    connector_id   TEXT NOT NULL,
    operator       TEXT NOT NULL,
    attribute_key  TEXT NOT NULL,
    value_type     TEXT NOT NULL            -- text, person, datetime
) STRICT;

-- Files whose text could not be read, so that no word of them is found.
CREATE TABLE textless_files (
    sync_run_id  TEXT NOT NULL,
    name         TEXT NOT NULL,
    reason       TEXT NOT NULL
) STRICT;
CREATE INDEX textless_files_of_a_run ON textless_files (sync_run_id);
