//! `#[connector]` on an `impl` block: collects the annotated functions.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Type, spanned::Spanned};

use crate::{
    diagnostics::{Errors, did_you_mean},
    expand,
    hooks::{self, HookKind},
    parse::{Function, ImplBlock, Keys, marker, marker_keys},
    valid::{self, Action, Hook, Operator, Place, Sync, Webhook},
};

/// Returns the markers that a function of the block can have.
fn markers() -> Vec<&'static str> {
    let others = ["sync", "action", "search_operator", "webhook", "replaces"];
    others.into_iter().chain(hooks::markers()).collect()
}

/// Returns whether the item is an `impl` block, by the keyword before any brace.
pub(crate) fn is_impl(item: &TokenStream) -> bool {
    item.clone()
        .into_iter()
        .take_while(|token| !matches!(token, TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace))
        .any(|token| matches!(token, TokenTree::Ident(ident) if ident == "impl"))
}

pub(crate) fn methods(keys: TokenStream, item: TokenStream) -> TokenStream {
    let runtime = Keys::runtime(&keys);
    let mut errors = Errors::new();
    let Some(block) = errors.ok(syn::parse2::<ImplBlock>(item.clone())) else {
        let error = errors.finish();
        return quote!(#item #error);
    };
    let emitted = block.emitted(&markers());
    Keys::parse(keys, &["crate"], &[], &mut errors);
    if let Some(of) = &block.of {
        errors.push(
            of.span(),
            "`#[connector]` goes on the struct's own `impl`, not on that of a trait",
            "write `impl` with the struct's name alone",
        );
        let error = errors.finish();
        return quote!(#emitted #error);
    }
    let mut methods = collect(&block, &mut errors);
    check_distinct(&methods, &block.self_type, &mut errors);
    let error = errors.finish();
    methods.is_unfinished = error.is_some();
    let expanded = expand::methods(&methods, &block.self_type, &block.generics, &runtime);
    quote!(#emitted #error #expanded)
}

fn collect(block: &ImplBlock, errors: &mut Errors) -> expand::Methods {
    let mut methods = expand::Methods {
        syncs: Vec::new(),
        actions: Vec::new(),
        operators: Vec::new(),
        webhooks: Vec::new(),
        hooks: Vec::new(),
        is_unfinished: false,
    };
    let mut is_empty = true;
    for function in block.functions() {
        let Some((marker, keys)) = role(function, errors) else {
            continue;
        };
        is_empty = false;
        match marker {
            "sync" => methods.syncs.push(Sync::of(function, keys, errors)),
            "action" => {
                let action = Action::of(function, keys, Place::Method, errors);
                methods.actions.extend(action);
            }
            "search_operator" => {
                let operator = Operator::of(function, keys, errors);
                methods.operators.extend(operator);
            }
            "webhook" => {
                let webhook = Webhook::of(function, keys, errors);
                methods.webhooks.extend(webhook);
            }
            "replaces" => {
                let hook = replaced(function, errors).map(|kind| Hook::of(kind, function, errors));
                methods.hooks.extend(hook);
            }
            other => {
                let kind = HookKind::of_marker(other);
                let hook = kind.map(|kind| Hook::of(kind, function, errors));
                methods.hooks.extend(hook);
            }
        }
    }
    if is_empty {
        errors.push(
            Span::call_site(),
            "this block has no annotated method",
            "annotate a method, such as with `#[sync]` or `#[action]`, or remove `#[connector]`",
        );
    }
    methods
}

/// Returns the method of the trait that a method with `#[replaces]` replaces.
fn replaced(function: &Function, errors: &mut Errors) -> Option<&'static HookKind> {
    let ident = &function.signature.ident;
    let kind = HookKind::of_replaced(&ident.to_string());
    if kind.is_none() {
        errors.push(
            ident.span(),
            format!("`{ident}` is not a method that `#[replaces]` replaces"),
            did_you_mean(&ident.to_string(), &hooks::replaceable()),
        );
    }
    kind
}

/// Returns the only marker of a function, and its keys.
fn role(function: &Function, errors: &mut Errors) -> Option<(&'static str, TokenStream)> {
    let markers = markers();
    let mut role: Option<(&'static str, TokenStream)> = None;
    for attribute in &function.attributes {
        let Some(marker) = marker(attribute, &markers) else {
            continue;
        };
        match &role {
            None => role = Some((marker, marker_keys(attribute))),
            Some((earlier, _)) => errors.push(
                attribute.path().span(),
                format!(
                    "`{}` is already marked `#[{earlier}]`",
                    function.signature.ident
                ),
                "a function does one thing; call it from a second one",
            ),
        }
    }
    role
}

fn check_distinct(methods: &expand::Methods, connector: &Type, errors: &mut Errors) {
    valid::check_syncs(&methods.syncs, errors);
    valid::check_actions(&methods.actions, connector, errors);
    valid::check_operators(&methods.operators, connector, errors);
    valid::check_webhooks(&methods.webhooks, errors);
    for (index, hook) in methods.hooks.iter().enumerate() {
        let earlier = methods.hooks[..index]
            .iter()
            .find(|earlier| earlier.kind == hook.kind && hook.function.conditions().is_empty());
        if let Some(earlier) = earlier {
            errors.push(
                hook.function.signature.ident.span(),
                format!(
                    "`{}` already has this marker",
                    earlier.function.signature.ident
                ),
                "a connector has only one such method",
            );
        }
    }
}
