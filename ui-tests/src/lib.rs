//! The macros' own modules, compiled as a library, so that what they expand to can be looked at without a compiler.

// Each of them is private to the macro crate; only the entry points below are used here.
#[path = "../../omni-connector-macros/src/connector.rs"]
mod connector;
#[path = "../../omni-connector-macros/src/credential_set.rs"]
mod credential_set;
#[path = "../../omni-connector-macros/src/diagnostics.rs"]
mod diagnostics;
#[path = "../../omni-connector-macros/src/expand/mod.rs"]
mod expand;
#[path = "../../omni-connector-macros/src/from_call.rs"]
mod from_call;
#[macro_use]
#[path = "../../omni-connector-macros/src/hooks.rs"]
mod hooks;
#[allow(
    dead_code,
    reason = "one of its entry points is for the compiler alone"
)]
#[path = "../../omni-connector-macros/src/listed.rs"]
mod listed;
#[path = "../../omni-connector-macros/src/methods.rs"]
mod methods;
#[path = "../../omni-connector-macros/src/parse/mod.rs"]
mod parse;
#[path = "../../omni-connector-macros/src/valid/mod.rs"]
mod valid;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Item};

/// A file with every annotated item expanded, formatted.
///
/// # Errors
/// The file, or what an item expands to, is not Rust.
pub fn expand(file: &str) -> syn::Result<syn::File> {
    let mut file = syn::parse_file(file)?;
    let mut items = Vec::new();
    for item in file.items {
        items.extend(expand_item(item)?);
    }
    file.items = items;
    Ok(file)
}

/// What our derives add to an item.
fn derived(item: &Item) -> syn::Result<Vec<Item>> {
    let attributes = match item {
        Item::Enum(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        _ => return Ok(Vec::new()),
    };
    let mut expanded = TokenStream::new();
    for attribute in attributes.iter().filter(|of| of.path().is_ident("derive")) {
        attribute.parse_nested_meta(|derive| {
            if derive.path.is_ident("CredentialSet") {
                expanded.extend(credential_set::credential_set(item.to_token_stream()));
            } else if derive.path.is_ident("FromCall") {
                expanded.extend(from_call::from_call(item.to_token_stream()));
            }
            Ok(())
        })?;
    }
    syn::parse2::<syn::File>(expanded).map(|file| file.items)
}

fn expand_item(mut item: Item) -> syn::Result<Vec<Item>> {
    let Some(attribute) = attributes(&mut item).and_then(take_ours) else {
        let derived = derived(&item)?;
        return Ok(std::iter::once(item).chain(derived).collect());
    };
    let keys = match &attribute.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let item = item.into_token_stream();
    let expanded = match attribute.path().segments.last() {
        Some(name) if name.ident == "action" => listed::action(keys, item),
        Some(name) if name.ident == "search_operator" => listed::search_operator(keys, item),
        Some(name) if name.ident == "sync" => listed::method_only("sync", item),
        _ => connector::connector(keys, item),
    };
    syn::parse2::<syn::File>(expanded).map(|file| file.items)
}

fn attributes(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        Item::Fn(item) => Some(&mut item.attrs),
        _ => None,
    }
}

fn take_ours(attributes: &mut Vec<Attribute>) -> Option<Attribute> {
    let ours = ["connector", "action", "search_operator", "sync"];
    let index = attributes
        .iter()
        .position(|attribute| ours.iter().any(|name| attribute.path().is_ident(name)))?;
    Some(attributes.remove(index))
}
