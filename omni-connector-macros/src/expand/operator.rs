//! Generates the table entry of a search operator, and the hidden type under which a list finds it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Path;

use super::hidden;
use crate::{parse::Function, valid::Operator};

pub(super) fn operator(operator: &Operator, is_method: bool) -> TokenStream {
    let (name, attribute) = (&operator.name.text, &operator.attribute.text);
    let (item, value) = (&operator.item, &operator.value);
    let ident = &operator.function.signature.ident;
    let function = if is_method {
        quote!(Self::#ident)
    } else {
        quote!(#ident)
    };
    let of = quote_spanned!(operator.value_span=> _omni::Operator::of::<#item, #value>);
    let read = quote_spanned!(operator.value_span=> _omni::read(item, #function));
    let attribute = (name != attribute).then(|| quote!(.attribute(#attribute)));
    quote!(#of(#name, |item| #read) #attribute)
}

/// Generates the type for a function outside an `impl` block. It has the same name, so `search_operators = […]` can
/// list it.
pub(crate) fn listed_operator(valid: &Operator, runtime: &Path) -> TokenStream {
    let implementation = implementation(&valid.function, &operator(valid, false));
    let conditions = valid.function.conditions();
    hidden(&valid.function, &conditions, &implementation, runtime)
}

/// Replaces [`listed_operator`] after an error, so that rustc reports nothing about the lists that name it.
pub(crate) fn unfinished_operator(function: &Function, runtime: &Path) -> TokenStream {
    let name = function.signature.ident.to_string();
    let stub = quote! {
        _omni::Operator::of::<(), &'static str>(#name, |_| _omni::None)
    };
    hidden(function, &[], &implementation(function, &stub), runtime)
}

fn implementation(function: &Function, entry: &TokenStream) -> TokenStream {
    let ident = &function.signature.ident;
    quote! {
        impl _omni::OperatorFn for #ident {
            const OPERATOR: _omni::Operator = #entry;
        }
    }
}
