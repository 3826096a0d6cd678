//! Generates the constants that hold hooks, such as `#[validate]`, and methods with `#[replaces]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Converter, Thunk, awaited, connector_argument, return_span, supplied};
use crate::valid::{Hook, Supplied};

pub(super) fn hook(hook: &Hook) -> TokenStream {
    let conditions = hook.function.conditions();
    let constant = format_ident!("{}", hook.kind.constant());
    let ty = format_ident!("{}Hook", pascal(hook.kind.name));
    let value = match hook.kind.takes {
        None => by_type(hook),
        Some(takes) => in_order(hook, takes),
    };
    quote! {
        #(#conditions)*
        const #constant: _omni::#ty<Self> = _omni::Some(#value);
    }
}

/// Calls `generate` with the function of the runtime that converts what the hook returned.
fn with_converter<T>(hook: &Hook, generate: impl FnOnce(Converter<'_>) -> T) -> T {
    let answer = format!("{}Answer", pascal(hook.kind.name));
    let function = hook.kind.converter();
    generate(Converter {
        function,
        answer: (function != "pairs_answer").then_some(&answer),
    })
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
    with_converter(hook, |converter| {
        let thunk = Thunk {
            function: &hook.function,
            uses: [true, !hook.parameters.is_empty()],
            open: quote!(),
            call: quote!(#connector.#ident(#(#values),*)),
            converter,
        };
        quote!(#thunk)
    })
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
fn in_order(hook: &Hook, takes: &[&str]) -> TokenStream {
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
        let argument = quote_spanned!(ty.span()=> _omni::hook_argument::<#ty, #offered>(#name));
        quote!(#(#conditions)* #argument)
    });
    let call = quote!(#connector.#ident(#(#values),*));
    let body = with_converter(hook, |converter| {
        if hook.kind.is_async {
            return awaited(&hook.function, converter, &call);
        }
        let span = return_span(&hook.function);
        let (returned, converter) = (Ident::new("returned", span), converter.at(span));
        let answer = quote_spanned!(span=> _omni::#converter(#returned));
        quote! {
            let #returned = #call;
            #answer
        }
    });
    quote!(|#connector: &Self, #(#parameters),*| { #body })
}
