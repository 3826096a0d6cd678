//! Extracts text from files for the development manager of omni-connector. The readers run in a
//! separate program, `omni-readers`. The manager starts it for each file with limits on time,
//! memory and output, and can kill it. A file must never affect anything but its own text.
//!
//! | Format | Omni reads | Also read here |
//! |---|---|---|
//! | text, Markdown | UTF-8 | UTF-16 and UTF-32, with and without a byte order mark; other encodings if they are detected |
//! | HTML | UTF-8, as Markdown | the charset that a byte order mark or a `meta` tag declares, by every name that programs give it, or that is detected |
//! | CSV | UTF-8; rows with a letter; only TAB and `\|` separate cells | other encodings, as for text |
//! | PDF | page by page, with `pdf_oxide` | the other pages, if one cannot be read; all pages, if the file declares fewer or its table of objects is wrong |
//! | DOCX | paragraphs and tables of the body | headers, footers, notes, comments, charts, diagrams, inserted documents, drawn words; the main part under any name |
//! | PPTX | slides in the order of their numbers | the deck's order, notes, charts, diagrams, words of several runs, entities such as `&#233;` |
//! | XLSX | text cells with a letter, up to 1,000 rows | comments, drawings and charts of sheets; workbooks with a wrong or damaged list of texts, wrong areas of sheets, bad cells, missing parts, or damaged styles; XLS, XLSB and ODS files that are called `.xlsx` |
//! | XLS | the same, with `calamine` | cells far from each other; code pages of DOS; HTML, MHTML, XML, TSV, CSV, XLSX, XLSB and ODS files that are called `.xls` |
//! | EML | headings, and the text or HTML of the body | East Asian and Thai charsets, text and headings in an undeclared or wrongly declared charset, HTML next to a text without words or with a few, plain lines behind base64, errors in transfer encodings, damaged headings, missing, wrong and unclosed boundaries, reports of delivery, attached texts, calendars and messages |
//! | MSG | headings and body | text in code pages, bodies in HTML and RTF, attached messages |
//!
//! As in Omni, cells with numbers only are skipped: a search here must find what Omni finds. When
//! text came from the right column, the manager reports that Omni will not find it. All other
//! formats have no text.
//!
//! Text without a declared charset is detected. A code page of DOS (cp850) or of an old Macintosh is
//! recognized only in text that is clearly in a Western language. Otherwise the letters beyond ASCII
//! are wrong. A declared charset that nothing here decodes, such as Johab, costs the letters beyond
//! ASCII, and the report names it. Letters in a charset with an invented name are detected, and the
//! report says so.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod format;
mod frame;
#[cfg(feature = "readers")]
mod readers;

pub use format::Format;
pub use frame::{Frame, Job};
#[cfg(feature = "readers")]
pub use readers::{main, read};
