//! Generates the table entry of an action, and the hidden type under which a list finds it.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Path, ReturnType, Type, parse_quote, spanned::Spanned};

use super::{
    Converter, Thunk, call, connector_argument, hidden, is_one_of, otherwise, supplied, variants,
};
use crate::{
    parse::{Function, has_word},
    valid::{Action, Arg, Default, Limit, Mode, Parameter, Place, Supplied},
};

/// Generates the entry of an action.
pub(super) fn action(action: &Action) -> TokenStream {
    let (name, description) = (&action.name.text, &action.description);
    let mode = match action.mode {
        Mode::Read => quote!(read),
        Mode::Write => quote!(write),
    };
    let call = thunk(action);
    let args: Vec<_> = args(action).map(arg).collect();
    let args = (!args.is_empty()).then(|| quote!(.args(&[#(#args),*])));
    let inputs = inputs(action);
    let output = named(&action.function.signature.output)
        .map(|ty| quote!(.output(_omni::result_schema!(#ty))));
    let scopes = action
        .scopes
        .as_ref()
        .map(|scopes| quote!(.scopes(&[#(#scopes),*])));
    let source_types = (!action.source_types.is_empty()).then(|| {
        let source_types = variants("SourceType", &action.source_types);
        quote!(.source_types(#source_types))
    });
    let admin_only = action.admin_only.then(|| quote!(.admin_only()));
    let hidden = action.hidden.then(|| quote!(.hidden()));
    let timeout = action
        .timeout
        .as_ref()
        .map(|seconds| quote!(.timeout(#seconds)));
    quote! {
        _omni::ActionHead::#mode(#name, #description)
            .call(#call)
            #args #(#inputs)* #output #scopes #source_types #admin_only #hidden #timeout
    }
}

/// The types of arguments that never read the caller's input.
const WITHOUT_INPUT: [&str; 8] = [
    "Actor",
    "Config",
    "CredentialSettings",
    "Credentials",
    "ManagerClient",
    "ServiceCredential",
    "Source",
    "SourceType",
];

/// Generates `.input_of::<Type>()` for each supplied argument that may read the caller's whole input: `Args`, an alias of it,
/// or a type of the author.
fn inputs(action: &Action) -> impl Iterator<Item = TokenStream> {
    let supplied = action.supplied().enumerate();
    let readers = supplied.filter(|(_, argument)| !is_one_of(&WITHOUT_INPUT, &argument.ty));
    readers.map(move |(index, argument)| {
        let ty = taken(action, index, argument);
        quote_spanned!(argument.ty.span()=> .input_of::<#ty>())
    })
}

/// Returns the type of an argument for places that allow no `#[cfg]`: the author's type, or the alias of a conditional
/// one.
fn taken(action: &Action, index: usize, argument: &Supplied) -> TokenStream {
    let ty = &argument.ty;
    if argument.conditions.is_empty() {
        quote!(#ty)
    } else {
        let alias = alias(action, index, ty.span());
        quote!(#alias)
    }
}

fn alias(action: &Action, index: usize, span: Span) -> Ident {
    format_ident!("{}_{index}", action.function.signature.ident, span = span)
}

/// Generates the aliases of conditional arguments. If the condition is false, the alias is a type that every connector
/// has.
pub(super) fn aliases(action: &Action) -> TokenStream {
    let aliases = action.supplied().enumerate().map(|(index, argument)| {
        let Supplied { ty, conditions } = argument;
        let (alias, otherwise) = (alias(action, index, ty.span()), otherwise(conditions));
        (!conditions.is_empty()).then(|| {
            quote! {
                #(#conditions)*
                #[allow(dead_code, non_camel_case_types)]
                type #alias = #ty;
                #otherwise
                #[allow(dead_code, non_camel_case_types)]
                type #alias = _omni::ManagerClient;
            }
        })
    });
    quote!(#(#aliases)*)
}

/// Returns the return type, unless it is an `impl Trait`.
fn named(returned: &ReturnType) -> Option<&Type> {
    let ReturnType::Type(_, ty) = returned else {
        return None;
    };
    let is_named = !has_word(ty.to_token_stream(), "impl");
    is_named.then_some(&**ty)
}

fn args(action: &Action) -> impl Iterator<Item = &Arg> {
    action
        .parameters
        .iter()
        .filter_map(|parameter| match parameter {
            Parameter::Arg(arg) => Some(&**arg),
            _ => None,
        })
}

fn arg(arg: &Arg) -> TokenStream {
    let (ty, name, description) = (&arg.ty, &arg.name.text, &arg.description);
    let conditions = &arg.conditions;
    let of = quote_spanned!(ty.span()=> _omni::Arg::of::<#ty>);
    let default = arg.default.as_ref().map(|default| match default {
        Default::OfType => quote!(.optional()),
        Default::Json(json) => quote!(.default(#json)),
    });
    let example = arg.example.as_ref().map(|json| quote!(.example(#json)));
    let limits = arg.limits.iter().map(|(name, limit)| {
        let value = match limit {
            Limit::Int(number) => {
                let number = Literal::i128_unsuffixed(*number);
                quote!(_omni::Bound::Int(#number))
            }
            Limit::Float(number) => quote!(_omni::Bound::Float(#number)),
            Limit::Size(size) => quote!(#size),
            Limit::Text(text) => quote!(#text),
        };
        let name = format_ident!("{name}");
        quote!(.#name(#value))
    });
    quote!(#(#conditions)* #of(#name, #description) #default #example #(#limits)*)
}

/// Generates the code that reads the arguments and calls the function.
fn thunk(action: &Action) -> TokenStream {
    let (connector, call) = (connector_argument(), call());
    let input = Ident::new("input", Span::mixed_site());
    let mut values = Vec::new();
    for parameter in &action.parameters {
        values.push(match parameter {
            Parameter::Connector(_) => quote!(#connector),
            Parameter::Supplied(parameter) => supplied(parameter),
            Parameter::Arg(arg) => {
                let Arg { ty, conditions, .. } = &**arg;
                let take = if matches!(arg.default, Some(Default::OfType)) {
                    quote!(take_or_default)
                } else {
                    quote!(take)
                };
                let take = quote_spanned!(ty.span()=> #input.#take::<#ty>());
                quote!(#(#conditions)* #take?)
            }
        });
    }
    let has_args = args(action).next().is_some();
    let open = has_args.then(|| quote!(let mut #input = #call.input()?;));
    let ident = &action.function.signature.ident;
    let function = match action.place {
        Place::Method => quote!(#connector.#ident),
        Place::Free => quote!(#ident),
    };
    let thunk = Thunk {
        function: &action.function,
        uses: [
            action.place == Place::Method || action.connector().is_some(),
            has_args || action.supplied().next().is_some(),
        ],
        open: quote!(#open),
        call: quote!(#function(#(#values),*)),
        converter: Converter::named("action_answer"),
    };
    quote!(#thunk)
}

/// Generates the type for a function outside an `impl` block. It has the same name, so `actions = […]` can list it.
pub(crate) fn listed_action(valid: &Action, runtime: &Path) -> TokenStream {
    let ident = &valid.function.signature.ident;
    let conditions = valid.function.conditions();
    let (generics, connector) = match valid.connector() {
        Some(connector) => (quote!(), connector.clone()),
        // The action serves every connector that can supply its arguments.
        None => (
            quote!(<AnyConnector: _omni::Connector>),
            parse_quote!(AnyConnector),
        ),
    };
    let bounds = match valid.connector() {
        Some(_) => quote!(),
        None => bounds(valid),
    };
    let (aliases, entry) = (aliases(valid), action(valid));
    let implementation = quote! {
        #aliases

        impl #generics _omni::ActionFn<#connector> for #ident #bounds {
            const ACTION: _omni::Action<#connector> = #entry;
        }
    };
    hidden(&valid.function, &conditions, &implementation, runtime)
}

/// Generates the bounds on a connector that the arguments of an action need.
fn bounds(valid: &Action) -> TokenStream {
    let supplied = valid.supplied().enumerate();
    let types = supplied.map(|(index, argument)| taken(valid, index, argument));
    quote!(where #(#types: _omni::FromCall<_omni::CallOf<AnyConnector, _omni::OfAction>>,)*)
}

/// Replaces [`listed_action`] after an error, so that rustc reports nothing about the lists that name it.
pub(crate) fn unfinished_action(function: &Function, runtime: &Path) -> TokenStream {
    let ident = &function.signature.ident;
    let name = ident.to_string();
    let stub = quote! {
        impl<AnyConnector> _omni::ActionFn<AnyConnector> for #ident {
            const ACTION: _omni::Action<AnyConnector> =
                _omni::ActionHead::read(#name, #name).call(|_, _| ::core::unreachable!());
        }
    };
    hidden(function, &[], &stub, runtime)
}
