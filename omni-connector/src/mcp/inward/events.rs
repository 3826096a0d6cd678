//! Rewrites a stream of events so that the client library, which takes the format literally, can read it. What the format
//! tells a reader to ignore is left out, and the last event need not end with a blank line.

use std::mem;

use serde::de::IgnoredAny;

/// An event is too long.
#[derive(Debug)]
pub(super) struct TooLong;

/// Rewrites lines as they arrive.
#[derive(Default)]
pub(super) struct Lines {
    longest: usize,
    /// The bytes of the current event so far.
    size: usize,
    line: Vec<u8>,
    /// Whether a line feed belongs to the end of the last line.
    is_half_read: bool,
    is_begun: bool,
    /// The fields of the current event that may occur once.
    seen: Vec<&'static str>,
    has_data: bool,
}

impl Lines {
    pub(super) fn new(longest: usize) -> Self {
        Self {
            longest,
            ..Self::default()
        }
    }

    /// Returns the lines that end within `chunk`.
    ///
    /// # Errors
    /// Fails if an event is too long.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<Vec<u8>, TooLong> {
        let mut rewritten = Vec::with_capacity(chunk.len() + 16);
        for &byte in chunk {
            if mem::take(&mut self.is_half_read) && byte == b'\n' {
                continue;
            }
            self.size += 1;
            if matches!(byte, b'\n' | b'\r') {
                self.is_half_read = byte == b'\r';
                self.end_line(&mut rewritten);
            } else {
                self.line.push(byte);
            }
            if self.size > self.longest {
                return Err(TooLong);
            }
        }
        Ok(rewritten)
    }

    /// Returns the end of an event after which the stream ended. An event with an id can be requested again, so it may be
    /// left out.
    pub(super) fn end(&mut self) -> Vec<u8> {
        let mut rewritten = Vec::new();
        let is_whole = |line: &[u8]| {
            let data = line.strip_prefix(b"data:").unwrap_or_default();
            serde_json::from_slice::<IgnoredAny>(data).is_ok()
        };
        if !self.line.is_empty() && !self.has_data && is_whole(&self.line) {
            self.end_line(&mut rewritten);
        }
        if self.line.is_empty() && self.has_data && !self.seen.contains(&"id") {
            rewritten.push(b'\n');
        }
        rewritten
    }

    fn end_line(&mut self, rewritten: &mut Vec<u8>) {
        let line = mem::take(&mut self.line);
        let is_first = !mem::replace(&mut self.is_begun, true);
        let line = match line.strip_prefix("\u{feff}".as_bytes()) {
            Some(line) if is_first => line,
            _ => &line[..],
        };
        if line.is_empty() {
            self.seen.clear();
            self.has_data = false;
            self.size = 0;
            rewritten.push(b'\n');
            return;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = match colon {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &b""[..]),
        };
        let value = String::from_utf8_lossy(value);
        let value = value.strip_prefix(' ').unwrap_or(&value);
        let name = match name {
            b"data" => {
                self.has_data = true;
                "data"
            }
            b"event" => "event",
            b"id" => "id",
            b"retry" if value.trim().parse::<u64>().is_ok() => "retry",
            _ => return,
        };
        if name != "data" {
            if self.seen.contains(&name) {
                return;
            }
            self.seen.push(name);
        }
        for part in [name, ": ", value, "\n"] {
            rewritten.extend_from_slice(part.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(stream: &[u8], size: usize) -> String {
        let mut lines = Lines::new(1 << 10);
        let mut all = Vec::new();
        for chunk in stream.chunks(size) {
            all.extend(lines.push(chunk).unwrap());
        }
        all.extend(lines.end());
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn what_the_format_ignores_is_left_out_wherever_the_stream_is_split() {
        for (stream, expected) in [
            (&b"\xef\xbb\xbfdata: 1\r\n\r\n"[..], "data: 1\n\n"),
            (b"data: 1\rdata: 2\r\r", "data: 1\ndata: 2\n\n"),
            (
                b"retry: 10\n\nretry: soon\ndata:1\n\n",
                "retry: 10\n\ndata: 1\n\n",
            ),
            (b"id\ndata\n\ndata: 1\n\n", "id: \ndata: \n\ndata: 1\n\n"),
            (
                b"event: a\nevent: b\nid: 1\nid: 2\ndata: 1\n\n",
                "event: a\nid: 1\ndata: 1\n\n",
            ),
            (b": note\nx-own: 7\nnonsense\ndata: 1\n\n", "data: 1\n\n"),
            (b"data: \xff\n\n", "data: \u{fffd}\n\n"),
            (b"data:  1 \n\n", "data:  1 \n\n"),
            // The end is missing.
            (b"data: 1\n", "data: 1\n\n"),
            (b"data: {\"a\":1}", "data: {\"a\":1}\n\n"),
            (b"data: {\"a\"", ""),
            (b"id: 1\ndata: 1\n", "id: 1\ndata: 1\n"),
        ] {
            for size in 1..=stream.len() {
                assert_eq!(rewritten(stream, size), expected, "{size}");
            }
        }
    }

    #[test]
    fn an_event_that_is_too_long_is_an_error_and_many_short_ones_are_not() {
        let mut lines = Lines::new(10);
        for _ in 0..100 {
            lines.push(b"data: 1\n\n").unwrap();
        }
        assert!(lines.push(b"data: 12345\n\n").is_err());
    }
}
