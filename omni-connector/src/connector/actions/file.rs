//! A file as the answer of an action, with a name that is safe for every client (`protocol.md` §6.5).

use std::fmt;

use anyhow::Result;
use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::Response,
};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::ActionOutput;

/// A file: its bytes, its MIME type and its name.
///
/// The name is made safe for every file system and header. Path separators and other special characters become `_`,
/// invisible ones are removed, an empty name becomes `download`. An invalid MIME type becomes
/// `application/octet-stream`. So does `application/json`, which clients read as an answer, not as a file.
///
/// ```
/// use omni_connector::{actions::File, prelude::*};
///
/// async fn export() -> Result<File> {
///     Ok(File::bytes("id,title\n7,Hello\n", "text/csv", "Übersicht.csv"))
/// }
/// ```
pub struct File {
    body: Body,
    mime: String,
    name: String,
}

impl File {
    /// Makes a file from its bytes.
    pub fn bytes(data: impl Into<Bytes>, mime: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            body: data.into().into(),
            mime: mime.into(),
            name: name.into(),
        }
    }

    /// Streams a file. An error in the middle aborts the answer, so that no client mistakes half a file for a complete
    /// one.
    pub fn stream<S, B, E>(stream: S, mime: impl Into<String>, name: impl Into<String>) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes> + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        Self {
            body: Body::from_stream(stream.map_ok(Into::into)),
            mime: mime.into(),
            name: name.into(),
        }
    }

    /// Streams the response of another server, with its MIME type.
    ///
    /// # Errors
    /// The response is not a success: an error page is not the file.
    pub fn download(
        answer: reqwest::Response,
        name: impl Into<String>,
    ) -> Result<Self, reqwest::Error> {
        let answer = answer.error_for_status()?;
        let mime = answer.headers().get(CONTENT_TYPE);
        let mime = mime
            .and_then(|mime| mime.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        Ok(Self {
            body: Body::new(reqwest::Body::from(answer)),
            mime,
            name: name.into(),
        })
    }

    fn headers(&self) -> HeaderMap {
        let name = safe_name(&self.name);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type(&self.mime));
        let encoded = utf8_percent_encode(&name, NOT_IN_PARAMETER);
        let disposition = format!(
            "attachment; filename=\"{}\"; filename*=UTF-8''{encoded}",
            ascii(&name)
        );
        // Encodes as little as possible: some clients show the name without decoding it.
        let plain = utf8_percent_encode(&name, NOT_IN_HEADER).to_string();
        for (key, value) in [(CONTENT_DISPOSITION, disposition), (X_FILE_NAME, plain)] {
            // Both are ASCII without control characters by now.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(key, value);
            }
        }
        headers
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("name", &self.name)
            .field("mime", &self.mime)
            .finish_non_exhaustive()
    }
}

impl ActionOutput for File {
    fn into_answer(self) -> Result<Response> {
        let headers = self.headers();
        let mut answer = Response::new(self.body);
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

const X_FILE_NAME: axum::http::HeaderName = axum::http::HeaderName::from_static("x-file-name");

/// All characters except the `attr-char` of RFC 5987.
const NOT_IN_PARAMETER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

const NOT_IN_HEADER: &AsciiSet = &CONTROLS.add(b'%');

/// The name of a file without one.
const NAMELESS: &str = "download";

/// The length limit. Longer names do not fit into file systems or, encoded, into headers.
const MOST_CHARS: usize = 150;
const MOST_CHARS_OF_EXTENSION: usize = 16;

fn content_type(mime: &str) -> HeaderValue {
    let essence = mime.split(';').next().unwrap_or_default().trim();
    let is_mime = essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    HeaderValue::from_str(mime.trim())
        .ok()
        .filter(|_| is_mime && !essence.eq_ignore_ascii_case("application/json"))
        .unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
}

/// Removes everything from the name that a path, a header or a person could misread.
fn safe_name(name: &str) -> String {
    let name: String = name
        .chars()
        .filter(|&c| !c.is_control() && !is_invisible(c))
        .map(|c| if "/\\:*?\"<>|".contains(c) { '_' } else { c })
        .collect();
    // Hidden files, parent directories, and endings that Windows removes.
    let name = name.trim().trim_matches(['.', ' ']);
    if name.is_empty() {
        return NAMELESS.to_owned();
    }
    let chars = name.chars().count();
    if chars <= MOST_CHARS {
        return name.to_owned();
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.chars().count() <= MOST_CHARS_OF_EXTENSION => {
            (stem, format!(".{extension}"))
        }
        _ => (name, String::new()),
    };
    let stem: String = stem
        .chars()
        .take(MOST_CHARS - extension.chars().count())
        .collect();
    stem + &extension
}

/// Returns whether a character is a mark of direction or a joiner. These can make `fdp.exe` look like `exe.pdf`.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Converts a name for clients that only know ASCII. Some of them would decode `%`.
fn ascii(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            '%' => '_',
            c if c.is_ascii() => c,
            _ => '_',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(mime: &str, name: &str) -> [String; 3] {
        let headers = File::bytes("x", mime, name).headers();
        [CONTENT_TYPE, CONTENT_DISPOSITION, X_FILE_NAME]
            .map(|key| headers[key].to_str().unwrap().to_owned())
    }

    #[test]
    fn each_header_has_the_file_name_in_its_own_encoding() {
        for (name, disposition, plain) in [
            (
                "Q3 (final).pdf",
                "attachment; filename=\"Q3 (final).pdf\"; filename*=UTF-8''Q3%20%28final%29.pdf",
                "Q3 (final).pdf",
            ),
            (
                "résumé 100%.pdf",
                "attachment; filename=\"r_sum_ 100_.pdf\"; filename*=UTF-8''r%C3%A9sum%C3%A9%20100%25.pdf",
                "r%C3%A9sum%C3%A9 100%25.pdf",
            ),
        ] {
            let [_, is_disposition, is_plain] = headers("application/pdf", name);
            assert_eq!(
                (is_disposition.as_str(), is_plain.as_str()),
                (disposition, plain)
            );
            let decoded = percent_encoding::percent_decode_str(&is_plain).decode_utf8();
            assert_eq!(decoded.unwrap(), name);
        }
    }

    #[test]
    fn a_file_name_cannot_escape_its_folder_or_its_header() {
        for (name, safe) in [
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\x.txt", "C__x.txt"),
            ("a\"; filename=\"b.exe", "a_; filename=_b.exe"),
            ("a\r\nX-Evil: 1", "aX-Evil_ 1"),
            ("invoice\u{202E}fdp.exe", "invoicefdp.exe"),
            ("..", "download"),
            (" \n", "download"),
            ("", "download"),
            (".env", "env"),
            ("日本.txt", "日本.txt"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
        let long = safe_name(&format!("{}.tar", "ä".repeat(500)));
        assert_eq!(
            (long.chars().count(), long.ends_with("ä.tar")),
            (MOST_CHARS, true)
        );
        assert_eq!(safe_name(&"x.".repeat(500)).chars().count(), MOST_CHARS);
    }

    #[test]
    fn a_file_is_never_mistaken_for_a_json_answer() {
        for (mime, sent) in [
            ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
            ("application/json", "application/octet-stream"),
            (
                "Application/JSON; charset=utf-8",
                "application/octet-stream",
            ),
            ("application/geo+json", "application/geo+json"),
            ("", "application/octet-stream"),
            ("pdf", "application/octet-stream"),
            ("text/plain\r\nX-Evil: 1", "application/octet-stream"),
        ] {
            assert_eq!(headers(mime, "x")[0], sent, "{mime}");
        }
    }
}
