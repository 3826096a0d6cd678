//! Annotated functions outside an `impl` block. The lists on the struct find each under a hidden type with its name.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Path;

use crate::{
    diagnostics::Errors,
    expand,
    parse::{Function, Keys, is_in_impl},
    valid::{Action, Operator, Place},
};

/// The help for a marker that is outside a `#[connector]` block.
const OUTSIDE: &str = "put `#[connector]` on the `impl` block; it sees the attributes that are written in it, not those of a \
                       `macro_rules!` or a `cfg_attr`";

/// Returns whether a function is in a block. The block has no `#[connector]`, which would have removed the marker.
fn is_in_a_block(function: &Function) -> bool {
    function.signature.receiver().is_some() || is_in_impl(&function.signature.ident)
}

/// Expands a marker of methods whose block has no `#[connector]`.
pub(crate) fn method_only(
    marker: &'static str,
    keys: &TokenStream,
    item: TokenStream,
) -> TokenStream {
    let function = syn::parse2::<Function>(item.clone());
    if let Ok(function) = &function
        && is_in_a_block(function)
    {
        return expand::uncollected(function.emitted(&[marker]), &Keys::runtime(keys))
            .into_token_stream();
    }
    let mut errors = Errors::new();
    errors.push(
        Span::call_site(),
        format!("`#[{marker}]` goes on a method of the connector"),
        OUTSIDE,
    );
    let error = errors.finish();
    let item = match function {
        Ok(function) => {
            let function = function.emitted(&[marker]);
            quote!(#function)
        }
        Err(_) => item,
    };
    quote!(#item #error)
}

/// Reports `#[arg]` on an item. On arguments it is removed before, since Rust has no macros there.
pub(crate) fn on_an_item(item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    errors.push(
        Span::call_site(),
        "`#[arg]` goes on an argument of an action",
        "write it in the signature: `#[arg] title: String`",
    );
    let error = errors.finish();
    quote!(#item #error)
}

pub(crate) fn action(keys: TokenStream, item: TokenStream) -> TokenStream {
    function("action", keys, item, |function, keys, runtime, errors| {
        let valid = Action::of(function, keys, Place::Free, errors);
        let listed = valid.map(|valid| expand::listed_action(&valid, runtime));
        (listed, expand::unfinished_action(function, runtime))
    })
}

pub(crate) fn search_operator(keys: TokenStream, item: TokenStream) -> TokenStream {
    function(
        "search_operator",
        keys,
        item,
        |function, keys, runtime, errors| {
            let valid = Operator::of(function, keys, errors);
            let listed = valid.map(|valid| expand::listed_operator(&valid, runtime));
            (listed, expand::unfinished_operator(function, runtime))
        },
    )
}

/// Emits the function as written, followed by the first result of `expand`, or the second after an error.
fn function(
    marker: &'static str,
    keys: TokenStream,
    item: TokenStream,
    expand: impl FnOnce(
        &Function,
        TokenStream,
        &Path,
        &mut Errors,
    ) -> (Option<TokenStream>, TokenStream),
) -> TokenStream {
    let runtime = Keys::runtime(&keys);
    let function = syn::parse2::<Function>(item.clone());
    if let Ok(function) = &function
        && is_in_a_block(function)
    {
        return expand::uncollected(function.emitted(&[marker]), &runtime).into_token_stream();
    }
    let mut errors = Errors::new();
    let Ok(function) = function else {
        errors.push(
            Span::call_site(),
            format!("`#[{marker}]` goes on a function"),
            "",
        );
        let error = errors.finish();
        return quote!(#item #error);
    };
    let emitted = function.emitted(&[marker]);
    let (listed, unfinished) = expand(&function, keys, &runtime, &mut errors);
    match errors.finish() {
        None => quote!(#emitted #listed),
        Some(error) => quote!(#emitted #error #unfinished),
    }
}
