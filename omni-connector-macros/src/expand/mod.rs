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
use crate::valid::{Action, Hook, Operator, Supplied, Sync, Webhook};

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

/// `impl Methods`: the tables that the runtime reads, and `Block`, by which the runtime tells two blocks from one.
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
                const SYNC: &'static [_omni::Sync<Self>] = &[#sync];
            }
        };
        return scope(runtime, &stub);
    }
    let this: Type = parse_quote!(Self);
    let tables = [
        table(
            quote!(SYNC: &'static [_omni::Sync<Self>]),
            &methods.syncs,
            |sync| (&sync.function, sync::sync(sync)),
        ),
        table(
            quote!(ACTION: &'static [_omni::Action<Self>]),
            &methods.actions,
            |action| (&action.function, action::action(action, &this)),
        ),
        table(
            quote!(SEARCH_OPERATOR: &'static [_omni::Operator]),
            &methods.operators,
            |operator| (&operator.function, operator::operator(operator, true)),
        ),
        table(
            quote!(WEBHOOK: &'static [_omni::WebhookFn<Self>]),
            &methods.webhooks,
            |webhook| (&webhook.function, webhook::webhook(webhook)),
        ),
    ];
    let fallbacks = action::fallbacks(&methods.actions);
    let hooks = methods.hooks.iter().map(hook::hook);
    let checks = methods
        .syncs
        .iter()
        .map(|sync| sync::checks(sync, connector));
    let implementation = quote! {
        #fallbacks

        pub struct Block;
        impl #generics _omni::Methods<Block> for #connector #condition {
            #(#tables)*
            #(#hooks)*
        }

        #(#checks)*
    };
    scope(runtime, &implementation)
}

/// The constant that holds a table; nothing where the table is empty. An entry is under the conditions of its function.
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

/// In front of the body of a method that no block took: reports that, unless the connector has no block at all.
pub(crate) fn orphan(mut function: Function, runtime: &Path) -> Function {
    let place = Span::call_site();
    let check = quote_spanned! {place=>
        #runtime::generated::collected::<Self, _>(|| ::core::unreachable!());
    };
    function.prepend(check);
    function
}

/// The hidden type of a function outside an `impl` block, which has the function's name, and what is generated about it.
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

/// Generates the call of a function and the future of its outcome. A value that cannot be returned is reported at the
/// return type. A future that is not `Send` is reported at the function's name.
fn outcome(function: &Function, reader: Reader<'_>, call: &TokenStream) -> [TokenStream; 2] {
    let returned = returned(function);
    let reader = reader.at(returned.span());
    let read = quote_spanned!(returned.span()=> _omni::#reader(#returned.await));
    let future = quote_spanned! {function.signature.ident.span()=>
        _omni::called(async move { #read })
    };
    [quote!(let #returned = #call;), future]
}

/// Returns a variable for the returned value, with the span of the return type.
fn returned(function: &Function) -> Ident {
    let place = match &function.signature.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => function.signature.ident.span(),
    };
    Ident::new("returned", place.resolved_at(Span::mixed_site()))
}

/// Returns a name inside a generated closure that cannot clash with an argument of the author.
fn call() -> Ident {
    Ident::new("call", Span::mixed_site())
}

fn connector_argument() -> Ident {
    Ident::new("connector", Span::mixed_site())
}

/// A closure that reads the arguments and calls the function. Only the waiting is inside the `async` block, because
/// rustc compiles code inside one more slowly.
struct Thunk<'a> {
    function: &'a Function,
    /// Whether the closure's two parameters are used.
    uses: [bool; 2],
    /// Code before the call.
    open: TokenStream,
    call: TokenStream,
    /// Converts the returned value to the outcome.
    reader: Reader<'a>,
}

/// The function of the runtime that converts the author's returned value to the outcome.
#[derive(Clone, Copy)]
enum Reader<'a> {
    /// A function with this name.
    Named(&'a str),
    /// The function for hooks, and the type that decodes this hook's return value.
    Hook(&'a str),
}

impl Reader<'_> {
    fn at(self, place: Span) -> TokenStream {
        match self {
            Self::Named(name) => Ident::new(name, place).into_token_stream(),
            Self::Hook(answer) => {
                let answer = Ident::new(answer, place);
                quote_spanned!(place=> returned::<_omni::#answer>)
            }
        }
    }
}

impl ToTokens for Thunk<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let [connector, call] = [connector_argument(), call()];
        let connector = if self.uses[0] {
            quote!(#connector)
        } else {
            quote!(_)
        };
        let call = if self.uses[1] {
            quote!(mut #call)
        } else {
            quote!(_)
        };
        let open = &self.open;
        let [called, future] = outcome(self.function, self.reader, &self.call);
        tokens.extend(quote! {
            |#connector, #call| {
                #open
                #called
                #future
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
