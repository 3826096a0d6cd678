//! Generates implementations of the runtime's traits from validated data. It must never report an error.
//!
//! Spans are chosen for rustc's own errors. An argument that the framework does not supply is reported at its type. A
//! future that is not `Send` is reported at the function's name.

mod action;
mod client;
mod connector;
mod credential_set;
mod hook;
mod operator;
mod sync;
mod webhook;

pub(crate) use action::{listed_action, unfinished_action};
pub(crate) use client::client;
pub(crate) use connector::{connector, unfinished_connector};
pub(crate) use credential_set::{credential_set, unfinished_credential_set};
pub(crate) use operator::{listed_operator, unfinished_operator};

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, GenericParam, Generics, Ident, Path, ReturnType, Type, WherePredicate, parse_quote,
    spanned::Spanned,
};

use crate::parse::{Function, marker_keys};
use crate::valid::{Action, Hook, Operator, Supplied, Sync, Webhook, name_and_argument};

/// Puts all generated code into its own scope, in which `_omni` is the runtime.
///
/// Disables lints about code that the author cannot edit. Generated code uses deprecated items, has paths with the
/// author's spans, and keeps a variable whose one use may be conditional.
fn scope(runtime: &Path, generated: &TokenStream) -> TokenStream {
    quote! {
        #[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
        const _: () = {
            use #runtime::generated as _omni;

            #generated
        };
    }
}

/// The annotated functions of one `impl` block.
pub(crate) struct Methods {
    pub(crate) syncs: Vec<Sync>,
    pub(crate) actions: Vec<Action>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) webhooks: Vec<Webhook>,
    pub(crate) hooks: Vec<Hook>,
    /// Whether there was an error. The tables are then written so that rustc reports nothing more.
    pub(crate) is_unfinished: bool,
}

