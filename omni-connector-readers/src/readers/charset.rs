//! Decodes text in the charset that a file declares, by all names that programs give it.

use std::borrow::Cow;

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, IBM866, ISO_2022_JP, ISO_8859_2, ISO_8859_5,
    ISO_8859_15, ISO_8859_16, KOI8_R, MACINTOSH, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1252,
    X_USER_DEFINED,
};

use super::{dos, mail::base64};

/// A charset that a file declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    /// A charset of browsers.
    Web(&'static Encoding),
    /// Seven-bit text that switches between ASCII and an encoding, which browsers gave up.
    Shifted(Shift),
    /// A charset of DOS or of old Macintoshes: its name and its characters from 128.
    Dos(&'static str, &'static str),
}

/// How seven-bit text switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shift {
    /// `~{` and `~}` (HZ).
    Braces,
    /// The control characters SO and SI, to an encoding (ISO-2022-KR and ISO-2022-CN).
    Controls(&'static str, &'static Encoding),
    /// `+` and `-`, to base64 of UTF-16 (UTF-7).
    Base64,
}

impl Charset {
    /// Finds a charset by its label.
    pub(super) fn of(label: &str) -> Option<Self> {
        // Programs write `x-user-defined` when they do not know the charset.
        let known = |label: &str| {
            Encoding::for_label_no_replacement(label.as_bytes())
                .filter(|encoding| *encoding != X_USER_DEFINED)
                .map(Self::Web)
        };
        if let Some(charset) = known(label.trim()) {
            return Some(charset);
        }
        let label = label.trim().to_ascii_lowercase().replace('_', "-");
        if let Some((name, upper)) = dos::page(&label) {
            return Some(Self::Dos(name, upper));
        }
        Some(match label.as_str() {
            "hz-gb-2312" | "hz" => Self::Shifted(Shift::Braces),
            "iso-2022-kr" | "csiso2022kr" => Self::Shifted(Shift::Controls("iso-2022-kr", EUC_KR)),
            "iso-2022-cn" | "iso-2022-cn-ext" => Self::Shifted(Shift::Controls("iso-2022-cn", GBK)),
            "utf-7"
            | "utf7"
            | "csutf7"
            | "unicode-1-1-utf-7"
            | "unicode-2-0-utf-7"
            | "x-unicode-2-0-utf-7"
            | "csunicode11utf7" => Self::Shifted(Shift::Base64),
            "uhc" | "ks-c-5601" => Self::Web(EUC_KR),
            "euc-cn" | "gb2312-charset" | "x-euc-cn" => Self::Web(GBK),
            "latin9" | "latin-9" => Self::Web(ISO_8859_15),
            "latin10" | "latin-10" => Self::Web(ISO_8859_16),
            "tis620" => Self::Web(WINDOWS_874),
            "macroman" | "mac-roman" => Self::Web(MACINTOSH),
            jis if jis.starts_with("iso-2022-jp") => Self::Web(ISO_2022_JP),
            // Programs write `_` for `-`.
            other => return Self::of_number(other).or_else(|| known(other)),
        })
    }

