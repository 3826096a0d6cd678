-- Brings a store of version 4 to version 5: Chinese and Japanese words cut as Omni's index cuts them.
DELETE FROM document_words;
