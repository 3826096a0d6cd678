//! What the runtime's traits need, written from validated data. Nothing can be refused here any more.
//!
//! Spans are chosen for what rustc may still have to say: an argument that nobody supplies is reported at its type, a
//! future that cannot move between threads at the function's name.

mod action;
mod connector;
mod hook;
mod operator;
mod sync;

pub(crate) use action::{listed_action, unfinished_action};
pub(crate) use connector::connector;
pub(crate) use operator::{listed_operator, unfinished_operator};

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, GenericParam, Generics, Ident, Path, Type, WherePredicate, parse_quote,
    spanned::Spanned,
};

use crate::valid::{Action, Hook, HookKind, Operator, Sync};

/// The annotated functions of one `impl` block.
pub(crate) struct Methods {
    pub(crate) syncs: Vec<Sync>,
    pub(crate) actions: Vec<Action>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) hooks: Vec<Hook>,
    /// Whether something was refused. What is left is then written so that nothing more is reported.
    pub(crate) is_unfinished: bool,
}

/// `impl Methods`: the tables that the runtime reads.
pub(crate) fn methods(
    methods: &Methods,
    connector: &Type,
    generics: &Generics,
    runtime: &Path,
) -> TokenStream {
    let generics = bound_for_ever(generics);
    let (generics, _, condition) = generics.split_for_impl();
    let this: Type = parse_quote!(Self);
    let mut syncs: Vec<_> = methods
        .syncs
        .iter()
        .map(|sync| under(&sync.function.conditions(), sync::sync(sync, runtime)))
        .collect();
    if methods.is_unfinished {
        syncs.push(sync::unfinished(runtime));
    }
    let actions = methods.actions.iter().map(|action| {
        under(
            &action.function.conditions(),
            action::action(action, &this, runtime),
        )
    });
    let actions = quote!(&[#(#actions),*]);
    // The fallback of `Shape` is a trait, which only actions need.
    let actions = if methods.actions.is_empty() {
        actions
    } else {
        quote!({
            use #runtime::declare::AnyShape as _;
            #actions
        })
    };
    let operators = methods.operators.iter().map(|operator| {
        under(
            &operator.function.conditions(),
            operator::operator(operator, true, runtime),
        )
    });
    let hooks = methods.hooks.iter().map(|hook| hook::hook(hook, runtime));
    let checks = methods
        .syncs
        .iter()
        .filter(|_| !methods.is_unfinished)
        .map(|sync| {
            under(
                &sync.function.conditions(),
                sync::checks(sync, connector, runtime),
            )
        });
    quote! {
        impl #generics #runtime::declare::Methods for #connector #condition {
            const SYNCS: &'static [#runtime::declare::Sync<Self>] = &[#(#syncs),*];
            const ACTIONS: &'static [#runtime::declare::Action<Self>] = #actions;
            const OPERATORS: &'static [#runtime::Operator] = &[#(#operators),*];
            #(#hooks)*
        }

        #(#checks)*
    }
}

/// Generated tokens under the conditions of the function that they are about.
fn under(conditions: &[Attribute], tokens: TokenStream) -> TokenStream {
    quote!(#(#conditions)* #tokens)
}

/// A list of variants of one of the runtime's enums.
fn variants(runtime: &Path, of: &str, variants: &[Ident]) -> TokenStream {
    let of = Ident::new(of, Span::call_site());
    let variants = variants.iter().map(|variant| {
        // The variant keeps the author's place; the rest of the path is ours.
        quote!(#runtime::#of::#variant)
    });
    quote!(&[#(#variants),*])
}

fn optional(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// `call.supply::<Type>()?`, so that a type that nobody supplies is reported where it stands.
fn supply(ty: &Type) -> TokenStream {
    let call = call();
    let supply = quote_spanned!(ty.span()=> #call.supply::<#ty>());
    quote!(#supply?)
}

/// The names inside a generated closure, which no argument of the author can be mistaken for.
fn call() -> Ident {
    Ident::new("call", Span::mixed_site())
}

fn connector_argument() -> Ident {
    Ident::new("connector", Span::mixed_site())
}

/// A closure that reads the arguments and calls the function.
struct Thunk<'a> {
    /// The function's name: where a future that is not `Send` is reported.
    ident: &'a Ident,
    /// Whether the closure's two parameters are used.
    uses: [bool; 2],
    body: TokenStream,
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
        let body = &self.body;
        let boxed = quote_spanned!(self.ident.span()=> ::std::boxed::Box::pin);
        tokens.extend(quote! {
            |#connector, #call| #boxed(async move { #body })
        });
    }
}

impl HookKind {
    /// The constant of `Methods` that holds it.
    fn constant(self) -> Ident {
        let name = match self {
            Self::Validate => "VALIDATE",
            Self::OAuth => "OAUTH",
            Self::Skills => "SKILLS",
        };
        Ident::new(name, Span::call_site())
    }
}

/// A connector has no generics. One that has some gets an impl all the same, so that it is told of that and of nothing
/// that follows from it.
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
