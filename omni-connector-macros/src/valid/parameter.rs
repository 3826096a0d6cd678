//! The parameters of a function: the connector, those that the framework supplies, and those of the caller.

use syn::{Attribute, Ident, Pat, PatType, Type, spanned::Spanned};

use super::{Arg, Place};
use crate::{
    diagnostics::Errors,
    parse::{Function, conditions, is_marked},
};

/// One parameter.
pub(crate) enum Parameter {
    /// The connector itself, in a function outside its `impl` block.
    Connector(Box<Type>),
    /// The framework supplies it, by its type.
    Supplied(Box<Supplied>),
    /// The caller supplies it.
    Arg(Box<Arg>),
}

/// A parameter that the framework supplies.
pub(crate) struct Supplied {
    pub(crate) ty: Type,
    /// `#[cfg(…)]` of the parameter.
    pub(crate) conditions: Vec<Attribute>,
}

/// Reads the parameters of an action, in their order.
pub(super) fn of_action(function: &Function, place: Place, errors: &mut Errors) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for (index, parameter) in function.parameters().enumerate() {
        let connector = match &*parameter.ty {
            Type::Reference(reference) if index == 0 && place == Place::Free => {
                Some(&reference.elem)
            }
            _ => None,
        };
        parameters.push(if is_marked(parameter, "arg") {
            Parameter::Arg(Box::new(Arg::of(parameter, errors)))
        } else if let Some(connector) = connector {
            Parameter::Connector(connector.clone())
        } else {
            Parameter::Supplied(Box::new(supplied(parameter, errors)))
        });
    }
    parameters
}

/// Reads the parameters of a function without a caller's input.
pub(super) fn of_hook(function: &Function, kind: &str, errors: &mut Errors) -> Vec<Supplied> {
    let mut parameters = Vec::new();
    for parameter in function.parameters() {
        if is_marked(parameter, "arg") {
            errors.push(
                parameter.span(),
                format!("`#[arg]` goes on an argument of an action, not of a {kind}"),
                "remove `#[arg]`; settings are in the source's config: `Config<Settings>`",
            );
        }
        parameters.push(supplied(parameter, errors));
    }
    parameters
}

fn supplied(parameter: &PatType, errors: &mut Errors) -> Supplied {
    let doc = parameter
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("doc"));
    if let Some(doc) = doc.filter(|_| !is_marked(parameter, "arg")) {
        errors.push(
            doc.span(),
            "only an argument that the caller supplies has a description",
            "mark it `#[arg]`, or use a `//` comment",
        );
    }
    Supplied {
        ty: (*parameter.ty).clone(),
        conditions: conditions(&parameter.attrs),
    }
}

pub(super) fn name(pattern: &Pat) -> Option<Ident> {
    match pattern {
        Pat::Ident(pattern) => Some(pattern.ident.clone()),
        _ => None,
    }
}
