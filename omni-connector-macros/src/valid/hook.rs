//! Hooks, such as `#[validate]` and `#[mcp]`, and methods with `#[replaces]`.

use syn::spanned::Spanned;

use super::{Place, parameter, parameter::Supplied, signature};
use crate::{diagnostics::Errors, hooks::HookKind, parse::Function};

/// A valid hook.
pub(crate) struct Hook {
    pub(crate) kind: &'static HookKind,
    pub(crate) function: Function,
    pub(crate) parameters: Vec<Supplied>,
}

impl Hook {
    pub(crate) fn of(kind: &'static HookKind, function: &Function, errors: &mut Errors) -> Self {
        let noun = kind.noun;
        if kind.is_async {
            signature::check(function, noun, Place::Method, errors);
        } else {
            signature::check_not_async(function, noun, errors);
            signature::check_not_generic(function, noun, errors);
            signature::check_receiver(function, noun, errors);
        }
        if let Some(takes) = kind.takes {
            check_arguments(function, noun, takes, errors);
        }
        Self {
            kind,
            function: function.clone(),
            parameters: parameter::of_hook(function, noun, errors),
        }
    }
}

fn check_arguments(function: &Function, noun: &str, takes: &[&str], errors: &mut Errors) {
    let mut parameters = function.parameters();
    let Some(first) = takes.first() else {
        if let Some(parameter) = parameters.next() {
            errors.push(
                parameter.span(),
                format!("the {noun} takes no arguments"),
                "take nothing but `&self`",
            );
        }
        return;
    };
    if parameters.next().is_none() {
        errors.push(
            function.signature.ident.span(),
            format!("the {noun} takes an argument"),
            format!("take `&self, {first}`"),
        );
    } else if let Some(surplus) = parameters.nth(takes.len() - 1) {
        errors.push(
            surplus.span(),
            format!("the {noun} takes fewer arguments"),
            format!("take `&self, {}`", takes.join(", ")),
        );
    }
}
