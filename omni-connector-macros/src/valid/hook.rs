//! `#[validate]`, `#[oauth]`, `#[mcp]` and the like: methods that say what the struct's keys cannot.

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
    /// Somebody has signed in.
    CredentialReady,
    /// What only the system knows of a credential.
    Enrich,
    /// The MCP server behind the connector.
    Mcp,
    /// How that server gets the secret, over stdio.
    McpEnv,
    /// How that server gets the secret, over HTTP.
    McpHeaders,
}

impl HookKind {
    pub(crate) fn of_marker(marker: &str) -> Option<Self> {
        match marker {
            "validate" => Some(Self::Validate),
            "oauth" => Some(Self::OAuth),
            "skills" => Some(Self::Skills),
            "credential_ready" => Some(Self::CredentialReady),
            "enrich" => Some(Self::Enrich),
            "mcp" => Some(Self::Mcp),
            "mcp_env" => Some(Self::McpEnv),
            "mcp_headers" => Some(Self::McpHeaders),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Validate => "validation",
            Self::OAuth => "oauth function",
            Self::Skills => "skills function",
            Self::CredentialReady => "sign-in hook",
            Self::Enrich => "enrich function",
            Self::Mcp => "MCP function",
            Self::McpEnv => "MCP environment function",
            Self::McpHeaders => "MCP header function",
        }
    }

    /// The one argument that it is asked with, as it stands in a signature; none where it takes nothing.
    const fn asked_with(self) -> Option<&'static str> {
        match self {
            Self::McpEnv | Self::McpHeaders => Some("credentials: &McpCredentials"),
            Self::Enrich => Some("tokens: OAuthTokens"),
            Self::CredentialReady => Some("ready: CredentialReady"),
            _ => None,
        }
    }
}

/// A valid hook.
pub(crate) struct Hook {
    pub(crate) kind: HookKind,
    pub(crate) function: Function,
    /// What the framework supplies by its type; nothing but to a validation.
    pub(crate) parameters: Vec<Supplied>,
}

impl Hook {
    pub(crate) fn of(kind: HookKind, function: &Function, errors: &mut Errors) -> Self {
        let name = kind.name();
        let parameters = if kind == HookKind::Validate {
            signature::check(function, name, Place::Method, errors);
            parameter::of_hook(function, name, errors)
        } else {
            if matches!(kind, HookKind::Enrich | HookKind::CredentialReady) {
                signature::check(function, name, Place::Method, errors);
            } else {
                signature::check_not_async(function, name, errors);
                signature::check_not_generic(function, name, errors);
                signature::check_receiver(function, name, errors);
            }
            let mut parameters = function.parameters();
            // It may ask for the manager, too.
            let most = 1 + usize::from(kind == HookKind::CredentialReady);
            match (
                kind.asked_with(),
                parameters.next(),
                parameters.nth(most - 1),
            ) {
                (None, Some(parameter), _) => errors.push(
                    parameter.span(),
                    format!("the {name} is asked without arguments"),
                    "take nothing but `&self`",
                ),
                (Some(argument), None, _) => errors.push(
                    function.signature.ident.span(),
                    format!("the {name} is asked with an argument"),
                    format!("take `&self, {argument}`"),
                ),
                (Some(argument), _, Some(surplus)) => errors.push(
                    surplus.span(),
                    format!("the {name} is asked with less"),
                    format!("take `&self, {argument}`"),
                ),
                _ => {}
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
