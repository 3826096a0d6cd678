//! `#[derive(CredentialSet)]`: an enum of the forms that a credential has.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Item;

use crate::{diagnostics::Errors, expand, valid::CredentialSet};

pub(crate) fn credential_set(item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let (ident, generics) = match syn::parse2::<Item>(item) {
        Ok(Item::Enum(item)) => {
            let runtime = CredentialSet::runtime(&item);
            let valid = CredentialSet::of(&item, &mut errors);
            let error = errors.finish();
            let expanded = match error {
                None => expand::credential_set(&valid, &runtime),
                Some(_) => expand::unfinished_credential_set(&item.ident, &item.generics, &runtime),
            };
            return quote!(#error #expanded);
        }
        Ok(Item::Struct(item)) => (item.ident, item.generics),
        Ok(Item::Union(item)) => (item.ident, item.generics),
        _ => return TokenStream::new(),
    };
    errors.push(
        Span::call_site(),
        format!("`{ident}` is not an enum, so there is nothing to choose"),
        "derive `Deserialize` where a credential has one form",
    );
    let error = errors.finish();
    let runtime = syn::parse_quote!(::omni_connector);
    let expanded = expand::unfinished_credential_set(&ident, &generics, &runtime);
    quote!(#error #expanded)
}
