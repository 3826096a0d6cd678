//! The variants of a credential set: each holds one form of a credential, for one auth type or several.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{
    Attribute, Fields, Ident, ItemEnum, LitStr, Path, Token, Type, Variant, punctuated::Punctuated,
    spanned::Spanned,
};

use super::names::AUTH_TYPES;
use crate::{
    diagnostics::{Errors, nearest},
    parse::{Keys, marker_keys},
};

/// A valid credential set.
pub(crate) struct CredentialSet {
    pub(crate) ident: Ident,
    pub(crate) forms: Vec<Form>,
}

/// One form of a credential.
pub(crate) struct Form {
    pub(crate) variant: Ident,
    pub(crate) ty: Type,
    /// The auth types of this form, in the protocol's spelling.
    pub(crate) auth_types: Vec<LitStr>,
}

impl CredentialSet {
    /// Returns the path under `#[credential_set(crate = …)]`.
    pub(crate) fn runtime(item: &ItemEnum) -> Path {
        let keys = attribute(&item.attrs, "credential_set").map(marker_keys);
        Keys::runtime(&keys.unwrap_or_default())
    }

    pub(crate) fn of(item: &ItemEnum, errors: &mut Errors) -> Self {
        if let Some(attribute) = attribute(&item.attrs, "credential_set") {
            Keys::parse(marker_keys(attribute), &["crate"], &[], errors);
        }
        let generics = &item.generics;
        if let Some(place) = generics.lt_token.and(Some(generics.span())) {
            errors.push(
                place,
                "a credential set must not have generics",
                "write the types of the forms in the variants",
            );
        }
        if item.variants.is_empty() {
            errors.push(
                item.ident.span(),
                format!("`{}` accepts no credential at all", item.ident),
                "add a variant for each form: `ApiKey(ApiKey)`",
            );
        }
        let mut forms: Vec<Form> = Vec::new();
        for variant in &item.variants {
            let auth_types = auth_types(variant, errors);
            for auth_type in &auth_types {
                check_free(auth_type, &forms, errors);
            }
            forms.extend(held(variant, errors).map(|ty| Form {
                variant: variant.ident.clone(),
                ty,
                auth_types,
            }));
        }
        Self {
            ident: item.ident.clone(),
            forms,
        }
    }
}

fn attribute<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.path().is_ident(name))
}

/// Returns the one type that a variant holds.
fn held(variant: &Variant, errors: &mut Errors) -> Option<Type> {
    if let Fields::Unnamed(fields) = &variant.fields
        && let (Some(field), 1) = (fields.unnamed.first(), fields.unnamed.len())
    {
        return Some(field.ty.clone());
    }
    let ident = &variant.ident;
    errors.push(
        ident.span(),
        format!("`{ident}` does not hold one struct"),
        format!("write `{ident}({ident})`, where the struct derives `Deserialize`"),
    );
    None
}

/// Returns the auth types that a variant names, or the one with its own name.
fn auth_types(variant: &Variant, errors: &mut Errors) -> Vec<LitStr> {
    let Some(attribute) = attribute(&variant.attrs, "auth_type") else {
        let ident = &variant.ident;
        let name = ident.to_string().to_lowercase();
        let of_name = AUTH_TYPES
            .iter()
            .find(|known| known.replace('_', "") == name);
        if of_name.is_none() {
            errors.push(
                ident.span(),
                format!("`{ident}` names no auth type"),
                format!(
                    "write `#[auth_type(…)]` above it; auth types are {}",
                    known()
                ),
            );
        }
        return of_name
            .map(|name| LitStr::new(name, ident.span()))
            .into_iter()
            .collect();
    };
    let names = Punctuated::<Ident, Token![,]>::parse_terminated;
    let names = match syn::parse::Parser::parse2(names, marker_keys(attribute)) {
        Ok(names) if !names.is_empty() => names,
        _ => {
            errors.push(
                place(attribute),
                "`auth_type` takes one name or several",
                format!("`#[auth_type(api_key)]`; auth types are {}", known()),
            );
            return Vec::new();
        }
    };
    let mut auth_types = Vec::new();
    for name in names {
        let text = name.to_string();
        if AUTH_TYPES.contains(&text.as_str()) {
            auth_types.push(LitStr::new(&text, name.span()));
        } else {
            let help = match nearest(&text, AUTH_TYPES.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("auth types are {}", known()),
            };
            errors.push(name.span(), format!("unknown auth type `{text}`"), help);
        }
    }
    auth_types
}

fn place(attribute: &Attribute) -> Span {
    let keys = marker_keys(attribute);
    if keys.is_empty() {
        attribute.path().span()
    } else {
        keys.into_token_stream().span()
    }
}

fn known() -> String {
    format!("`{}`", AUTH_TYPES.join("`, `"))
}

fn check_free(auth_type: &LitStr, earlier: &[Form], errors: &mut Errors) {
    let name = auth_type.value();
    let taken = earlier
        .iter()
        .find(|form| form.auth_types.iter().any(|known| known.value() == name));
    if let Some(form) = taken {
        errors.push(
            auth_type.span(),
            format!("`{}` is the form of `{name}` already", form.variant),
            "one variant holds all forms of an auth type: an enum with `#[serde(tag = \"…\")]` or `#[serde(untagged)]`",
        );
    }
}
