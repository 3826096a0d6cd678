//! Reads PDF files page by page, with Omni's reader.

use std::collections::HashSet;

use pdf_oxide::{PdfDocument, object::Object};

use super::{Refusal, parts::Parts};

/// Start of a PDF. Bytes before it, such as HTTP headers of a download, are skipped.
const MAGIC: &[u8] = b"%PDF-";
/// Bytes searched for the start, as in PDF viewers.
const HEAD: usize = 1024;

/// Most pages that are searched one by one.
const MOST: usize = 1000;

/// Word before the place of the table of objects.
const END: &[u8] = b"startxref";
/// Word before the number of the catalog.
const ROOT: &[u8] = b"/Root";

pub(super) fn read(data: &[u8], parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let head = &data[..data.len().min(HEAD)];
    let start = head.windows(MAGIC.len()).position(|at| at == MAGIC);
    let start = start.ok_or("it is no PDF: `%PDF-` is missing at its beginning")?;
    let mut data = data[start..].to_vec();
    let is_searched = is_table_wrong(&data) == Some(true);
    if is_searched {
        forget(END, &mut data);
    }
    let open = |data: &[u8], parts: &mut Parts<'_>| {
        let opened = parts.guarded(|_| PdfDocument::from_bytes(data.to_vec()));
        let opened = opened.map_err(|panic| format!("its reader gave up: {panic}"))?;
        opened.map_err(|error| error.to_string())
    };
    let mut document = match open(&data, parts) {
        Err(_) if !is_searched => {
            forget(END, &mut data);
            open(&data, parts)?
        }
        opened => opened?,
    };
    let catalog = document.catalog().ok();
    let has_pages = |catalog: &Object| catalog.as_dict().is_some_and(|it| it.contains_key("Pages"));
    if !catalog.as_ref().is_some_and(has_pages) {
        forget(END, &mut data);
        forget(ROOT, &mut data);
        document = open(&data, parts)?;
    }
    if document.is_encrypted() && !document.authenticate(b"").map_err(|e| e.to_string())? {
        return Err("it is protected by a password".to_owned());
    }
    let pages = match leaves(&document) {
        Some(pages @ 1..) => pages,
        // Without a tree, the reader searches the pages one by one.
        _ => {
            let declared = document.page_count().map_err(|error| error.to_string())?;
            let more = (declared..).take_while(|page| document.extract_text(*page).is_ok());
            declared + more.take(MOST).count()
        }
    };
    for page in 0..pages {
        if parts.is_full() {
            break;
        }
        parts.part(format!("page {}", page + 1), |parts| {
            let text = document.extract_text(page).map_err(|e| e.to_string())?;
            if !text.trim().is_empty() {
                parts.text(&text);
                parts.text("\n\n");
            }
            Ok(())
        });
    }
    Ok(())
}

/// Blanks out a name of a place, so that the reader searches what is there.
fn forget(name: &[u8], data: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = data[at..].windows(name.len()).position(|at| at == name) {
        data[at + found..][..name.len()].fill(b' ');
        at += found + name.len();
    }
}

/// Counts the pages in the tree of pages. The number that a file declares may be wrong, and the reader believes it.
/// Counts a page that cannot be loaded, so that it is reported.
fn leaves(document: &PdfDocument) -> Option<usize> {
    let catalog = document.catalog().ok()?;
    let root = catalog.as_dict()?.get("Pages")?.as_reference()?;
    document.load_object(root).ok()?.as_dict()?;
    let mut open = vec![root];
    let mut seen = HashSet::new();
    let mut leaves = 0;
    while let Some(node) = open.pop() {
        if !seen.insert(node) {
            continue;
        }
        let node = document.load_object(node).ok();
        let kids = node.as_ref().and_then(|node| node.as_dict()?.get("Kids"));
        let listed = kids
            .and_then(Object::as_reference)
            .and_then(|list| document.load_object(list).ok());
        match listed.as_ref().or(kids).and_then(|kids| kids.as_array()) {
            Some(kids) => {
                open.extend(kids.iter().filter_map(Object::as_reference));
                // A page may be written within the list.
                leaves += kids.iter().filter(|kid| kid.as_dict().is_some()).count();
            }
            None => leaves += 1,
        }
    }
    Some(leaves)
}

/// Returns whether the last table of objects names a place without its object. The reader believes the table as long as
/// there is some object. Returns `None` when there is no such table.
fn is_table_wrong(data: &[u8]) -> Option<bool> {
    let end = data.windows(END.len()).rposition(|at| at == END)?;
    let place = data[end + END.len()..].trim_ascii_start();
    let table = data.get(number(place)?..)?.strip_prefix(b"xref")?;
    let lines = table.split(|byte| matches!(byte, b'\n' | b'\r'));
    let (mut object, mut left) = (0, 0);
    for line in lines
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
    {
        let mut fields = line.split(u8::is_ascii_whitespace);
        let (Some(first), Some(second)) = (
            fields.next().and_then(number),
            fields.next().and_then(number),
        ) else {
            break;
        };
        if left == 0 {
            (object, left) = (first, second);
            continue;
        }
        if fields.next() == Some(b"n") && !is_object(data, first, object) {
            return Some(true);
        }
        object += 1;
        left -= 1;
    }
    Some(false)
}

/// Returns whether an object with that number begins at a place.
fn is_object(data: &[u8], place: usize, object: usize) -> bool {
    let Some(data) = data.get(place..) else {
        return false;
    };
    let start = data.trim_ascii_start();
    let after = start.strip_prefix(object.to_string().as_bytes());
    after.is_some_and(|after| after.first().is_some_and(u8::is_ascii_whitespace))
}

/// Reads the number at the beginning.
fn number(data: &[u8]) -> Option<usize> {
    let digits = data.iter().take_while(|byte| byte.is_ascii_digit()).count();
    str::from_utf8(&data[..digits]).ok()?.parse().ok()
}
