//! From `#[validate]`, `#[oauth]`, `#[mcp]` and the like, and from methods that replace one of the trait, to the constants
//! that hold them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Reader, Thunk, connector_argument, outcome, returned, supplied};
use crate::valid::{Hook, Supplied};

pub(super) fn hook(hook: &Hook) -> TokenStream {
    let conditions = hook.function.conditions();
    let marker = hook.kind.name;
    let constant = format_ident!("{}", marker.to_uppercase());
    let ty = format_ident!("{}Hook", pascal(marker));
    let value = match hook.kind.takes {
        None => by_type(hook),
        Some(takes) => asked(hook, takes),
    };
    quote! {
        #(#conditions)*
        const #constant: _omni::#ty<Self> = _omni::Some(#value);
    }
}

/// Returns the type of the runtime that decodes the hook's return value.
fn answer(hook: &Hook) -> String {
    format!("{}Answer", pascal(hook.kind.name))
}

/// Converts `credential_ready` to `CredentialReady`.
fn pascal(marker: &str) -> String {
    marker
        .split('_')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect()
}

/// Generates a closure that supplies all parameters of the method by type.
fn by_type(hook: &Hook) -> TokenStream {
    let (ident, connector) = (&hook.function.signature.ident, connector_argument());
    let values = hook.parameters.iter().map(supplied);
    let thunk = Thunk {
        function: &hook.function,
        uses: [true, !hook.parameters.is_empty()],
        open: quote!(),
        call: quote!(Self::#ident(#connector, #(#values),*)),
        reader: Reader::Hook(&answer(hook)),
    };
    quote!(#thunk)
}

/// Splits `ready: CredentialReady` into the name and the type for generated code.
fn offered(taken: &str) -> (Ident, TokenStream) {
    let (name, ty) = taken.split_once(": ").unwrap_or((taken, "()"));
    let name = Ident::new(name, Span::mixed_site());
    let ident = format_ident!("{}", ty.trim_start_matches('&'));
    let reference = ty.starts_with('&').then(|| quote!(&));
    (name, quote!(#reference _omni::#ident))
}

/// Generates a closure that passes the runtime's arguments to the method.
fn asked(hook: &Hook, takes: &[&str]) -> TokenStream {
    let (ident, connector) = (&hook.function.signature.ident, connector_argument());
    let offered: Vec<_> = takes.iter().map(|taken| offered(taken)).collect();
    let parameters = offered.iter().enumerate().map(|(index, (name, _))| {
        let is_taken = index < hook.parameters.len();
        if is_taken { quote!(#name) } else { quote!(_) }
    });
    let values = hook.parameters.iter().zip(&offered);
    let values = values.map(|(taken, (name, offered))| {
        let Supplied { ty, conditions } = taken;
        // A wrong type is reported at the author's type. rustc must not infer the offered type from it: it would report
        // its own mismatch before our message.
        let asked = quote_spanned!(ty.span()=> _omni::asked::<#ty, #offered>(#name));
        quote!(#(#conditions)* #asked)
    });
    let call = quote!(Self::#ident(#connector, #(#values),*));
    let answer = answer(hook);
    let reader = Reader::Hook(&answer);
    let body = if hook.kind.is_async {
        let [called, future] = outcome(&hook.function, reader, &call);
        quote!(#called #future)
    } else {
        let returned = returned(&hook.function);
        let reader = reader.at(returned.span());
        let read = quote_spanned!(returned.span()=> _omni::#reader(#returned));
        quote! {
            let #returned = #call;
            #read
        }
    };
    quote!(|#connector, #(#parameters),*| { #body })
}
