//! From an action to its entry in the table, and to the hidden type under which a list finds it.

use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Path, ReturnType, Type, parse_quote, spanned::Spanned};

use super::{Thunk, call, connector_argument, hidden, optional, supply, variants};
use crate::{
    parse::Function,
    valid::{Action, Arg, Default, Limit, Mode, Parameter, Place},
};

/// The entry of an action of `connector`.
pub(super) fn action(action: &Action, connector: &Type) -> TokenStream {
    let Action {
        name, description, ..
    } = action;
    let name = &name.text;
    let mode = match action.mode {
        Mode::Read => quote!(Read),
        Mode::Write => quote!(Write),
    };
    let args = args(action).map(arg);
    let count = Literal::usize_unsuffixed(self::args(action).count());
    let inputs = action.supplied().map(|ty| {
        quote_spanned! {ty.span()=>
            _omni::input::<#connector, #ty>(_omni::Shape::<#ty>::IS_OBJECT)
        }
    });
    let input = if action.supplied().next().is_some() {
        let second = second_input(action);
        quote_spanned!(second=> _omni::input_once(&[#(#inputs),*], #count))
    } else {
        quote!(_omni::None)
    };
    let output = output(&action.function.signature.output);
    let scopes = optional(action.scopes.as_ref().map(|scopes| quote!(&[#(#scopes),*])));
    let source_types = variants("SourceType", &action.source_types);
    let timeout = optional(
        action
            .timeout
            .as_ref()
            .map(|seconds| quote!(_omni::Duration::from_secs(#seconds))),
    );
    let (admin_only, hidden) = (action.admin_only, action.hidden);
    let call = thunk(action);
    quote! {
        _omni::Action {
            name: #name,
            description: #description,
            mode: _omni::ActionMode::#mode,
            args: &[#(#args),*],
            input: #input,
            output: #output,
            scopes: #scopes,
            source_types: #source_types,
            admin_only: #admin_only,
            hidden: #hidden,
            timeout: #timeout,
            call: #call,
        }
    }
}

/// The schema of the result. A type that has no name cannot be asked.
fn output(returned: &ReturnType) -> TokenStream {
    match named(returned) {
        Some(ty) => quote!(_omni::Output::<#ty>::SCHEMA),
        None => quote!(_omni::None),
    }
}

/// What a function returns, unless it is known only by what it implements.
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

/// Where it is reported that the input is read twice. Only a type's name can tell before rustc knows the type; if it
/// misleads, the report stands at the function's name and is as true.
fn second_input(action: &Action) -> proc_macro2::Span {
    let named = |ty: &Type| match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "Args"),
        _ => false,
    };
    action
        .supplied()
        .filter(|ty| named(ty))
        .last()
        .map_or(action.function.signature.ident.span(), Spanned::span)
}

fn arg(arg: &Arg) -> TokenStream {
    let (ty, name, description) = (&arg.ty, &arg.name.text, &arg.description);
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
    quote!(#of(#name, #description) #default #example #(#limits)*)
}

/// Reads the arguments and calls the function.
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
            Parameter::Supplied(supplied) => supply(&supplied.ty),
            Parameter::Arg(arg) => {
                let ty = &arg.ty;
                let take = if matches!(arg.default, Some(Default::OfType)) {
                    quote!(take_or_default)
                } else {
                    quote!(take)
                };
                let take = quote_spanned!(ty.span()=> #input.#take::<#ty>());
                quote!(#take?)
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
        reader: "answer",
    };
    quote!(#thunk)
}

/// What the entries of actions need in their scope: the fallbacks of `Shape` and `Output`, which are traits.
pub(super) fn fallbacks(actions: &[Action]) -> TokenStream {
    let shape = actions
        .iter()
        .any(|action| action.supplied().next().is_some());
    let shape = shape.then(|| {
        quote!(
            use _omni::AnyShape as _;
        )
    });
    let output = actions
        .iter()
        .any(|action| named(&action.function.signature.output).is_some());
    let output = output.then(|| {
        quote!(
            use _omni::AnyOutput as _;
        )
    });
    quote!(#shape #output)
}

/// A function outside an `impl` block: the type of the same name that `actions = […]` names.
pub(crate) fn listed_action(valid: &Action, runtime: &Path) -> TokenStream {
    let ident = &valid.function.signature.ident;
    let conditions = valid.function.conditions();
    let (generics, connector, bounds) = match valid.connector() {
        Some(connector) => (quote!(), connector.clone(), quote!()),
        None => {
            // It serves every connector that has what its arguments need.
            let supplied = valid.supplied();
            let bounds = quote! {
                where #(#supplied: _omni::FromCall<_omni::CallOf<AnyConnector, _omni::OfAction>>,)*
            };
            let generics = quote!(<AnyConnector: _omni::Connector>);
            (generics, parse_quote!(AnyConnector), bounds)
        }
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

/// In place of [`listed_action`] where something was refused, so that the lists that name it have nothing to report.
pub(crate) fn unfinished_action(function: &Function, runtime: &Path) -> TokenStream {
    let ident = &function.signature.ident;
    let name = ident.to_string();
    let stub = quote! {
        impl<AnyConnector> _omni::ActionFn<AnyConnector> for #ident {
            const ACTION: _omni::Action<AnyConnector> = _omni::Action {
                name: #name,
                description: #name,
                mode: _omni::ActionMode::Read,
                args: &[],
                input: _omni::None,
                output: _omni::None,
                scopes: _omni::None,
                source_types: &[],
                admin_only: false,
                hidden: false,
                timeout: _omni::None,
                call: |_, _| ::core::unreachable!(),
            };
        }
    };
    hidden(function, &[], &stub, runtime)
}
