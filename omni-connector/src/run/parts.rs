//! Cuts a long text into pieces that are documents of their own.

/// The bytes of text in one document, unless the author says otherwise. The manager cuts longer texts (`protocol.md` §1.3), with
/// some room left for its notice.
pub(super) const LIMIT: usize = (5 << 20) - 1_024;

/// The id of the piece with this number, of a document with this id. It is the same in every run.
pub(super) fn id(document: &str, number: usize) -> String {
    format!("{document}_p{number}")
}

/// Joins parts by an empty line, for as long as they fit into `limit` bytes. A part that is longer is cut, at the end of a line
/// if there is one in its second half.
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
