//! Text out of files, for the development manager of omni-connector. The readers live in a program of their own,
//! `omni-readers`: the manager starts it for each file with limits on time, memory and output, and can end it. So a file
//! decides nothing beyond its own text.
//!
//! | Format | Omni reads | Read here beside it |
//! |---|---|---|
//! | text, Markdown | UTF-8 | UTF-16 with a byte order mark; other encodings where they are detected |
//! | HTML | UTF-8, as Markdown | the encoding that a byte order mark or a `meta` tag declares, or that is detected |
//! | CSV | UTF-8; rows with a letter; only TAB and `\|` separate cells | other encodings, as for text |
//! | PDF | page by page, with `pdf_oxide` | the other pages, where one cannot be read |
//! | DOCX | paragraphs and tables of the body | headers, footers, notes, comments; the main part under any name |
//! | PPTX | slides in the order of their numbers | the deck's order, notes, charts, diagrams, words of several runs, `&#233;` and its like |
//! | XLSX | text cells with a letter, up to 1,000 rows | workbooks whose list of texts has a wrong length |
//! | XLS | the same, with `calamine` | HTML, XML, TSV and XLSX files that are called `.xls` |
//! | EML | headings, and the text or HTML of the body | East Asian and Thai charsets, HTML beside a blank text, messages without their last boundary, attached texts, calendars and messages |
//! | MSG | headings and body | |
//!
//! Numbers alone are no text in a spreadsheet, as in Omni: what is found here must be found there. Where the right column
//! gave text to a document, the manager says that Omni will not see it. Every other format has no text.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod format;
mod frame;
#[cfg(feature = "readers")]
mod readers;

pub use format::Format;
pub use frame::{Frame, Job};
#[cfg(feature = "readers")]
pub use readers::{main, read};