    /// Finds a charset by the number that IBM or Microsoft gave it, such as `cp932`.
    fn of_number(label: &str) -> Option<Self> {
        let number = label.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-');
        // The pages of ISO 8859, by the number of Microsoft.
        if let Some(part @ ("1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "03" | "05")) =
            number.strip_prefix("2859").or(number.strip_prefix("286"))
        {
            let part = part.replace('0', "1");
            return Encoding::for_label(format!("iso-8859-{part}").as_bytes()).map(Self::Web);
        }
        if let Some((name, upper)) = dos::page(&format!("cp{number}")) {
            return Some(Self::Dos(name, upper));
        }
        Some(Self::Web(match number {
            "866" => IBM866,
            "874" => WINDOWS_874,
            "932" | "943" => SHIFT_JIS,
            "936" | "1386" | "1383" | "20936" => GBK,
            "949" | "1363" | "970" | "51949" => EUC_KR,
            "950" => BIG5,
            "10000" => MACINTOSH,
            "20866" => KOI8_R,
            "819" => WINDOWS_1252,
            "912" => ISO_8859_2,
            "915" => ISO_8859_5,
            "923" => ISO_8859_15,
            "52936" => return Some(Self::Shifted(Shift::Braces)),
            "65000" => return Some(Self::Shifted(Shift::Base64)),
            "50220" | "50221" | "50222" => ISO_2022_JP,
            "51932" | "954" | "33722" => EUC_JP,
            "54936" => GB18030,
            "65001" => UTF_8,
            number => Encoding::for_label_no_replacement(format!("windows-{number}").as_bytes())?,
        }))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Web(encoding) => encoding.name(),
            Self::Shifted(Shift::Braces) => "hz-gb-2312",
            Self::Shifted(Shift::Base64) => "utf-7",
            Self::Shifted(Shift::Controls(name, _)) | Self::Dos(name, _) => name,
        }
    }

    /// Returns whether plain words in this charset are the same bytes as in ASCII.
    pub(super) fn is_ascii_compatible(self) -> bool {
        match self {
            Self::Web(encoding) => encoding.is_ascii_compatible(),
            Self::Shifted(_) => false,
            Self::Dos(..) => true,
        }
    }

    /// Decodes text. Returns also whether a part of it was not in this charset.
    pub(super) fn decode(self, data: &[u8]) -> (Cow<'_, str>, bool) {
        match self {
            Self::Web(encoding) => encoding.decode_without_bom_handling(data),
            Self::Shifted(Shift::Braces) => shifted(data, GBK, braces),
            Self::Shifted(Shift::Base64) => utf_7(data),
            Self::Shifted(Shift::Controls(_, encoding)) => shifted(data, encoding, controls),
            Self::Dos(_, upper) => {
                let upper: Vec<char> = upper.chars().collect();
                let decode = |byte: &u8| match byte.checked_sub(128) {
                    Some(index) => upper[usize::from(index)],
                    None => char::from(*byte),
                };
                (data.iter().map(decode).collect(), false)
            }
        }
    }
}

/// Returns whether a name says nothing about the charset. Programs write such names when they do not know it.
pub(super) fn says_nothing(label: &str) -> bool {
    let label = label.trim().to_ascii_lowercase();
    let nothing = [
        "",
        "7bit",
        "8bit",
        "binary",
        "default",
        "none",
        "other",
        "auto",
        "x-user-defined",
    ];
    nothing.contains(&&*label) || label.contains("unknown") || label.contains("autodetect")
}

/// Decodes text in a charset that exists and that no decoder here knows. Returns none for any other name.
///
/// Only ASCII is kept. Detection would give wrong letters, since it does not know these charsets either.
pub(super) fn plain_words(label: &str, data: &[u8]) -> Option<String> {
    const PAIRS: [&str; 4] = ["johab", "cp1361", "ms1361", "ksc5601-1992"];
    const OTHERS: [&str; 8] = [
        "viscii", "tcvn", "armscii", "ebcdic", "cp037", "cp1047", "ibm037", "ibm1047",
    ];
    let label = label.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    let is_in_pairs = PAIRS.contains(&label.trim_start_matches("x-"));
    if !is_in_pairs && !OTHERS.iter().any(|name| label.contains(name)) {
        return None;
    }
    let (mut text, mut bytes) = (String::new(), data.iter().copied().peekable());
    while let Some(byte) = bytes.next() {
        if byte.is_ascii() {
            text.push(char::from(byte));
            continue;
        }
        // The second half of a pair may be a letter of ASCII.
        if is_in_pairs {
            bytes.next_if(|second| *second > b'0');
        }
        if !text.ends_with(char::REPLACEMENT_CHARACTER) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Some(text)
}

/// Decodes UTF-7. Returns also whether a part of it was not.
fn utf_7(data: &[u8]) -> (Cow<'_, str>, bool) {
    let (mut text, mut had_errors, mut rest) = (String::new(), false, data);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        had_errors |= !first.is_ascii();
        if *first != b'+' {
            text.push(if first.is_ascii() {
                char::from(*first)
            } else {
                char::REPLACEMENT_CHARACTER
            });
            continue;
        }
        let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
        let length = after.iter().take_while(is_letter).count();
        let units = base64(&after[..length]);
        let (units, _) = units.as_chunks::<2>();
        let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
        for c in char::decode_utf16(units) {
            had_errors |= c.is_err();
            text.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let is_closed = after.get(length) == Some(&b'-');
        if length == 0 {
            text.push('+');
        }
        rest = &after[length + usize::from(is_closed)..];
    }
    (Cow::Owned(text), had_errors)
}

/// What a sequence means in text that switches.
enum Step {
    /// Changes to the encoding, or back to ASCII, after this many bytes.
    Switch(bool, usize),
    /// Stands for this byte, after this many bytes.
    Byte(u8, usize),
    /// Means nothing.
    Nothing(usize),
}

/// Decodes text that switches: its bytes with the eighth bit are text in `encoding`.
fn shifted(
    data: &[u8],
    encoding: &'static Encoding,
    step: fn(&[u8], bool) -> Option<Step>,
) -> (Cow<'static, str>, bool) {
    let (mut bytes, mut is_shifted, mut at) = (Vec::with_capacity(data.len()), false, 0);
    while at < data.len() {
        match step(&data[at..], is_shifted) {
            Some(Step::Switch(to, length)) => {
                is_shifted = to;
                at += length;
            }
            Some(Step::Byte(byte, length)) => {
                bytes.push(byte);
                at += length;
            }
            Some(Step::Nothing(length)) => at += length,
            None => {
                let is_letter = is_shifted && data[at] > b' ';
                // A line ends in ASCII.
                is_shifted &= data[at] != b'\n';
                bytes.push(if is_letter { data[at] | 0x80 } else { data[at] });
                at += 1;
            }
        }
    }
    let (text, had_errors) = encoding.decode_without_bom_handling(&bytes);
    (Cow::Owned(text.into_owned()), had_errors)
}

fn braces(data: &[u8], is_shifted: bool) -> Option<Step> {
    Some(match (data, is_shifted) {
        ([b'~', b'{', ..], false) => Step::Switch(true, 2),
        ([b'~', b'}', ..], true) => Step::Switch(false, 2),
        ([b'~', b'~', ..], false) => Step::Byte(b'~', 2),
        ([b'~', b'\n', ..], false) => Step::Nothing(2),
        _ => return None,
    })
}

fn controls(data: &[u8], _: bool) -> Option<Step> {
    const ESCAPE: u8 = 0x1b;
    Some(match data {
        [0x0e, ..] => Step::Switch(true, 1),
        [0x0f, ..] => Step::Switch(false, 1),
        [ESCAPE, b'$', b')', _, ..] => Step::Nothing(4),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_is_found_by_every_name_that_programs_give_it() {
        for (labels, name) in [
            ("cp949 x-windows-949 ks_c_5601 ks_c_5601-1987 uhc", "EUC-KR"),
            ("cp932 windows-31j ms_kanji x-sjis ms932", "Shift_JIS"),
            ("cp936 gb_2312-80 x-gbk GB2312", "GBK"),
            ("cp950 big5-hkscs csbig5", "Big5"),
            ("cp874 tis-620 iso-8859-11", "windows-874"),
            (
                "iso-2022-jp-1 iso-2022-jp-ms cp50220 csISO2022JP",
                "ISO-2022-JP",
            ),
            ("cp1251 windows-1251 x-cp1251 win-1251", "windows-1251"),
            ("ibm850 cp-850 cp850", "cp850"),
            ("IBM852 cp852 dos-852", "cp852"),
            ("ISO_8859-15 iso8859-15 latin9 cp28605 cp923", "ISO-8859-15"),
            ("euc-cn cp1383 cp20936 gb2312_charset", "GBK"),
            ("cp28592 cp912 latin2", "ISO-8859-2"),
            ("utf-7 unicode-1-1-utf-7 cp65000", "utf-7"),
            ("cp33722 cp954 x-euc-jp", "EUC-JP"),
            ("x-mac-ce X_Mac_CE", "x-mac-ce"),
        ] {
            for label in labels.split(' ') {
                let charset = Charset::of(label).map(Charset::name);
                assert_eq!(charset, Some(name), "{label}");
            }
        }
        assert_eq!(Charset::of("x-unknown"), None);
        assert_eq!(Charset::of("x-user-defined"), None);
        assert_eq!(Charset::of(""), None);
    }

    #[test]
    fn text_that_switches_is_decoded() {
        let decode = |label: &str, data: &[u8]| {
            let (text, had_errors) = Charset::of(label).unwrap().decode(data);
            assert!(!had_errors, "{label}");
            text.into_owned()
        };
        assert_eq!(
            decode("hz-gb-2312", b"a ~{<>6H1(8f~} ~~ b\n~{<>6H\nc"),
            "a 季度报告 ~ b\n季度\nc"
        );
        assert_eq!(
            decode("iso-2022-kr", b"\x1b$)Ca \x0e:P1b:80m<-\x0f b"),
            "a 분기보고서 b"
        );
        assert_eq!(decode("iso-2022-cn", b"\x1b$)A\x0e<>6H\x0f b"), "季度 b");
        assert_eq!(decode("cp437", b"Gr\x94\xe1e"), "Größe");
    }
}
