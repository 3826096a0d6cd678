//! Errors in the author's words: all of one attribute at once, each at the token to edit, with the way out below.

use darling::error::Accumulator;
use proc_macro2::{Span, TokenStream};

/// The errors found so far. It complains when it is dropped unchecked.
pub(crate) struct Errors(Accumulator);

impl Errors {
    pub(crate) fn new() -> Self {
        Self(Accumulator::default())
    }

    /// One mistake. `help` says how to get out of it.
    pub(crate) fn push(&mut self, span: Span, message: impl AsRef<str>, help: impl AsRef<str>) {
        let (message, help) = (message.as_ref(), help.as_ref());
        let text = if help.is_empty() {
            message.to_owned()
        } else {
            format!("{message}\nhelp: {help}")
        };
        self.0
            .push(darling::Error::from(syn::Error::new(span, text)));
    }

    /// What the parser says, unless it went well.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        self.0.handle(result.map_err(darling::Error::from))
    }

    /// Everything that was found, as tokens; none when nothing was.
    pub(crate) fn finish(self) -> Option<TokenStream> {
        let error = self.0.finish().err()?;
        Some(syn::Error::from(error).to_compile_error())
    }
}

/// The nearest of `known`, if one is near.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&name, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The help for a name that is in none of `known`.
pub(crate) fn did_you_mean(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("known are `{}`", known.join("`, `")),
    }
}
