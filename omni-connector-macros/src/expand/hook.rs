//! From `#[validate]`, `#[oauth]` and `#[skills]` to the constants that hold them.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Path, ReturnType, spanned::Spanned};

use super::{Thunk, connector_argument, supply};
use crate::valid::{Hook, HookKind};

pub(super) fn hook(hook: &Hook, runtime: &Path) -> TokenStream {
    let signature = &hook.function.signature;
    let ident = &signature.ident;
    let constant = hook.kind.constant();
    let conditions = hook.function.conditions();
    let (ty, value) = match hook.kind {
        HookKind::Validate => {
            let connector = connector_argument();
            let values = hook.parameters.iter().map(|supplied| supply(&supplied.ty));
            let returned = match &signature.output {
                ReturnType::Type(_, ty) => ty.span(),
                ReturnType::Default => ident.span(),
            };
            let ended = quote_spanned!(returned=> #runtime::declare::ended);
            let thunk = Thunk {
                ident,
                uses: [true, !hook.parameters.is_empty()],
                body: quote!(#ended(Self::#ident(#connector, #(#values),*).await)),
            };
            (quote!(#runtime::declare::Validate<Self>), quote!(#thunk))
        }
        HookKind::OAuth => (
            quote!(fn(&Self) -> #runtime::OAuthConfig),
            quote!(Self::#ident),
        ),
        HookKind::Skills => (
            quote!(fn(&Self) -> ::std::vec::Vec<#runtime::Skill>),
            quote!(Self::#ident),
        ),
    };
    quote! {
        #(#conditions)*
        const #constant: ::core::option::Option<#ty> = ::core::option::Option::Some(#value);
    }
}
