//! From `#[validate]`, `#[oauth]` and `#[skills]` to the constants that hold them.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Thunk, connector_argument, ended, supply};
use crate::valid::{Hook, HookKind};

pub(super) fn hook(hook: &Hook) -> TokenStream {
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
                ),
            };
            (quote!(_omni::Validate<Self>), quote!(#thunk))
        }
        HookKind::OAuth => (
            quote!(fn(&Self) -> _omni::OAuthConfig),
            quote!(Self::#ident),
        ),
        HookKind::Skills => (
            quote!(fn(&Self) -> _omni::Vec<_omni::Skill>),
            quote!(Self::#ident),
        ),
    };
    quote! {
        #(#conditions)*
        const #constant: _omni::Option<#ty> = _omni::Some(#value);
    }
}
