//! Cuts a long text into pieces. Each piece becomes a document.

/// The default limit of the text in one document, in bytes. The manager cuts longer texts and appends a notice
/// (`protocol.md` §1.3); the limit leaves room for it.
pub(super) const LIMIT: usize = (5 << 20) - 1_024;

/// Returns the id of a piece: the document's id and the piece's number. It is the same in every run.
pub(super) fn id(document: &str, number: usize) -> String {
    format!("{document}_p{number}")
}

/// Joins parts by an empty line, as long as they fit into `limit` bytes. A longer part is cut, at a line end if its
/// second half has one.
pub(super) fn pack(parts: Vec<String>, limit: usize) -> Vec<String> {
    const BETWEEN: &str = "\n\n";
    // A character is at most four bytes.
    let limit = limit.max(4);
    let mut pieces = vec![String::new()];
    for part in parts {
        let mut rest = part.as_str();
        loop {
            let last = pieces.len() - 1;
            let piece = &mut pieces[last];
            let between = if piece.is_empty() { "" } else { BETWEEN };
            if piece.len() + between.len() + rest.len() <= limit {
                piece.push_str(between);
                piece.push_str(rest);
                break;
            }
            if !piece.is_empty() {
                pieces.push(String::new());
                continue;
            }
            let end = rest.floor_char_boundary(limit);
            let line = rest[..end].rfind('\n').filter(|at| *at > end / 2);
            let end = line.map_or(end, |at| at + 1);
            piece.push_str(&rest[..end]);
            rest = &rest[end..];
            pieces.push(String::new());
        }
    }
    if pieces.len() > 1 {
        pieces.retain(|piece| !piece.is_empty());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_piece_is_too_long(
            parts in vec("[aé\n]{0,40}", 0..12),
            limit in 4..60_usize,
        ) {
            let pieces = pack(parts.clone(), limit);
            prop_assert!(pieces.iter().all(|piece| piece.len() <= limit));
            let plain = |texts: &[String]| texts.concat().replace('\n', "");
            prop_assert_eq!(plain(&pieces), plain(&parts));
            prop_assert!(!pieces.is_empty());
        }
    }
}
