//! Valid names: the closed lists of the protocol, and the rules for names that authors choose.

use syn::{Ident, LitStr, Path};

use super::WireName;
use crate::diagnostics::{Errors, nearest};

/// Variants of `SourceType` (`protocol.md` §4.9).
const SOURCE_TYPES: &[&str] = &[
    "GoogleDrive",
    "Gmail",
    "GoogleChat",
    "Confluence",
    "Jira",
    "Slack",
    "Github",
    "LocalFiles",
    "FileSystem",
    "Web",
    "Notion",
    "Hubspot",
    "OneDrive",
    "SharePoint",
    "Outlook",
    "OutlookCalendar",
    "MsTeams",
    "Fireflies",
    "Imap",
    "Clickup",
    "Linear",
    "PaperlessNgx",
    "Nextcloud",
    "GoogleAds",
    "Darwinbox",
    "Windshift",
];

/// The kinds of a stored credential (`protocol.md` §4.9).
pub(super) const AUTH_TYPES: &[&str] = &[
    "jwt",
    "api_key",
    "basic_auth",
    "bearer_token",
    "bot_token",
    "oauth",
];

/// Operators that Omni answers itself (`protocol.md` §7.2).
const RESERVED_OPERATORS: &[&str] = &["by", "in", "type", "before", "after"];

/// Keys that the manager refuses at any depth of a schema, also as names of properties (`protocol.md` §3.3).
const REFUSED_PROPERTIES: &[&str] = &[
    "$ref",
    "$defs",
    "definitions",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "then",
    "else",
    "not",
];

/// Returns the name on the wire: the given one, or else the function's.
pub(super) fn on_the_wire(given: Option<&LitStr>, function: &Ident) -> WireName {
    match given {
        Some(name) => WireName {
            text: name.value(),
            span: name.span(),
        },
        None => WireName {
            text: function.to_string().trim_start_matches("r#").to_owned(),
            span: function.span(),
        },
    }
}

/// Checks a name that the author chose: `a-z`, `0-9` and `_`, not beginning with a digit.
pub(super) fn check(name: &WireName, errors: &mut Errors) {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let text = &name.text;
    if !text.is_empty() && text.chars().all(fits) && !text.starts_with(|c: char| c.is_ascii_digit())
    {
        return;
    }
    let better = snake_case(text);
    let help = if better.is_empty() {
        "try `my_drive`".to_owned()
    } else {
        format!("try `{better}`")
    };
    errors.push(name.span, "names use `a-z`, `0-9` and `_`", help);
}

/// Returns the most similar valid name; empty if no character is valid.
fn snake_case(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_uppercase() {
            if name.ends_with(|c: char| c.is_ascii_lowercase()) {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        } else if c.is_ascii_lowercase() || c.is_ascii_digit() {
            name.push(c);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    name.trim_end_matches('_')
        .trim_start_matches(|c: char| c.is_ascii_digit() || c == '_')
        .to_owned()
}

pub(super) fn check_operator(name: &WireName, errors: &mut Errors) {
    if RESERVED_OPERATORS.contains(&name.text.as_str()) {
        errors.push(
            name.span,
            format!("Omni answers `{}:` itself", name.text),
            "choose another name: `#[search_operator(name = \"…\")]`",
        );
    } else {
        check(name, errors);
    }
}

pub(super) fn check_property(name: &WireName, errors: &mut Errors) {
    if REFUSED_PROPERTIES.contains(&name.text.as_str()) {
        errors.push(
            name.span,
            format!(
                "Omni refuses a schema with a property named `{}`",
                name.text
            ),
            "rename it: `#[arg(name = \"…\")]`",
        );
    }
}

/// Returns the variants of `SourceType` that the paths name.
pub(super) fn source_types(paths: &[Path], errors: &mut Errors) -> Vec<Ident> {
    let mut variants: Vec<Ident> = Vec::new();
    for variant in paths.iter().filter_map(|path| path.segments.last()) {
        let name = variant.ident.to_string();
        if variants.contains(&variant.ident) {
            errors.push(
                variant.ident.span(),
                format!("`{name}` is listed twice"),
                "remove one of them",
            );
        } else if SOURCE_TYPES.contains(&name.as_str()) {
            variants.push(variant.ident.clone());
        } else {
            let help = match nearest(&name, SOURCE_TYPES.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("Omni knows {}", SOURCE_TYPES.join(", ")),
            };
            errors.push(
                variant.ident.span(),
                format!("unknown source type `{name}`"),
                help,
            );
        }
    }
    variants
}
