//! Generates the table entry of an action, and the hidden type under which a list finds it.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Path, ReturnType, Type, parse_quote, spanned::Spanned};

use super::{Reader, Thunk, call, connector_argument, hidden, otherwise, supplied, variants};
use crate::{
    parse::Function,
    valid::{Action, Arg, Default, Limit, Mode, Parameter, Place, Supplied},
};

/// Generates the entry of an action of `connector`.
pub(super) fn action(action: &Action, connector: &Type) -> TokenStream {
    let (name, description) = (&action.name.text, &action.description);
    let mode = match action.mode {
        Mode::Read => quote!(read),
        Mode::Write => quote!(write),
    };
    let call = thunk(action);
    let args: Vec<_> = args(action).map(arg).collect();
    let args = (!args.is_empty()).then(|| quote!(.args(&[#(#args),*])));
    let inputs = inputs(action, connector);
    let output = named(&action.function.signature.output)
        .map(|ty| quote!(.output(_omni::Output::<#ty>::SCHEMA)));
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
        _omni::Described::#mode(#name, #description)
            .call(#call)
            #args #(#inputs)* #output #scopes #source_types #admin_only #hidden #timeout
    }
}

/// Generates the arguments that the framework supplies. One of them may read the whole input of the caller.
///
/// An argument named `Args` is checked at its type. If the name is misleading, the table finds the same mistakes.
fn inputs(action: &Action, connector: &Type) -> impl Iterator<Item = TokenStream> {
    let mut is_alone = args(action).next().is_none();
    action.supplied().enumerate().map(move |(index, argument)| {
        let span = argument.ty.span();
        let ty = taken(action, index, argument);
        let mut is_object = quote_spanned!(span=> _omni::Is::<#ty>::OBJECT);
        if is_named_args(&argument.ty) {
            is_object = quote_spanned! {span=>
                _omni::whole_input::<#connector, #ty>(#is_object, #is_alone)
            };
            is_alone = false;
        }
        quote_spanned!(span=> .input::<#ty>(#is_object))
    })
}

fn is_named_args(ty: &Type) -> bool {
    let Type::Path(path) = ty else {
        return false;
    };
    let last = path.path.segments.last();
    last.is_some_and(|segment| segment.ident == "Args")
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
fn aliases(action: &Action) -> TokenStream {
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

fn has_word(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => has_word(group.stream(), word),
        _ => false,
    })
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
    let input = proc_macro2::Ident::new("input", proc_macro2::Span::mixed_site());
    let mut values = Vec::new();
    if action.place == Place::Method {
        values.push(quote!(#connector));
    }
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
        Place::Method => quote!(Self::#ident),
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
        reader: Reader::Named("answer"),
    };
    quote!(#thunk)
}

/// Generates the imports and aliases for the entries of actions: the fallback traits of `Is` and `Output`, and the
/// aliases of conditional arguments.
pub(super) fn fallbacks(actions: &[Action]) -> TokenStream {
    let mut fallbacks = Vec::new();
    if actions
        .iter()
        .any(|action| action.supplied().next().is_some())
    {
        fallbacks.push(quote!(AnyShape as _));
    }
    let has_output = |action: &Action| named(&action.function.signature.output).is_some();
    if actions.iter().any(has_output) {
        fallbacks.push(quote!(AnyOutput as _));
    }
    let fallbacks = (!fallbacks.is_empty()).then(|| quote!(use _omni::{#(#fallbacks),*};));
    let aliases = actions.iter().map(aliases);
    quote!(#fallbacks #(#aliases)*)
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
    let fallbacks = fallbacks(std::slice::from_ref(valid));
    let entry = action(valid, &connector);
    let implementation = quote! {
        #fallbacks

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
                _omni::Described::read(#name, #name).call(|_, _| ::core::unreachable!());
        }
    };
    hidden(function, &[], &stub, runtime)
}
