//! The keys of an attribute: `name = "x"`, `read`, `scopes = ["a"]`, `skill(…)`, each with the spans of key and value.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{
    Ident, LitStr, Token, bracketed,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    spanned::Spanned,
    token,
};

use crate::diagnostics::{Errors, did_you_mean};

/// One key, and its value if it has one.
#[derive(Clone)]
struct Key {
    name: Ident,
    value: Option<TokenStream>,
}

/// The keys of one attribute. A value is parsed as the type with which it is requested.
#[derive(Clone)]
pub(crate) struct Keys {
    keys: Vec<Key>,
    is_complete: bool,
}

impl Parse for Key {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `crate` is a keyword and a valid key.
        let name = input.call(Ident::parse_any)?;
        if input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            let value = Some(content.parse()?);
            return Ok(Self { name, value });
        }
        if !input.peek(Token![=]) {
            return Ok(Self { name, value: None });
        }
        input.parse::<Token![=]>()?;
        let mut value = TokenStream::new();
        // A comma between angle brackets belongs to a type.
        let mut depth = 0_u32;
        while !input.is_empty() && (depth > 0 || !input.peek(Token![,])) {
            let token: TokenTree = input.parse()?;
            if let TokenTree::Punct(punct) = &token {
                match punct.as_char() {
                    '<' => depth += 1,
                    '>' => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            value.extend([token]);
        }
        Ok(Self {
            name,
            value: Some(value),
        })
    }
}

impl Keys {
    /// Parses the keys. Reports unknown keys, and duplicates unless `repeatable` has the key.
    pub(crate) fn parse(
        tokens: TokenStream,
        known: &[&str],
        repeatable: &[&str],
        errors: &mut Errors,
    ) -> Self {
        let parsed = Punctuated::<Key, Token![,]>::parse_terminated.parse2(tokens);
        let mut keys: Vec<Key> = Vec::new();
        let mut is_complete = parsed.is_ok();
        for key in errors.ok(parsed).into_iter().flatten() {
            let name = key.name.to_string();
            if !known.contains(&name.as_str()) {
                is_complete = false;
                let help = did_you_mean(&name, known);
                errors.push(key.name.span(), format!("unknown key `{name}`"), help);
            } else if !repeatable.contains(&name.as_str())
                && keys.iter().any(|earlier| earlier.name == key.name)
            {
                errors.push(
                    key.name.span(),
                    format!("`{name}` is given twice"),
                    "remove one of them",
                );
            } else {
                keys.push(key);
            }
        }
        Self { keys, is_complete }
    }

    /// Returns whether every key was parsed. If not, a missing key may be the misspelled one.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Finds the path under `crate` without parsing the other keys, so that it is known whatever is wrong with them.
    pub(crate) fn runtime(tokens: &TokenStream) -> syn::Path {
        let parsed = Punctuated::<Key, Token![,]>::parse_terminated.parse2(tokens.clone());
        parsed
            .into_iter()
            .flatten()
            .find(|key| key.name == "crate")
            .and_then(|key| syn::parse2(key.value?).ok())
            .unwrap_or_else(|| syn::parse_quote!(::omni_connector))
    }

    fn get(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Returns the span of a key that is present.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.get(name).map(|key| key.name.span())
    }

    /// Returns whether a key is present without a value.
    pub(crate) fn is_bare(&self, name: &str) -> bool {
        self.get(name).is_some_and(|key| key.value.is_none())
    }

    /// Reads a key that takes no value.
    pub(crate) fn flag(&self, name: &str, errors: &mut Errors) -> bool {
        let Some(key) = self.get(name) else {
            return false;
        };
        if let Some(value) = &key.value {
            errors.push(
                value.span(),
                format!("`{name}` takes no value"),
                format!("write `{name}` alone"),
            );
        }
        true
    }

    /// Reads a string; `example` shows one in messages.
    pub(crate) fn string(&self, name: &str, example: &str, errors: &mut Errors) -> Option<LitStr> {
        let key = self.get(name)?;
        let value = key.value.clone().unwrap_or_default();
        let literal = syn::parse2::<LitStr>(value.clone()).ok();
        if literal.is_none() {
            let help = match syn::parse2::<Ident>(value) {
                Ok(word) => format!("`{name} = \"{word}\"`"),
                Err(_) => format!("`{name} = \"{example}\"`"),
            };
            errors.push(key.place(), "expected a string", help);
        }
        literal
    }

    /// Reads a value that syn can parse; `example` shows one in messages.
    pub(crate) fn value<T: Parse>(
        &self,
        name: &str,
        what: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<T> {
        let key = self.get(name)?;
        let parsed = syn::parse2(key.value.clone().unwrap_or_default()).ok();
        if parsed.is_none() {
            errors.push(
                key.place(),
                format!("`{name}` expects {what}"),
                format!("`{name} = {example}`"),
            );
        }
        parsed
    }

    /// Reads a list in brackets; `example` shows one in messages.
    pub(crate) fn list<T: Parse>(
        &self,
        name: &str,
        example: &str,
        errors: &mut Errors,
    ) -> Option<Vec<T>> {
        self.value::<List<T>>(name, "a list", example, errors)
            .map(|list| list.0)
    }

    /// Reads the values of a repeatable key, each as keys.
    pub(crate) fn groups(
        &self,
        name: &str,
        known: &[&str],
        errors: &mut Errors,
    ) -> Vec<(Span, Self)> {
        let mut groups = Vec::new();
        for key in self.keys.iter().filter(|key| key.name == name) {
            let tokens = key.value.clone().unwrap_or_default();
            groups.push((key.name.span(), Self::parse(tokens, known, &[], errors)));
        }
        groups
    }
}

impl Key {
    /// Returns the span for errors about the value: the value's, or the key's if there is no value.
    fn place(&self) -> Span {
        match &self.value {
            Some(value) if !value.is_empty() => value.span(),
            _ => self.name.span(),
        }
    }
}

struct List<T>(Vec<T>);

impl<T: Parse> Parse for List<T> {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        bracketed!(content in input);
        let items = content.parse_terminated(T::parse, Token![,])?;
        Ok(Self(items.into_iter().collect()))
    }
}
