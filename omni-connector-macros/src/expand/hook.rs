//! From `#[validate]`, `#[oauth]`, `#[mcp]` and the like to the constants that hold them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Type, spanned::Spanned};

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
            let mut types = hook.function.parameters().map(|parameter| &*parameter.ty);
            let ready = quote!(_omni::CredentialReady);
            let ready = types.next().map(|ty| asked(&call, ty, &ready));
            let wanted = quote!(_omni::ManagerClient);
            let wanted = types.next().map(|ty| asked(&manager, ty, &wanted));
            let called = quote!(Self::#ident(#connector, #ready, #wanted));
            let [called, future] = outcome(&hook.function, "ended", &called);
            let manager = match wanted {
                Some(_) => quote!(#manager),
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
            quote!(fn(&Self) -> _omni::Option<_omni::OAuthConfig>),
            asks(hook, "oauth"),
        ),
        HookKind::Skills => (
            quote!(fn(&Self) -> _omni::Vec<_omni::Skill>),
            asks(hook, "skill_list"),
        ),
        HookKind::Enrich => {
            let tokens = quote!(_omni::OAuthTokens);
            let taken = hook.function.parameters().next();
            let tokens = taken.map(|parameter| asked(&call, &parameter.ty, &tokens));
            let called = quote!(Self::#ident(#connector, #tokens));
            let [called, future] = outcome(&hook.function, "enriched", &called);
            (
                quote!(_omni::Enrich<Self>),
                quote!(|#connector, #call| {
                    #called
                    #future
                }),
            )
        }
        HookKind::Mcp => (
            quote!(fn(&Self) -> _omni::Option<_omni::McpServer>),
            asks(hook, "server"),
        ),
        HookKind::McpEnv | HookKind::McpHeaders => {
            let credentials = quote!(&_omni::McpCredentials);
            let taken = hook.function.parameters().next();
            let credentials = taken.map(|parameter| asked(&call, &parameter.ty, &credentials));
            let returned = returned(&hook.function);
            let pairs = quote_spanned!(returned.span()=> _omni::pairs(#returned));
            (
                quote!(_omni::Prepare<Self>),
                quote!(|#connector, #call| {
                    let #returned = Self::#ident(#connector, #credentials);
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

/// A closure that asks a method without arguments, and has `reader` read what it returns.
fn asks(hook: &Hook, reader: &str) -> TokenStream {
    let (ident, connector) = (&hook.function.signature.ident, connector_argument());
    let returned = returned(&hook.function);
    let reader = Ident::new(reader, returned.span());
    let read = quote_spanned!(returned.span()=> _omni::#reader(#returned));
    quote!(|#connector| {
        let #returned = Self::#ident(#connector);
        #read
    })
}

/// What a function is asked with, as the type that it takes: another one is reported where it stands.
fn asked(with: &Ident, taken: &Type, given: &TokenStream) -> TokenStream {
    quote_spanned!(taken.span()=> _omni::asked::<#taken, #given>(#with))
}
