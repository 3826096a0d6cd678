//! From `#[validate]`, `#[oauth]`, `#[mcp]` and the like to the constants that hold them.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Path, ReturnType, spanned::Spanned};

use super::{Thunk, call, connector_argument, supply};
use crate::valid::{Hook, HookKind};

pub(super) fn hook(hook: &Hook, runtime: &Path) -> TokenStream {
    let signature = &hook.function.signature;
    let ident = &signature.ident;
    let constant = hook.kind.constant();
    let conditions = hook.function.conditions();
    let returned = match &signature.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => ident.span(),
    };
    let connector = connector_argument();
    let (ty, value) = match hook.kind {
        HookKind::Validate => {
            let thunk = awaited(hook, returned, runtime);
            (quote!(#runtime::declare::Validate<Self>), thunk)
        }
        HookKind::CredentialReady => {
            let thunk = awaited(hook, returned, runtime);
            (quote!(#runtime::declare::Ready<Self>), thunk)
        }
        HookKind::OAuth => (
            quote!(fn(&Self) -> #runtime::OAuthConfig),
            quote!(Self::#ident),
        ),
        HookKind::Skills => (
            quote!(fn(&Self) -> ::std::vec::Vec<#runtime::Skill>),
            quote!(Self::#ident),
        ),
        HookKind::Enrich => {
            let call = call();
            let boxed = quote_spanned!(ident.span()=> ::std::boxed::Box::pin);
            (
                quote!(#runtime::declare::Enrich<Self>),
                quote!(|#connector, #call| #boxed(Self::#ident(#connector, #call))),
            )
        }
        HookKind::Mcp => {
            let server = quote_spanned!(returned=> #runtime::declare::server);
            (
                quote!(fn(&Self) -> ::core::option::Option<#runtime::McpServer>),
                quote!(|#connector| #server(Self::#ident(#connector))),
            )
        }
        HookKind::McpEnv | HookKind::McpHeaders => {
            let call = call();
            let pairs = quote_spanned!(returned=> #runtime::declare::pairs);
            (
                quote!(#runtime::declare::Prepare<Self>),
                quote!(|#connector, #call| #pairs(Self::#ident(#connector, #call))),
            )
        }
    };
    quote! {
        #(#conditions)*
        const #constant: ::core::option::Option<#ty> = ::core::option::Option::Some(#value);
    }
}

/// A closure that reads the arguments by their types and waits for the function.
fn awaited(hook: &Hook, returned: proc_macro2::Span, runtime: &Path) -> TokenStream {
    let ident = &hook.function.signature.ident;
    let connector = connector_argument();
    let values = hook.parameters.iter().map(|supplied| supply(&supplied.ty));
    let ended = quote_spanned!(returned=> #runtime::declare::ended);
    let thunk = Thunk {
        ident,
        uses: [true, !hook.parameters.is_empty()],
        body: quote!(#ended(Self::#ident(#connector, #(#values),*).await)),
    };
    quote!(#thunk)
}
