//! Reads the text of RTF, the form in which Outlook keeps a body. The RTF may hold HTML, which is returned as it is.

use std::collections::HashMap;

use encoding_rs::WINDOWS_1252;

use super::charset::Charset;

/// Text before the first character of each packed body, to which a body may refer.
const BEFORE: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}\
{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArial\
Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \
\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
/// The size of the text to which a body may refer.
const WINDOW: usize = 4096;
/// The largest body that is unpacked.
const MOST: usize = 64 << 20;

/// Unpacks a body (MS-OXRTFCP).
pub(super) fn unpacked(data: &[u8]) -> Option<Vec<u8>> {
    const HEAD: usize = 16;
    let (head, packed) = data.split_at_checked(HEAD)?;
    let size = u32::from_le_bytes(head[4..8].try_into().ok()?) as usize;
    match &head[8..12] {
        b"MELA" => return Some(packed[..size.min(packed.len())].to_vec()),
        b"LZFu" => {}
        _ => return None,
    }
    let mut window = [b' '; WINDOW];
    window[..BEFORE.len()].copy_from_slice(BEFORE);
    let (mut place, mut body, mut bytes) = (BEFORE.len(), Vec::new(), packed.iter());
    'all: while let Some(flags) = bytes.next() {
        for bit in 0..8 {
            let Some(first) = bytes.next() else {
                break 'all;
            };
            let mut push = |byte: u8, place: &mut usize, window: &mut [u8; WINDOW]| {
                body.push(byte);
                window[*place] = byte;
                *place = (*place + 1) % WINDOW;
            };
            if flags >> bit & 1 == 0 {
                push(*first, &mut place, &mut window);
                continue;
            }
            let Some(second) = bytes.next() else {
                break 'all;
            };
            let pair = usize::from(*first) << 8 | usize::from(*second);
            let (from, length) = (pair >> 4, (pair & 0xf) + 2);
            // A reference to its own place is the end.
            if from == place {
                break 'all;
            }
            for at in from..from + length {
                let byte = window[at % WINDOW];
                push(byte, &mut place, &mut window);
            }
        }
        if body.len() > MOST {
            break;
        }
    }
    Some(body)
}

/// The text of a body.
pub(super) struct Text {
    pub(super) text: String,
    /// Whether the text is a page of HTML.
    pub(super) is_page: bool,
}

pub(super) fn text(data: &[u8]) -> Text {
    let mut reader = Reader::default();
    let mut rest = data;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'{' => {
                reader.flush();
                reader.open.push(reader.group.clone());
                after
            }
            b'}' => {
                reader.flush();
                reader.group = reader.open.pop().unwrap_or_default();
                after
            }
            b'\\' => reader.control(after),
            b'\r' | b'\n' => after,
            byte => {
                reader.byte(*byte);
                after
            }
        };
    }
    reader.flush();
    Text {
        text: reader.text,
        is_page: reader.is_page,
    }
}

/// What a group changes until its end.
#[derive(Clone)]
struct Group {
    /// Whether its text is not of the body.
    is_skipped: bool,
    /// Whether its text is only for readers that know no HTML.
    is_for_rtf: bool,
    is_in_fonts: bool,
    charset: Charset,
    /// Characters behind each one in Unicode, for readers that know none.
    substitutes: usize,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            is_skipped: false,
            is_for_rtf: false,
            is_in_fonts: false,
            charset: Charset::Web(WINDOWS_1252),
            substitutes: 1,
        }
    }
}

#[derive(Default)]
struct Reader {
    text: String,
    is_page: bool,
    /// Whether the group is left out by readers that do not know its next word.
    is_optional: bool,
    group: Group,
    open: Vec<Group>,
    /// Bytes that are not decoded, since a character may have several.
    bytes: Vec<u8>,
    units: Vec<u16>,
    /// Substitutes that are left out.
    left: usize,
    font: i32,
    fonts: HashMap<i32, Charset>,
}

