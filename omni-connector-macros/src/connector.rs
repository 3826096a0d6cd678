//! `#[connector]`: on a struct, its keys; on an `impl` block, the functions in it.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Item, ItemStruct, spanned::Spanned};

use crate::{diagnostics::Errors, expand, methods, parse::Keys, valid};

pub(crate) fn connector(keys: TokenStream, item: TokenStream) -> TokenStream {
    if methods::is_impl(&item) {
        return methods::methods(keys, item);
    }
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Struct(item)) => on_struct(keys, &item),
        other => {
            let mut errors = Errors::new();
            let (place, found) = match &other {
                Ok(item) => kind(item),
                Err(_) => (Span::call_site(), "something else"),
            };
            errors.push(
                place,
                format!("`#[connector]` goes on a struct or its `impl`, found {found}"),
                "",
            );
            let error = errors.finish();
            quote!(#item #error)
        }
    }
}

fn kind(item: &Item) -> (Span, &'static str) {
    match item {
        Item::Enum(item) => (item.enum_token.span, "an enum"),
        Item::Union(item) => (item.union_token.span(), "a union"),
        Item::Fn(item) => (item.sig.fn_token.span, "a function"),
        Item::Trait(item) => (item.trait_token.span, "a trait"),
        Item::Mod(item) => (item.mod_token.span, "a module"),
        Item::Type(item) => (item.type_token.span, "a type alias"),
        other => (other.span(), "something else"),
    }
}

fn on_struct(keys: TokenStream, item: &ItemStruct) -> TokenStream {
    let runtime = Keys::runtime(&keys);
    let mut errors = Errors::new();
    let valid = valid::Connector::of(item, keys, &mut errors);
    let error = errors.finish();
    let expanded = expand::connector(&valid, &item.generics, error.is_some(), &runtime);
    quote!(#item #error #expanded)
}