/// Generates `impl Methods`, with the tables that the runtime reads. `Block` is a type of its own for each block.
pub(crate) fn methods(
    methods: &Methods,
    connector: &Type,
    generics: &Generics,
    runtime: &Path,
) -> TokenStream {
    let generics = bound_for_ever(generics);
    let (generics, _, condition) = generics.split_for_impl();
    if methods.is_unfinished {
        let sync = sync::unfinished();
        let stub = quote! {
            pub struct Block;
            impl #generics _omni::Methods<Block> for #connector #condition {
                const SYNC_METHODS: &'static [_omni::Sync<Self>] = &[#sync];
            }
        };
        return scope(runtime, &stub);
    }
    let tables = [
        table(
            quote!(SYNC_METHODS: &'static [_omni::Sync<Self>]),
            &methods.syncs,
            |sync| (&sync.function, sync::sync(sync)),
        ),
        table(
            quote!(ACTION_METHODS: &'static [_omni::Action<Self>]),
            &methods.actions,
            |action| (&action.function, action::action(action)),
        ),
        table(
            quote!(OPERATOR_METHODS: &'static [_omni::Operator]),
            &methods.operators,
            |operator| (&operator.function, operator::operator(operator, true)),
        ),
        table(
            quote!(WEBHOOK_METHODS: &'static [_omni::WebhookFn<Self>]),
            &methods.webhooks,
            |webhook| (&webhook.function, webhook::webhook(webhook)),
        ),
    ];
    let aliases = methods.actions.iter().map(action::aliases);
    let hooks = methods.hooks.iter().map(hook::hook);
    let checks = methods
        .syncs
        .iter()
        .map(|sync| sync::checks(sync, connector));
    let implementation = quote! {
        #(#aliases)*

        pub struct Block;
        impl #generics _omni::Methods<Block> for #connector #condition {
            #(#tables)*
            #(#hooks)*
        }

        #(#checks)*
    };
    scope(runtime, &implementation)
}

/// Generates the constant of a table, unless the table is empty. An entry has the `#[cfg]` of its function.
fn table<'a, T>(
    constant: TokenStream,
    rows: &'a [T],
    entry: impl Fn(&'a T) -> (&'a Function, TokenStream),
) -> Option<TokenStream> {
    let entries = rows.iter().map(entry).map(|(function, entry)| {
        let conditions = function.conditions();
        quote!(#(#conditions)* #entry)
    });
    (!rows.is_empty()).then(|| quote!(const #constant = &[#(#entries),*];))
}

/// Adds a check to a method with a marker whose block has no `#[connector]`. It is an error if another block has it.
pub(crate) fn uncollected(mut function: Function, runtime: &Path) -> Function {
    let place = Span::call_site();
    let check = quote_spanned! {place=>
        #runtime::generated::collected::<Self, _>(|| ::core::unreachable!());
    };
    function.prepend(check);
    function
}

/// Generates the hidden type of a function outside an `impl` block, and its impls. The type has the function's name.
fn hidden(
    function: &Function,
    conditions: &[Attribute],
    generated: &TokenStream,
    runtime: &Path,
) -> TokenStream {
    let visibility = &function.visibility;
    let ident = &function.signature.ident;
    let scope = scope(runtime, generated);
    quote! {
        #(#conditions)*
        #[doc(hidden)]
        // The type has the function's name, so that a list finds it under that.
        #[allow(non_camel_case_types)]
        #visibility struct #ident {}

        #(#conditions)*
        #scope
    }
}

/// Generates a list of variants of one of the runtime's enums.
fn variants(of: &str, variants: &[Ident]) -> TokenStream {
    let of = Ident::new(of, Span::call_site());
    let variants = variants.iter().map(|variant| {
        // The variant keeps the author's span; the rest of the path is generated.
        quote!(_omni::#of::#variant)
    });
    quote!(&[#(#variants),*])
}

fn optional(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(_omni::Some(#value)),
        None => quote!(_omni::None),
    }
}

/// Generates `call.supply::<Type>()?`, so that an unsupported type is reported at the author's type.
fn supplied(parameter: &Supplied) -> TokenStream {
    let Supplied { ty, conditions } = parameter;
    let call = call();
    let supply = quote_spanned!(ty.span()=> #call.supply::<#ty>());
    quote!(#(#conditions)* #supply?)
}

/// Returns whether a type, or the type in an `Option`, has one of these names.
fn is_one_of(names: &[&str], ty: &Type) -> bool {
    match name_and_argument(ty) {
        Some((name, Some(inner))) if name == "Option" => is_one_of(names, inner),
        Some((name, _)) => names.iter().any(|known| name == known),
        None => false,
    }
}

/// Generates `there` where the conditions hold, and `instead` where they do not.
fn conditional(
    conditions: &[Attribute],
    there: &TokenStream,
    instead: &TokenStream,
) -> TokenStream {
    if conditions.is_empty() {
        return there.clone();
    }
    let otherwise = otherwise(conditions);
    quote!({
        #(#conditions)* { #there }
        #otherwise { #instead }
    })
}

/// Generates the condition that at least one of these does not hold.
fn otherwise(conditions: &[Attribute]) -> TokenStream {
    let holds = conditions.iter().map(marker_keys);
    quote!(#[cfg(not(all(#(#holds),*)))])
}

/// Generates the call of an `async` function, and the future of its answer. A value that cannot be returned is reported at
/// the return type. A future that is not `Send` is reported at the function's name.
fn awaited(function: &Function, converter: Converter<'_>, call: &TokenStream) -> TokenStream {
    let (name, returned) = (function.signature.ident.span(), return_span(function));
    let converter = converter.at(returned);
    let converter = quote_spanned!(returned=> _omni::#converter);
    // One variable in two places. Both have the same context, so that rustc takes them for the same.
    let [declared, used] =
        [returned.resolved_at(name), name].map(|span| Ident::new("future", span));
    let pending = quote_spanned!(name=> _omni::pending(#used, #converter));
    quote! {
        let #declared = #call;
        #pending
    }
}

fn return_span(function: &Function) -> Span {
    match &function.signature.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => function.signature.ident.span(),
    }
}

/// Returns a name inside a generated closure that cannot clash with an argument of the author.
fn call() -> Ident {
    Ident::new("call", Span::mixed_site())
}

fn connector_argument() -> Ident {
    Ident::new("connector", Span::mixed_site())
}

/// A closure that reads the arguments and calls the function. It is not `async`: rustc compiles such code more slowly.
struct Thunk<'a> {
    function: &'a Function,
    /// Whether the closure's two parameters are used.
    uses: [bool; 2],
    /// Code before the call.
    open: TokenStream,
    call: TokenStream,
    converter: Converter<'a>,
}

/// The function of the runtime that converts what the author's function returned to an answer.
#[derive(Clone, Copy)]
struct Converter<'a> {
    function: &'a str,
    /// The type of the answer, if the function does not determine it.
    answer: Option<&'a str>,
}

impl<'a> Converter<'a> {
    const fn named(function: &'a str) -> Self {
        let answer = None;
        Self { function, answer }
    }

    fn at(self, place: Span) -> TokenStream {
        let function = Ident::new(self.function, place);
        match self.answer.map(|answer| Ident::new(answer, place)) {
            Some(answer) => quote_spanned!(place=> #function::<_omni::#answer>),
            None => function.into_token_stream(),
        }
    }
}

impl ToTokens for Thunk<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let [connector, call] = [connector_argument(), call()];
        let connector = match (self.uses[0], self.function.signature.receiver()) {
            // A method can only be called on a type that is known.
            (true, Some(_)) => quote!(#connector: &Self),
            (true, None) => quote!(#connector),
            (false, _) => quote!(_),
        };
        let call = if self.uses[1] {
            quote!(mut #call)
        } else {
            quote!(_)
        };
        let open = &self.open;
        let awaited = awaited(self.function, self.converter, &self.call);
        tokens.extend(quote! {
            |#connector, #call| {
                #open
                #awaited
            }
        });
    }
}

/// Bounds the parameters of a generic connector, which is an error. Its impl still compiles, so only that error is
/// reported.
fn bound_for_ever(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let bounds: Vec<WherePredicate> = generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => {
                let ident = &parameter.ident;
                Some(parse_quote!(#ident: ::core::marker::Send + ::core::marker::Sync + 'static))
            }
            GenericParam::Lifetime(parameter) => {
                let lifetime = &parameter.lifetime;
                Some(parse_quote!(#lifetime: 'static))
            }
            GenericParam::Const(_) => None,
        })
        .collect();
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    generics
}
