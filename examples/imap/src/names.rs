//! Names of folders: as the server writes them, and as people read them.

/// Removes the backslashes that async-imap leaves in a quoted name.
pub(crate) fn unescape(quoted: &str) -> String {
    quoted.replace("\\\"", "\"").replace("\\\\", "\\")
}

/// Decodes a name in modified UTF-7. Returns any other name unchanged.
pub(crate) fn decode(raw: &str) -> String {
    try_decode(raw).unwrap_or_else(|| raw.to_owned())
}

fn try_decode(raw: &str) -> Option<String> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    let mut decoded = String::new();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        let (code, after) = after.split_once('-')?;
        decoded.push_str(before);
        let (mut bits, mut held, mut units) = (0_u32, 0, Vec::new());
        for digit in code.chars() {
            bits = bits << 6 | u32::try_from(DIGITS.find(digit)?).ok()?;
            held += 6;
            if held >= 16 {
                held -= 16;
                units.push(u16::try_from(bits >> held & 0xffff).ok()?);
            }
        }
        decoded.push_str(&if code.is_empty() {
            "&".to_owned()
        } else {
            String::from_utf16(&units).ok()?
        });
        rest = after;
    }
    Some(decoded + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_are_decoded_and_invalid_ones_stay_unchanged() {
        assert_eq!(decode("Entw&APw-rfe"), "Entwürfe");
        assert_eq!(decode("A &- B"), "A & B");
        assert_eq!(decode("&ZeVnLIqe-/&2D3eAA-"), "日本語/😀");
        assert_eq!(decode("Entwürfe"), "Entwürfe");
        assert_eq!(decode("R&D"), "R&D");
    }
}
