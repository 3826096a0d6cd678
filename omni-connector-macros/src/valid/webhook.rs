//! `#[webhook]`: a function that other systems call.

use proc_macro2::TokenStream;
use syn::LitStr;

use super::{Place, parameter, parameter::Supplied, signature};
use crate::{
    diagnostics::Errors,
    parse::{Function, Keys},
};

/// First path segments that the protocol or the runtime uses.
const RESERVED: &[&str] = &[
    "dev", "health", "manifest", "metrics", "sync", "cancel", "action", "resource", "prompt",
    "skill", "oauth",
];

/// A valid webhook.
pub(crate) struct Webhook {
    pub(crate) function: Function,
    pub(crate) path: LitStr,
    pub(crate) parameters: Vec<Supplied>,
}

impl Webhook {
    pub(crate) fn of(function: &Function, keys: TokenStream, errors: &mut Errors) -> Option<Self> {
        let keys = Keys::parse(keys, &["path"], &[], errors);
        signature::check(function, "webhook", Place::Method, errors);
        let parameters = parameter::of_hook(function, "webhook", errors);
        let path = keys.string("path", "/hooks/acme", errors);
        if path.is_none() && keys.is_complete() && keys.span("path").is_none() {
            errors.push(
                function.signature.ident.span(),
                format!("webhook `{}` has no path", function.signature.ident),
                "say where it is called: `#[webhook(path = \"/hooks/acme\")]`",
            );
        }
        let path = path?;
        check_path(&path, errors);
        Some(Self {
            function: function.clone(),
            path,
            parameters,
        })
    }

    /// Returns whether the path names the source of a call.
    pub(crate) fn names_a_source(&self) -> bool {
        segments(&self.path.value()).any(|segment| segment == "{source_id}")
    }

    /// Returns the path without the names of its parameters. Two paths of the same form match the same calls.
    fn form(&self) -> String {
        let path = self.path.value();
        let form = segments(&path).map(|segment| {
            if segment.starts_with('{') {
                "{}"
            } else {
                segment
            }
        });
        form.collect::<Vec<_>>().join("/")
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_start_matches('/').split('/')
}

fn check_path(literal: &LitStr, errors: &mut Errors) {
    let path = literal.value();
    let is_plain = |segment: &str| {
        !segment.is_empty()
            && segment != "."
            && segment != ".."
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let is_parameter = |segment: &str| {
        let name = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        name.is_some_and(|name| syn::parse_str::<syn::Ident>(name).is_ok())
    };
    let is_path = path.starts_with('/')
        && segments(&path).all(|segment| is_plain(segment) || is_parameter(segment));
    if !is_path {
        errors.push(
            literal.span(),
            format!("invalid webhook path `{path}`"),
            "write segments of letters, digits, `-`, `.`, `_`, `~`, or a name in braces: `/hooks/acme/{source_id}`",
        );
        return;
    }
    let first = segments(&path).next().unwrap_or_default();
    if RESERVED.contains(&first) || first.starts_with('{') {
        errors.push(
            literal.span(),
            format!(
                "webhook path `{path}` conflicts with Omni's own `/{}`",
                RESERVED
                    .iter()
                    .find(|reserved| **reserved == first)
                    .unwrap_or(&"sync")
            ),
            "begin with a segment of your own: `/hooks/acme`",
        );
    }
}

/// Reports the second of two functions with one path.
pub(crate) fn check_distinct(webhooks: &[Webhook], errors: &mut Errors) {
    for (index, webhook) in webhooks.iter().enumerate() {
        let conditional = |webhook: &Webhook| !webhook.function.conditions().is_empty();
        let earlier = webhooks[..index]
            .iter()
            .find(|earlier| earlier.form() == webhook.form());
        if let Some(earlier) = earlier
            && !conditional(webhook)
            && !conditional(earlier)
        {
            errors.push(
                webhook.path.span(),
                format!(
                    "webhook `{}` has the same path",
                    earlier.function.signature.ident
                ),
                "give each webhook its own path",
            );
        }
    }
}
