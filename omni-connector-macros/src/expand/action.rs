//! From an action to its entry in the table, and to the hidden type under which a list finds it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Path, ReturnType, Type, spanned::Spanned};

use super::{Thunk, call, connector_argument, optional, supply, variants};
use crate::{
    parse::Function,
    valid::{Action, Arg, Default, Limit, Mode, Parameter, Place},
};

/// The entry of an action of `connector`.
pub(super) fn action(action: &Action, connector: &Type, runtime: &Path) -> TokenStream {
    let Action {
        name, description, ..
    } = action;
    let name = &name.text;
    let mode = match action.mode {
        Mode::Read => quote!(Read),
        Mode::Write => quote!(Write),
    };
    let args = args(action).map(|argument| arg(argument, runtime));
    let count = self::args(action).count();
    let inputs = action.supplied().map(|ty| {
        quote_spanned! {ty.span()=>
            #runtime::declare::input::<#connector, #ty>(#runtime::declare::Shape::<#ty>::IS_OBJECT)
        }
    });
    let once = quote_spanned!(second_input(action)=> #runtime::declare::input_once);
    let scopes = optional(action.scopes.as_ref().map(|scopes| quote!(&[#(#scopes),*])));
    let source_types = variants(runtime, "SourceType", &action.source_types);
    let timeout = optional(
        action
            .timeout
            .as_ref()
            .map(|seconds| quote!(::core::time::Duration::from_secs(#seconds))),
    );
    let (admin_only, hidden) = (action.admin_only, action.hidden);
    let call = thunk(action, runtime);
    quote! {
        #runtime::declare::Action {
            name: #name,
            description: #description,
            mode: #runtime::ActionMode::#mode,
            args: &[#(#args),*],
            input: #once(&[#(#inputs),*], #count),
            scopes: #scopes,
            source_types: #source_types,
            admin_only: #admin_only,
            hidden: #hidden,
            timeout: #timeout,
            call: #call,
        }
    }
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

fn arg(arg: &Arg, runtime: &Path) -> TokenStream {
    let (ty, name, description) = (&arg.ty, &arg.name.text, &arg.description);
    let of = quote_spanned!(ty.span()=> #runtime::declare::Arg::of::<#ty>);
    let default = arg.default.as_ref().map(|default| match default {
        Default::OfType => quote!(.optional()),
        Default::Json(json) => quote!(.default(#json)),
    });
    let example = arg.example.as_ref().map(|json| quote!(.example(#json)));
    let limits = arg.limits.iter().map(|(name, limit)| {
        let value = match limit {
            Limit::Number(number) => quote!(#number),
            Limit::Size(size) => quote!(#size),
            Limit::Text(text) => quote!(#text),
        };
        let name = format_ident!("{name}");
        quote!(.#name(#value))
    });
    quote!(#of(#name, #description) #default #example #(#limits)*)
}

/// Reads the arguments and calls the function.
fn thunk(action: &Action, runtime: &Path) -> TokenStream {
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
    let signature = &action.function.signature;
    let ident = &signature.ident;
    let function = match action.place {
        Place::Method => quote!(Self::#ident),
        Place::Free => quote!(#ident),
    };
    let returned = match &signature.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => ident.span(),
    };
    let answer = quote_spanned!(returned=> #runtime::actions::answer);
    let thunk = Thunk {
        ident,
        uses: [
            action.place == Place::Method || action.connector().is_some(),
            has_args || action.supplied().next().is_some(),
        ],
        body: quote! {
            #open
            #answer(#function(#(#values),*).await)
        },
    };
    quote!(#thunk)
}

/// A function outside an `impl` block: the type of the same name that `actions = […]` names.
pub(crate) fn listed_action(valid: &Action, runtime: &Path) -> TokenStream {
    let Function {
        visibility,
        signature,
        ..
    } = &valid.function;
    let ident = &signature.ident;
    let conditions = valid.function.conditions();
    let (generics, connector, bounds) = match valid.connector() {
        Some(connector) => (quote!(), connector.clone(), quote!()),
        None => {
            // It serves every connector that has what its arguments need.
            let supplied = valid.supplied();
            let bounds = quote! {
                where #(#supplied: #runtime::declare::FromCall<
                    #runtime::declare::CallOf<AnyConnector, #runtime::declare::OfAction>,
                >,)*
            };
            let generics = quote!(<AnyConnector: #runtime::Connector>);
            (generics, syn::parse_quote!(AnyConnector), bounds)
        }
    };
    let entry = action(valid, &connector, runtime);
    quote! {
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility struct #ident {}

        #(#conditions)*
        impl #generics #runtime::declare::ActionFn<#connector> for #ident #bounds {
            const ACTION: #runtime::declare::Action<#connector> = {
                use #runtime::declare::AnyShape as _;
                #entry
            };
        }
    }
}

/// In place of [`listed_action`] where something was refused, so that the lists that name it have nothing to report.
pub(crate) fn unfinished_action(function: &Function, runtime: &Path) -> TokenStream {
    let visibility = &function.visibility;
    let ident = &function.signature.ident;
    let name = ident.to_string();
    quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility struct #ident {}

        impl<AnyConnector> #runtime::declare::ActionFn<AnyConnector> for #ident {
            const ACTION: #runtime::declare::Action<AnyConnector> = #runtime::declare::Action {
                name: #name,
                description: #name,
                mode: #runtime::ActionMode::Read,
                args: &[],
                input: ::core::option::Option::None,
                scopes: ::core::option::Option::None,
                source_types: &[],
                admin_only: false,
                hidden: false,
                timeout: ::core::option::Option::None,
                call: |_, _| ::core::unreachable!(),
            };
        }
    }
}
