//! From `#[validate]`, `#[oauth]`, `#[mcp]` and the like to the constants that hold them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{Thunk, call, connector_argument, outcome, returned, supply};
use crate::valid::{Hook, HookKind};

pub(super) fn hook(hook: &Hook) -> TokenStream {
    let ident = &hook.function.signature.ident;
    let constant = hook.kind.constant();
    let conditions = hook.function.conditions();
    let (connector, call) = (connector_argument(), call());
    let (ty, value) = match hook.kind {
        HookKind::Validate => {
            let values = hook.parameters.iter().map(|supplied| supply(&supplied.ty));
            let thunk = Thunk {
                function: &hook.function,
                uses: [true, !hook.parameters.is_empty()],
                open: quote!(),
                call: quote!(Self::#ident(#connector, #(#values),*)),
                reader: "ended",
            };
            (quote!(_omni::Validate<Self>), quote!(#thunk))
        }
        HookKind::CredentialReady => {
            let manager = Ident::new("manager", Span::mixed_site());
            let wanted = hook.function.parameters().nth(1).map(|_| &manager);
            let [called, future] = outcome(
                &hook.function,
                "ended",
                &quote!(Self::#ident(#connector, #call, #wanted)),
            );
            let manager = match wanted {
                Some(manager) => quote!(#manager),
                None => quote!(_),
            };
            (
                quote!(_omni::Ready<Self>),
                quote!(|#connector, #call, #manager| {
                    #called
                    #future
                }),
            )
        }
        HookKind::OAuth => (
            quote!(fn(&Self) -> _omni::OAuthConfig),
            quote!(Self::#ident),
        ),
        HookKind::Skills => (
            quote!(fn(&Self) -> _omni::Vec<_omni::Skill>),
            quote!(Self::#ident),
        ),
        HookKind::Enrich => {
            let boxed = quote_spanned!(ident.span()=> _omni::Box::pin);
            (
                quote!(_omni::Enrich<Self>),
                quote!(|#connector, #call| #boxed(Self::#ident(#connector, #call))),
            )
        }
        HookKind::Mcp => {
            let returned = returned(&hook.function);
            let server = quote_spanned!(returned.span()=> _omni::server(#returned));
            (
                quote!(fn(&Self) -> _omni::Option<_omni::McpServer>),
                quote!(|#connector| {
                    let #returned = Self::#ident(#connector);
                    #server
                }),
            )
        }
        HookKind::McpEnv | HookKind::McpHeaders => {
            let returned = returned(&hook.function);
            let pairs = quote_spanned!(returned.span()=> _omni::pairs(#returned));
            (
                quote!(_omni::Prepare<Self>),
                quote!(|#connector, #call| {
                    let #returned = Self::#ident(#connector, #call);
                    #pairs
                }),
            )
        }
    };
    quote! {
        #(#conditions)*
        const #constant: _omni::Option<#ty> = _omni::Some(#value);
    }
}
