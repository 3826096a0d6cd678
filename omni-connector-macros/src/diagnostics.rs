//! Compile errors: all of one attribute at once, each at the token to edit, with a help line below.

use darling::error::Accumulator;
use proc_macro2::{Span, TokenStream};

/// The errors found so far. Dropping it unchecked panics.
pub(crate) struct Errors(Accumulator);

impl Errors {
    pub(crate) fn new() -> Self {
        Self(Accumulator::default())
    }

    /// Adds one mistake. `help` says how to fix it.
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

    /// Returns the parsed value, or adds the parser's error.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        self.0.handle(result.map_err(darling::Error::from))
    }

    /// Returns all errors as tokens; none if there are no errors.
    pub(crate) fn finish(self) -> Option<TokenStream> {
        let error = self.0.finish().err()?;
        Some(syn::Error::from(error).to_compile_error())
    }
}

/// Returns the most similar name in `known`, if one is similar enough.
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

/// Returns the help for a name that is not in `known`.
pub(crate) fn did_you_mean(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("known are `{}`", known.join("`, `")),
    }
}
