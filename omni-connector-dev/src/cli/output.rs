//! Prints results on standard output and everything else on standard error. `console` omits colours when the stream is
//! not a terminal or `NO_COLOR` is set.

use std::{
    fmt,
    io::{self, Write},
    process,
};

use console::style;
use serde::Serialize;
use serde_json::json;

use super::failure::Failure;

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Returns whether a program reads the result.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// Prints the result as one JSON document, or as `human` formats it.
    pub(super) fn result(self, value: &impl Serialize, human: impl fmt::Display) {
        self.print(value, &human.to_string(), console::colors_enabled());
    }

    /// Prints the result as one JSON document, or as a text that a source wrote.
    pub(super) fn foreign_text(self, value: &impl Serialize, text: &str) {
        self.print(value, text, false);
    }

    fn print(self, value: &impl Serialize, human: &str, has_colours: bool) {
        if self.json {
            print_json(value);
        } else {
            // A closed pipe, such as of `head`, is not an error.
            let _ = write!(io::stdout().lock(), "{}", harmless(human, has_colours));
        }
    }

    /// Prints a failure and returns its exit code.
    pub(super) fn failure(self, failure: &Failure) -> process::ExitCode {
        if self.json {
            print_json(&json!({ "error": failure.message, "help": failure.help }));
        }
        let mut stderr = io::stderr().lock();
        let label = style("error").red().bold().for_stderr();
        let _ = writeln!(stderr, "{label}: {}", printable_lines(&failure.message));
        if let Some(help) = &failure.help {
            let label = style("help").cyan().bold().for_stderr();
            let _ = writeln!(stderr, "{label}: {}", printable_lines(help));
        }
        failure.code.into()
    }
}

/// Prints arguments that were refused as JSON. The parser prints them for people.
pub(super) fn refused(error: &clap::Error) {
    let said = error.render().to_string();
    let said = said.trim().trim_start_matches("error: ");
    let (message, help) = said.split_once("\n\n").unwrap_or((said, ""));
    print_json(&json!({ "error": message, "help": help.trim() }));
}

fn print_json(value: &impl Serialize) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let _ = writeln!(io::stdout().lock(), "{}", escaped(&text));
}

/// Escapes the characters of JSON that would control a terminal. They are in strings only, so the value stays the same.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || is_printable(c) {
            text.push(c);
        } else {
            // All of them are in the first plane.
            let _ = fmt::Write::write_fmt(&mut text, format_args!("\\u{:04x}", u32::from(c)));
        }
    }
    text
}

/// Replaces the characters that control a terminal. Tabs and line breaks stay, as do colours where the text has some of ours.
fn harmless(text: &str, has_colours: bool) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut left = text;
    while let Some(c) = left.chars().next() {
        let kept = match c {
            '\u{1b}' if has_colours => colour(left),
            '\r' if left.starts_with("\r\n") => 2,
            '\n' | '\t' => 1,
            c if is_printable(c) => c.len_utf8(),
            _ => 0,
        };
        if kept == 0 {
            clean.push(' ');
        } else {
            clean.push_str(&left[..kept]);
        }
        left = &left[kept.max(c.len_utf8())..];
    }
    clean
}

/// Returns the length of the sequence for a colour at the beginning of `text`; 0 without one.
fn colour(text: &str) -> usize {
    let parameters = text.strip_prefix("\u{1b}[").unwrap_or_default();
    let end = parameters.find(|c: char| !matches!(c, '0'..='9' | ';'));
    let end = end.filter(|end| parameters[*end..].starts_with('m'));
    end.map_or(0, |end| "\u{1b}[m".len() + end)
}

/// Prints what the command is doing. Names and messages of a source may be in it.
pub(super) fn note(text: impl fmt::Display) {
    note_as_is(printable_lines(&text.to_string()));
}

/// Prints the output of a compiler or of tests, which has colours.
pub(super) fn note_as_is(text: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a warning.
pub(super) fn warning(text: impl fmt::Display) {
    let label = style("warning").yellow().bold().for_stderr();
    let text = printable_lines(&text.to_string());
    let _ = writeln!(io::stderr().lock(), "{label}: {text}");
}

/// Formats an error with its innermost cause, which explains most.
pub(super) fn with_cause(error: &dyn std::error::Error) -> String {
    let innermost = std::iter::successors(error.source(), |error| error.source()).last();
    innermost.map_or_else(|| error.to_string(), ToString::to_string)
}

/// Removes characters that control a terminal or reverse the text direction. Names and texts of a source are untrusted.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if is_printable(c) { c } else { ' ' })
        .collect()
}

fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}'
        )
}

/// Removes the same characters, but keeps line breaks.
pub(super) fn printable_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(printable).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_steers_no_terminal_and_keeps_its_colours() {
        let text = "\u{1b}[1;31mred\u{1b}[0m\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}1m\u{202e}a\r\nb\rc\td\n";
        let shown = "\u{1b}[1;31mred\u{1b}[0m [2J ]0;t  1m a\r\nb c\td\n";
        assert_eq!(harmless(text, true), shown);
        assert_eq!(harmless(text, false), shown.replace('\u{1b}', " "));
        assert_eq!(harmless("\u{1b}", true), " ");
    }
}
