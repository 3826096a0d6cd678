//! The required signature of a function that the framework calls.

use syn::{GenericParam, Receiver, ReceiverKind, Type, spanned::Spanned};

use crate::{diagnostics::Errors, parse::Function};

/// The place of the function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the connector's `impl` block.
    Method,
    /// Outside of it, and listed on the struct.
    Free,
}

/// Checks for an `async fn` without generics, which takes `&self` in an `impl` block. `kind` is its name in messages.
pub(super) fn check(function: &Function, kind: &str, place: Place, errors: &mut Errors) {
    let signature = &function.signature;
    if signature.asyncness.is_none() {
        errors.push(
            signature.fn_token.span,
            format!("{kind} `{}` must be an `async fn`", signature.ident),
            "write `async fn`",
        );
    }
    check_not_generic(function, kind, errors);
    if place == Place::Method {
        check_receiver(function, kind, errors);
    }
}

/// Checks that a function is not `async`: it is called while a manifest is built or a connection is prepared.
pub(super) fn check_not_async(function: &Function, kind: &str, errors: &mut Errors) {
    let signature = &function.signature;
    if let Some(asyncness) = &signature.asyncness {
        errors.push(
            asyncness.span(),
            format!("{kind} `{}` must not be `async`", signature.ident),
            "remove `async`; it runs while the manifest or a connection is prepared",
        );
    }
}

pub(super) fn check_not_generic(function: &Function, kind: &str, errors: &mut Errors) {
    let signature = &function.signature;
    let parameter = signature
        .generics
        .params
        .iter()
        .find(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
    let hidden = function
        .parameters()
        .find(|parameter| matches!(*parameter.ty, Type::ImplTrait(_)));
    let place = parameter
        .map(Spanned::span)
        .or(hidden.map(|parameter| parameter.ty.span()));
    if let Some(place) = place {
        errors.push(
            place,
            format!("{kind} `{}` must not be generic", signature.ident),
            if kind == "action" {
                "its schema is fixed when it is compiled"
            } else {
                "its types are fixed when it is compiled"
            },
        );
    }
}

pub(super) fn check_receiver(function: &Function, kind: &str, errors: &mut Errors) {
    let receiver = function.signature.receiver();
    if receiver.is_some_and(is_shared_reference) {
        return;
    }
    let article = if kind.starts_with('a') { "an" } else { "a" };
    let (place, help) = match receiver {
        Some(receiver) => (
            receiver.self_token.span,
            "one connector serves many calls at once",
        ),
        None if kind == "action" => (
            function.signature.ident.span(),
            "a function without `self` is listed on the struct: `actions = […]`",
        ),
        None => (
            function.signature.ident.span(),
            "add `&self` in the first place",
        ),
    };
    errors.push(place, format!("{article} {kind} takes `&self`"), help);
}

/// Returns whether a receiver is `&self`, also in its long form.
fn is_shared_reference(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
        ReceiverKind::Typed(_, ty) => {
            matches!(&**ty, Type::Reference(reference) if reference.mutability.is_none())
        }
        _ => false,
    }
}
