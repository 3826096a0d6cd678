//! `#[action]`: a function that callers can invoke.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, LitInt, LitStr, Path, Type, spanned::Spanned};

use super::{
    Parameter, Place, WireName, docs,
    fits::{is_never_an_object, name_and_argument},
    names, parameter,
    parameter::Supplied,
    signature,
};
use crate::{
    diagnostics::Errors,
    parse::{Function, Keys},
};

const KEYS: &[&str] = &[
    "read",
    "write",
    "name",
    "scopes",
    "source_types",
    "admin_only",
    "hidden",
    "timeout",
    "crate",
];

/// A valid action.
pub(crate) struct Action {
    pub(crate) function: Function,
    pub(crate) place: Place,
    pub(crate) name: WireName,
    pub(crate) description: TokenStream,
    pub(crate) mode: Mode,
    pub(crate) scopes: Option<Vec<LitStr>>,
    pub(crate) source_types: Vec<Ident>,
    pub(crate) admin_only: bool,
    pub(crate) hidden: bool,
    /// In seconds.
    pub(crate) timeout: Option<LitInt>,
    pub(crate) parameters: Vec<Parameter>,
}

/// Whether it changes anything.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Read,
    Write,
}

impl Action {
    pub(crate) fn of(
        function: &Function,
        keys: TokenStream,
        place: Place,
        errors: &mut Errors,
    ) -> Option<Self> {
        let keys = Keys::parse(keys, KEYS, &[], errors);
        let ident = &function.signature.ident;
        signature::check(function, "action", place, errors);
        let name = names::on_the_wire(keys.string("name", "list_files", errors).as_ref(), ident);
        names::check(&name, errors);
        let description = docs::required(&function.attributes, ident, errors);
        let mode = mode(&keys, ident, errors);
        let parameters = parameter::of_action(function, place, errors);
        check_arguments(&parameters, ident, errors);
        check_input(&parameters, errors);
        let source_types: Vec<Path> = keys
            .list("source_types", "[Jira]", errors)
            .unwrap_or_default();
        Some(Self {
            function: function.clone(),
            place,
            name,
            scopes: keys.list("scopes", "[\"issues:write\"]", errors),
            source_types: names::source_types(&source_types, errors),
            admin_only: keys.flag("admin_only", errors),
            hidden: keys.flag("hidden", errors),
            timeout: keys.value("timeout", "a number of seconds", "30", errors),
            parameters,
            description: description?,
            mode: mode?,
        })
    }

    /// Returns the connector's type, if a free function names it.
    pub(crate) fn connector(&self) -> Option<&Type> {
        self.parameters
            .iter()
            .find_map(|parameter| match parameter {
                Parameter::Connector(ty) => Some(&**ty),
                _ => None,
            })
    }

    /// Returns the parameters that the framework supplies.
    pub(crate) fn supplied(&self) -> impl Iterator<Item = &Supplied> {
        self.parameters
            .iter()
            .filter_map(|parameter| match parameter {
                Parameter::Supplied(supplied) => Some(&**supplied),
                _ => None,
            })
    }
}

/// Reports the second of two arguments with one name, unless `#[cfg]` may exclude one.
fn check_arguments(parameters: &[Parameter], action: &Ident, errors: &mut Errors) {
    let args = parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Arg(arg) if arg.conditions.is_empty() => Some(&arg.name),
        _ => None,
    });
    let mut taken: Vec<&str> = Vec::new();
    for name in args.filter(|name| !name.text.is_empty()) {
        if taken.contains(&name.text.as_str()) {
            errors.push(
                name.span,
                format!(
                    "two arguments of action `{action}` are both named `{}`",
                    name.text
                ),
                "rename one: `#[arg(name = \"…\")]`",
            );
        }
        taken.push(&name.text);
    }
}

/// Checks `Args<…>`, the whole input of the caller. Under another name it is checked later: a second reader of the input when
/// the table is compiled, and a list before registering.
fn check_input(parameters: &[Parameter], errors: &mut Errors) {
    let mut is_read = parameters
        .iter()
        .any(|parameter| matches!(parameter, Parameter::Arg(arg) if arg.conditions.is_empty()));
    for parameter in parameters {
        let Parameter::Supplied(supplied) = parameter else {
            continue;
        };
        let Some((name, input)) = name_and_argument(&supplied.ty) else {
            continue;
        };
        if name != "Args" || !supplied.conditions.is_empty() {
            continue;
        }
        if is_read {
            errors.push(
                supplied.ty.span(),
                "an action reads its input once",
                "name everything in one struct, or mark each argument `#[arg]`",
            );
        }
        is_read = true;
        if let Some(input) = input.filter(|input| is_never_an_object(input)) {
            errors.push(
                input.span(),
                "action input must be a struct (a JSON object)",
                "name the list in a struct: `struct Input { items: Vec<String> }`",
            );
        }
    }
}

fn mode(keys: &Keys, ident: &Ident, errors: &mut Errors) -> Option<Mode> {
    match (keys.flag("read", errors), keys.flag("write", errors)) {
        (true, false) => Some(Mode::Read),
        (false, true) => Some(Mode::Write),
        (true, true) => {
            errors.push(
                keys.span("write").unwrap_or_else(|| ident.span()),
                "an action says `read` or `write`, not both",
                "an action that changes anything is `write`",
            );
            None
        }
        (false, false) if !keys.is_complete() => None,
        (false, false) => {
            errors.push(
                ident.span(),
                format!("action `{ident}` says neither `read` nor `write`"),
                "`#[action(read)]`, or `#[action(write)]` if it changes anything",
            );
            None
        }
    }
}

/// Reports the second of two actions with one name.
pub(crate) fn check_distinct(actions: &[Action], connector: &Type, errors: &mut Errors) {
    for (index, action) in actions.iter().enumerate() {
        // With `#[cfg]` they may be alternatives. The remaining ones are compared before registering.
        let is_conditional = |action: &Action| !action.function.conditions().is_empty();
        let name = &action.name;
        let same = actions[..index]
            .iter()
            .any(|earlier| earlier.name.text == name.text && !is_conditional(earlier));
        if same && !is_conditional(action) {
            errors.push(
                name.span,
                format!(
                    "two actions of connector `{}` are both named `{}`",
                    quote!(#connector),
                    name.text
                ),
                "rename one: `#[action(name = \"…\")]`",
            );
        }
    }
}
