//! Finds out whether a function without `self` is in an `impl` block. Its attribute macro receives only the function, so the place is
//! read from the source file.

use std::{fs, iter::Peekable, str::Chars};

use proc_macro2::Ident;

/// Returns whether the function with this name is directly in an `impl` block. If its file cannot be read, it counts as outside.
pub(crate) fn is_in_impl(name: &Ident) -> bool {
    // Unit tests run outside of the compiler, where spans have no file.
    if !proc_macro::is_available() {
        return false;
    }
    let span = name.span().unwrap();
    let source = span.local_file().map(fs::read_to_string);
    let Some(Ok(source)) = source else {
        return false;
    };
    Source::new(&source).finds_in_impl(&name.to_string(), span.line(), span.column())
}

/// A file that is read up to a position.
struct Source<'s> {
    rest: Peekable<Chars<'s>>,
    line: usize,
    column: usize,
    /// Whether each open brace belongs to an `impl`.
    braces: Vec<bool>,
    /// The code since the last brace or semicolon, without attributes.
    header: String,
}

impl<'s> Source<'s> {
    fn new(source: &'s str) -> Self {
        Self {
            rest: source.chars().peekable(),
            line: 1,
            column: 1,
            braces: Vec::new(),
            header: String::new(),
        }
    }

    /// Returns whether a word is at a position, and the innermost brace around it belongs to an `impl`. Lines and columns begin
    /// with one. In the documentation of an item, the position of an example is not that of its file.
    fn finds_in_impl(mut self, word: &str, line: usize, column: usize) -> bool {
        while (self.line, self.column) < (line, column) {
            let Some(next) = self.next() else { break };
            match next {
                '/' if self.rest.peek() == Some(&'/') => self.skip_until("\n"),
                '/' if self.rest.peek() == Some(&'*') => self.skip_until("*/"),
                '"' => self.skip_string(),
                '\'' => self.skip_character(),
                '{' => {
                    let mut words = self.header.split_whitespace();
                    let first = words.find(|word| *word != "unsafe").unwrap_or_default();
                    self.braces
                        .push(first == "impl" || first.starts_with("impl<"));
                    self.header.clear();
                }
                '}' => {
                    self.braces.pop();
                    self.header.clear();
                }
                ';' => self.header.clear(),
                ']' if self.header.trim_start().starts_with('#') => self.header.clear(),
                other => self.header.push(other),
            }
        }
        let found: String = self.rest.clone().take(word.len()).collect();
        (self.line, self.column) == (line, column)
            && found.starts_with(word)
            && self.braces.last() == Some(&true)
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        if next == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(next)
    }

    fn skip_until(&mut self, end: &str) {
        let mut read = String::new();
        while !read.ends_with(end) {
            let Some(next) = self.next() else { return };
            read.push(next);
        }
    }

    /// Skips the rest of a string. The header ends with the prefix of a raw one, such as `r#`.
    fn skip_string(&mut self) {
        let prefix = self.header.trim_end_matches('#');
        let hashes = self.header.len() - prefix.len();
        if prefix.ends_with('r') {
            return self.skip_until(&format!("\"{}", "#".repeat(hashes)));
        }
        while let Some(next) = self.next() {
            match next {
                '\\' => drop(self.next()),
                '"' => return,
                _ => {}
            }
        }
    }

    /// Skips the rest of a character, but not of a lifetime.
    fn skip_character(&mut self) {
        let mut ahead = self.rest.clone();
        match (ahead.next(), ahead.next()) {
            (Some('\\'), _) => {
                self.next();
                self.next();
                self.skip_until("'");
            }
            (Some(_), Some('\'')) => {
                self.next();
                self.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the answer for each `at;` in a source.
    fn places(source: &str) -> Vec<bool> {
        let mut places = Vec::new();
        for (index, line) in source.lines().enumerate() {
            for (byte, _) in line.match_indices("at;") {
                let (line, column) = (index + 1, line[..byte].chars().count() + 1);
                places.push(Source::new(source).finds_in_impl("at", line, column));
            }
        }
        places
    }

    #[test]
    fn functions_of_an_impl_block_are_told_from_all_others() {
        let source = r##"
            at; use a::{b, at; c};
            /* impl { */ at;
            #[allow(dead_code)] unsafe impl<'a> Trait for Über<'a> {
                at; const BRACE: char = '}'; // { at;
                fn f(&self) { at; let s = "\"}"; if s == r#"}"}"# { at; } }
                at;
            }
            mod inner { at; fn implode() -> impl Sized { at; } }
            impl Plain where Self: Sized { fn é() { loop { at; } } #[doc = "{"] at; }
            at;
        "##;
        assert_eq!(
            places(source),
            [
                false, false, false, true, false, false, false, true, false, false, false, true,
                false
            ]
        );
    }

    #[test]
    fn a_position_with_another_word_is_not_that_of_the_function() {
        let source = "impl Notes {\n    fn folder() {}\n}\n";
        assert!(Source::new(source).finds_in_impl("folder", 2, 8));
        assert!(!Source::new(source).finds_in_impl("author", 2, 8));
        assert!(!Source::new(source).finds_in_impl("folder", 1, 8));
    }
}
