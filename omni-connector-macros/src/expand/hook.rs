//! From `#[validate]`, `#[oauth]` and `#[skills]` to the constants that hold them.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use super::{Thunk, connector_argument, ended, supply};
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
            let thunk = Thunk {
                ident,
                uses: [true, !hook.parameters.is_empty()],
                body: ended(
                    &hook.function,
                    quote!(Self::#ident(#connector, #(#values),*)),
                    runtime,
                ),
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
