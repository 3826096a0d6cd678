//! From a search operator to its entry in the table, and to the hidden type under which a list finds it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Path, spanned::Spanned};

use crate::{parse::Function, valid::Operator};

pub(super) fn operator(operator: &Operator, is_method: bool, runtime: &Path) -> TokenStream {
    let (name, attribute) = (&operator.name.text, &operator.attribute.text);
    let (item, value) = (&operator.item, &operator.value);
    let ident = &operator.function.signature.ident;
    let function = if is_method {
        quote!(Self::#ident)
    } else {
        quote!(#ident)
    };
    let value =
        quote_spanned!(operator.value_span=> <#value as #runtime::contract::AttributeValue>);
    let of = quote_spanned!(item.span()=> ::core::any::TypeId::of::<#item>());
    let read = quote_spanned!(operator.value_span=> #runtime::declare::read);
    quote! {
        #runtime::Operator {
            name: #name,
            attribute: #attribute,
            value_type: #value::VALUE_TYPE,
            schema: #value::schema,
            item: || #of,
            read: |item| #read(item, #function),
        }
    }
}

/// A function outside an `impl` block: the type of the same name that `search_operators = […]` names.
pub(crate) fn listed_operator(valid: &Operator, runtime: &Path) -> TokenStream {
    let entry = operator(valid, false, runtime);
    let conditions = valid.function.conditions();
    hidden(&valid.function, &conditions, &entry, runtime)
}

/// In place of [`listed_operator`] where something was refused, so that the lists that name it have nothing to report.
pub(crate) fn unfinished_operator(function: &Function, runtime: &Path) -> TokenStream {
    let name = function.signature.ident.to_string();
    let entry = quote! {
        #runtime::Operator {
            name: #name,
            attribute: #name,
            value_type: #runtime::ValueType::Text,
            schema: || ::core::unreachable!(),
            item: || ::core::unreachable!(),
            read: |_| ::core::option::Option::None,
        }
    };
    hidden(function, &[], &entry, runtime)
}

fn hidden(
    function: &Function,
    conditions: &[syn::Attribute],
    entry: &TokenStream,
    runtime: &Path,
) -> TokenStream {
    let visibility = &function.visibility;
    let ident = &function.signature.ident;
    quote! {
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility struct #ident {}

        #(#conditions)*
        impl #runtime::declare::OperatorFn for #ident {
            const OPERATOR: #runtime::Operator = #entry;
        }
    }
}
