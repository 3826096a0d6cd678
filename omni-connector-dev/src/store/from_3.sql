-- Brings a store of version 3 to version 4: checkpoints in rows of their own, words cut as Omni's index cuts them.
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