impl Reader {
    /// Reads a control behind its backslash. Returns what follows.
    fn control<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let letters = data.iter().take_while(|byte| byte.is_ascii_alphabetic());
        let (word, after) = data.split_at(letters.count());
        let Some((sign, behind)) = after.split_first().filter(|_| word.is_empty()) else {
            let number = after.strip_prefix(b"-").unwrap_or(after);
            let digits = number
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let length = after.len() - number.len() + digits;
            let (number, after) = after.split_at(if digits == 0 { 0 } else { length });
            let number = str::from_utf8(number)
                .ok()
                .and_then(|number| number.parse().ok());
            let after = after.strip_prefix(b" ").unwrap_or(after);
            return self.word(word, number, after);
        };
        match sign {
            b'\'' => {
                let digits = behind
                    .first_chunk::<2>()
                    .and_then(|d| str::from_utf8(d).ok());
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let Some(byte) = byte else {
                    return behind;
                };
                self.byte(byte);
                return &behind[2..];
            }
            b'\\' | b'{' | b'}' => self.byte(*sign),
            b'~' => self.push(' '),
            b'_' => self.push('-'),
            b'*' => self.is_optional = true,
            b'\r' | b'\n' => self.push('\n'),
            _ => {}
        }
        behind
    }

    fn word<'a>(&mut self, word: &[u8], number: Option<i32>, after: &'a [u8]) -> &'a [u8] {
        let is_optional = std::mem::take(&mut self.is_optional);
        let page = |number: Option<i32>| Charset::of(&format!("cp{}", number?));
        match word {
            b"htmltag" => self.group.is_skipped = false,
            _ if is_optional => self.group.is_skipped = true,
            b"fonttbl" => (self.group.is_in_fonts, self.group.is_skipped) = (true, true),
            b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"filetbl" | b"fldinst" => {
                self.group.is_skipped = true;
            }
            b"fromhtml" => self.is_page = true,
            b"htmlrtf" => {
                self.flush();
                self.group.is_for_rtf = number != Some(0);
            }
            b"ansicpg" => {
                let charset = page(number).unwrap_or(self.group.charset);
                self.group.charset = charset;
                self.fonts.insert(-1, charset);
            }
            b"f" if self.group.is_in_fonts => self.font = number.unwrap_or_default(),
            b"fcharset" => {
                if let Some(charset) = number.and_then(charset_of_font) {
                    self.fonts.insert(self.font, charset);
                }
            }
            b"f" | b"plain" => {
                self.flush();
                let font = number.filter(|_| word == b"f");
                let known = font.and_then(|font| self.fonts.get(&font));
                if let Some(charset) = known.or_else(|| self.fonts.get(&-1)) {
                    self.group.charset = *charset;
                }
            }
            b"uc" => {
                let substitutes = number.and_then(|number| usize::try_from(number).ok());
                self.group.substitutes = substitutes.unwrap_or(1);
            }
            b"u" => {
                self.bytes_end();
                let [low, high, ..] = number.unwrap_or_default().to_le_bytes();
                self.units.push(u16::from_le_bytes([low, high]));
                self.left = self.group.substitutes;
            }
            b"bin" => {
                let length = number.and_then(|number| usize::try_from(number).ok());
                return &after[length.unwrap_or(0).min(after.len())..];
            }
            b"par" | b"line" | b"row" | b"sect" | b"page" => self.push('\n'),
            b"tab" | b"cell" | b"nestcell" => self.push('\t'),
            b"emdash" => self.push('—'),
            b"endash" => self.push('–'),
            b"bullet" => self.push('•'),
            b"lquote" => self.push('‘'),
            b"rquote" => self.push('’'),
            b"ldblquote" => self.push('“'),
            b"rdblquote" => self.push('”'),
            _ => {}
        }
        after
    }

    fn byte(&mut self, byte: u8) {
        if self.left > 0 {
            self.left -= 1;
            return;
        }
        self.units_end();
        self.bytes.push(byte);
    }

    fn push(&mut self, c: char) {
        self.flush();
        if self.is_shown() {
            self.text.push(c);
        }
    }

    fn is_shown(&self) -> bool {
        !(self.group.is_skipped || self.is_page && self.group.is_for_rtf)
    }

    /// Ends characters of several bytes and substitutes.
    fn flush(&mut self) {
        self.units_end();
        self.bytes_end();
        self.left = 0;
    }

    fn units_end(&mut self) {
        let units = std::mem::take(&mut self.units);
        if self.is_shown() {
            self.text.push_str(&String::from_utf16_lossy(&units));
        }
    }

    fn bytes_end(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if self.is_shown() {
            self.text.push_str(&self.group.charset.decode(&bytes).0);
        }
    }
}

/// Returns the charset by the number that fonts have for it.
fn charset_of_font(number: i32) -> Option<Charset> {
    let page = match number {
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    };
    Charset::of(&format!("cp{page}"))
}
