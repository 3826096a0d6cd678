//! Doc comments, which become the descriptions for people and language models.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, Meta};

use crate::diagnostics::Errors;

/// Returns the description of an item that must have one.
pub(super) fn required(
    attributes: &[Attribute],
    ident: &Ident,
    errors: &mut Errors,
) -> Option<TokenStream> {
    let description = description(attributes);
    if description.is_none() {
        errors.push(
            ident.span(),
            format!("`{ident}` needs a description"),
            "add a `///` comment; people and language models read it",
        );
    }
    description
}

/// Returns the doc comment as an expression of type `&'static str`; none without a doc comment.
///
/// Joins literal lines. `#[doc = include_str!(…)]` stays as it is, because only rustc can read the file.
pub(super) fn description(attributes: &[Attribute]) -> Option<TokenStream> {
    let mut parts: Vec<Part> = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
    {
        let Meta::NameValue(doc) = &attribute.meta else {
            continue;
        };
        match &doc.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(line),
                ..
            }) => {
                let line = line.value();
                // The blank after `///` does not belong to the description.
                let line = line.strip_prefix(' ').unwrap_or(&line).trim_end();
                match parts.last_mut() {
                    Some(Part::Text(text)) => {
                        text.push('\n');
                        text.push_str(line);
                    }
                    _ => parts.push(Part::Text(line.to_owned())),
                }
            }
            other => parts.push(Part::Expression(quote!(#other))),
        }
    }
    match &parts[..] {
        [] => None,
        [Part::Text(text)] => {
            let text = text.trim();
            (!text.is_empty()).then(|| quote!(#text))
        }
        parts => {
            let parts = parts.iter().map(|part| match part {
                Part::Text(text) => quote!(#text),
                Part::Expression(expression) => expression.clone(),
            });
            Some(quote!(::core::concat!(#(#parts,)*)))
        }
    }
}

enum Part {
    Text(String),
    Expression(TokenStream),
}
