//! Asks one question in a terminal, until the answer is accepted.

use std::io::{self, BufRead, Write};

use crate::cli::failure::Failure;

/// One question.
pub(super) struct Question<'a> {
    pub(super) flag: &'static str,
    pub(super) text: &'static str,
    pub(super) given: Option<&'a str>,
    /// Values with what they mean; the first is the default.
    pub(super) values: &'a [(&'a str, &'a str)],
}

/// Asks for one word until it is accepted. Nothing is the usual one.
pub(super) fn word(
    usual: &str,
    accept: impl Fn(&str) -> Result<(), Failure>,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<String> {
    writeln!(
        output,
        "What the API lists, in one word, such as `ticket` (--item)"
    )?;
    loop {
        write!(output, "[{usual}] ")?;
        output.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let answer = match line.trim() {
            "" => usual,
            answer => answer,
        };
        match accept(answer) {
            Ok(()) => return Ok(answer.to_owned()),
            Err(failure) => {
                let help = failure.help.map(|help| format!("; {help}"));
                writeln!(output, "{}{}", failure.message, help.unwrap_or_default())?;
            }
        }
    }
}

/// Asks until an answer is one of the values, the beginning of only one of them, or its number. Nothing is the default.
pub(super) fn asked(
    question: &Question<'_>,
    default: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> io::Result<String> {
    let has_meanings = question
        .values
        .iter()
        .any(|(_, meaning)| !meaning.is_empty());
    writeln!(output, "{} (--{})", question.text, question.flag)?;
    if has_meanings {
        for (number, (value, meaning)) in question.values.iter().enumerate() {
            writeln!(output, "  {}  {value:<12} {meaning}", number + 1)?;
        }
    } else {
        let all: Vec<_> = question.values.iter().map(|(value, _)| *value).collect();
        writeln!(output, "  {}", all.join(", "))?;
    }
    loop {
        write!(output, "[{default}] ")?;
        output.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let answer = line.trim();
        if answer.is_empty() {
            return Ok(default.to_owned());
        }
        let mut values = question.values.iter().map(|(value, _)| *value);
        if let Some(exact) = values.clone().find(|value| *value == answer) {
            return Ok(exact.to_owned());
        }
        let numbered = answer.parse().ok().filter(|_| has_meanings);
        if let Some(value) =
            numbered.and_then(|number: usize| values.clone().nth(number.checked_sub(1)?))
        {
            return Ok(value.to_owned());
        }
        let begun: Vec<_> = values
            .by_ref()
            .filter(|value| value.starts_with(answer))
            .collect();
        match begun[..] {
            [only] => return Ok(only.to_owned()),
            [] => writeln!(output, "`{answer}` is not one of them")?,
            _ => writeln!(output, "`{answer}` can be {}", begun.join(" or "))?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_value_its_beginning_its_number_or_nothing() {
        let question = Question {
            flag: "paging",
            text: "How lists end",
            given: None,
            values: &[("token", "one"), ("page", "two"), ("page-total", "three")],
        };
        let ask = |typed: &str| {
            let mut shown = Vec::new();
            let answer = asked(&question, "token", &mut typed.as_bytes(), &mut shown);
            (answer.ok(), String::from_utf8(shown).unwrap())
        };
        assert_eq!(ask("\n").0.unwrap(), "token");
        assert_eq!(ask("page\n").0.unwrap(), "page");
        assert_eq!(ask("to\n").0.unwrap(), "token");
        assert_eq!(ask("3\n").0.unwrap(), "page-total");
        let (answer, shown) = ask("pa\nnothing\n2\n");
        assert_eq!(answer.unwrap(), "page");
        assert!(shown.contains("`pa` can be page or page-total"), "{shown}");
        assert!(shown.contains("`nothing` is not one of them"), "{shown}");
        assert_eq!(ask("0\n").0, None);
        assert_eq!(ask("").0, None);
    }

    #[test]
    fn the_word_of_an_item_is_asked_for_until_it_is_accepted() {
        let ask = |typed: &str| {
            let mut shown = Vec::new();
            let accept = |word: &str| match word {
                "api" => Err(Failure::usage("`api` is taken").help("choose another")),
                _ => Ok(()),
            };
            let answer = word("issue", accept, &mut typed.as_bytes(), &mut shown);
            (answer.ok(), String::from_utf8(shown).unwrap())
        };
        assert_eq!(ask("\n").0.unwrap(), "issue");
        let (answer, shown) = ask("api\n book \n");
        assert_eq!(answer.unwrap(), "book");
        assert!(shown.contains("`api` is taken; choose another"), "{shown}");
        assert_eq!(ask("").0, None);
    }
}
