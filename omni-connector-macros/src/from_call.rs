//! `#[derive(FromCall)]`: the client of an API as an argument.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, Path};

use crate::{
    diagnostics::Errors,
    expand,
    parse::{Keys, marker_keys},
};

pub(crate) fn from_call(item: TokenStream) -> TokenStream {
    let (attributes, ident, generics) = match syn::parse2::<Item>(item) {
        Ok(Item::Struct(item)) => (item.attrs, item.ident, item.generics),
        Ok(Item::Enum(item)) => (item.attrs, item.ident, item.generics),
        Ok(Item::Union(item)) => (item.attrs, item.ident, item.generics),
        _ => return TokenStream::new(),
    };
    let mut errors = Errors::new();
    let keys = attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("from_call"))
        .map(marker_keys)
        .unwrap_or_default();
    let runtime: Path = Keys::runtime(&keys);
    Keys::parse(keys, &["crate"], &[], &mut errors);
    let error = errors.finish();
    let expanded = expand::client(&ident, &generics, &runtime);
    quote!(#error #expanded)
}
