//! `#[validate]`, `#[oauth]` and `#[skills]`: methods that say what the struct's keys cannot.

use syn::spanned::Spanned;

use super::{Place, parameter, parameter::Supplied, signature};
use crate::{diagnostics::Errors, parse::Function};

/// Which question of the runtime a method answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HookKind {
    /// Whether a run may start.
    Validate,
    /// How people sign in.
    OAuth,
    /// What teaches language models.
    Skills,
}

impl HookKind {
    pub(crate) fn of_marker(marker: &str) -> Option<Self> {
        match marker {
            "validate" => Some(Self::Validate),
            "oauth" => Some(Self::OAuth),
            "skills" => Some(Self::Skills),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Validate => "validation",
            Self::OAuth => "oauth function",
            Self::Skills => "skills function",
        }
    }
}

/// A valid hook.
pub(crate) struct Hook {
    pub(crate) kind: HookKind,
    pub(crate) function: Function,
    /// What the framework supplies; nothing but to a validation.
    pub(crate) parameters: Vec<Supplied>,
}

impl Hook {
    pub(crate) fn of(kind: HookKind, function: &Function, errors: &mut Errors) -> Self {
        let name = kind.name();
        let parameters = if kind == HookKind::Validate {
            signature::check(function, name, Place::Method, errors);
            parameter::of_hook(function, name, errors)
        } else {
            signature::check_receiver(function, name, errors);
            if let Some(parameter) = function.parameters().next() {
                errors.push(
                    parameter.span(),
                    format!("the {name} is asked without arguments"),
                    "take nothing but `&self`",
                );
            }
            Vec::new()
        };
        Self {
            kind,
            function: function.clone(),
            parameters,
        }
    }
}
