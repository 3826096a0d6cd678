//! `#[search_operator]`: a function that reads the value of an operator from an item.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{ReturnType, Type, spanned::Spanned};

use super::{WireName, names, signature};
use crate::{
    diagnostics::Errors,
    parse::{Function, Keys},
};

const KEYS: &[&str] = &["name", "attribute", "crate"];

/// A valid search operator.
pub(crate) struct Operator {
    pub(crate) function: Function,
    pub(crate) name: WireName,
    pub(crate) attribute: WireName,
    /// The type of item that it reads.
    pub(crate) item: Type,
    /// The return type without lifetimes.
    pub(crate) value: TokenStream,
    pub(crate) value_span: Span,
}

impl Operator {
    pub(crate) fn of(function: &Function, keys: TokenStream, errors: &mut Errors) -> Option<Self> {
        let keys = Keys::parse(keys, KEYS, &[], errors);
        let signature = &function.signature;
        let ident = &signature.ident;
        signature::check_not_generic(function, "search operator", errors);
        if let Some(asyncness) = &signature.asyncness {
            errors.push(
                asyncness.span(),
                format!("search operator `{ident}` must not be `async`"),
                "remove `async`",
            );
        }
        let given = keys.string("name", "project", errors);
        let name = names::on_the_wire(given.as_ref(), ident);
        names::check_operator(&name, errors);
        let attribute = match keys.string("attribute", "project_key", errors) {
            Some(given) => {
                let attribute = names::on_the_wire(Some(&given), ident);
                names::check(&attribute, errors);
                attribute
            }
            None => name.clone(),
        };
        let item = item(function, errors);
        let ReturnType::Type(_, value) = &signature.output else {
            errors.push(
                ident.span(),
                format!("search operator `{ident}` returns no value"),
                "an operator reads one item: `fn project(issue: &Issue) -> &str`",
            );
            return None;
        };
        Some(Self {
            function: function.clone(),
            name,
            attribute,
            item: item?,
            value: without_lifetimes(quote!(#value)),
            value_span: value.span(),
        })
    }
}

/// Returns the item's type, without its reference.
fn item(function: &Function, errors: &mut Errors) -> Option<Type> {
    const SHAPE: &str = "`fn project(issue: &Issue) -> &str`";
    let signature = &function.signature;
    let mut inputs = signature.inputs.iter();
    let (first, second) = (inputs.next(), inputs.next());
    let wrong = match (first, second) {
        (_, Some(second)) => second.span(),
        (None, None) => signature.ident.span(),
        (Some(syn::FnArg::Receiver(receiver)), None) => receiver.span(),
        (Some(syn::FnArg::Typed(parameter)), None) => match &*parameter.ty {
            Type::Reference(reference) if reference.mutability.is_none() => {
                return Some((*reference.elem).clone());
            }
            other => other.span(),
        },
    };
    errors.push(
        wrong,
        format!("search operator `{}` reads one item", signature.ident),
        SHAPE,
    );
    None
}

/// Replaces every lifetime by `'_`, so that the type is valid outside the function.
fn without_lifetimes(tokens: TokenStream) -> TokenStream {
    let mut plain = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(quote) if quote.as_char() == '\'' => {
                let Some(TokenTree::Ident(name)) = tokens.next() else {
                    continue;
                };
                let name = if name == "static" {
                    name
                } else {
                    Ident::new("_", name.span())
                };
                plain.extend([
                    TokenTree::Punct(Punct::new('\'', Spacing::Joint)),
                    TokenTree::Ident(name),
                ]);
            }
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
                let inner = without_lifetimes(group.stream());
                let mut inner = Group::new(group.delimiter(), inner);
                inner.set_span(group.span());
                plain.extend([TokenTree::Group(inner)]);
            }
            token => plain.extend([token]),
        }
    }
    plain
}

/// Reports two operators with one name for the same item, or for different attributes.
pub(crate) fn check_distinct(operators: &[Operator], connector: &Type, errors: &mut Errors) {
    let item = |operator: &Operator| {
        let item = &operator.item;
        quote!(#item).to_string()
    };
    for (index, operator) in operators.iter().enumerate() {
        let is_conditional = |operator: &Operator| !operator.function.conditions().is_empty();
        let name = &operator.name;
        let same_name = operators[..index]
            .iter()
            .filter(|earlier| earlier.name.text == name.text && !is_conditional(earlier));
        for earlier in same_name {
            if is_conditional(operator) {
                break;
            }
            let (kind, help) = if item(earlier) == item(operator) {
                (
                    "are both named",
                    "rename one: `#[search_operator(name = \"…\")]`".to_owned(),
                )
            } else if earlier.attribute.text != operator.attribute.text {
                (
                    "fill different attributes, and are both named",
                    format!(
                        "one operator matches one attribute: `attribute = \"{}\"`",
                        earlier.attribute.text
                    ),
                )
            } else {
                continue;
            };
            let connector = quote!(#connector);
            errors.push(
                name.span,
                format!(
                    "two search operators of connector `{connector}` {kind} `{}`",
                    name.text
                ),
                help,
            );
            break;
        }
    }
}
