//! Compares the macros' copies of the protocol's closed lists with the runtime's. The macros cannot depend on the
//! runtime.

use omni_connector::{
    AuthType, SourceType,
    schema::{REFUSED_KEYS, RESERVED_OPERATORS},
};
use syn::{Expr, ExprLit, Item, Lit};

/// Returns the strings of a list in `valid/names.rs` of the macros.
fn list(name: &str) -> Vec<String> {
    let source = include_str!("../../omni-connector-macros/src/valid/names.rs");
    let items = syn::parse_file(source).unwrap().items;
    let list = items.into_iter().find_map(|item| match item {
        Item::Const(item) if item.ident == name => Some(*item.expr),
        _ => None,
    });
    let Some(Expr::Reference(list)) = list else {
        panic!("`{name}` is not a list");
    };
    let Expr::Array(list) = *list.expr else {
        panic!("`{name}` is not a list");
    };
    let text = |item| match item {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => text.value(),
        _ => panic!("`{name}` has an item that is not a string"),
    };
    list.elems.into_iter().map(text).collect()
}

#[test]
fn the_macros_know_the_source_types_of_the_runtime() {
    let known: Vec<_> = SourceType::ALL
        .iter()
        .map(|source_type| format!("{source_type:?}"))
        .collect();
    assert_eq!(list("SOURCE_TYPES"), known);
}

#[test]
fn the_macros_know_the_auth_types_of_the_runtime() {
    let known: Vec<_> = AuthType::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(list("AUTH_TYPES"), known);
}

#[test]
fn the_macros_refuse_the_properties_that_the_runtime_refuses() {
    assert_eq!(list("REFUSED_PROPERTIES"), REFUSED_KEYS);
}

#[test]
fn the_macros_reserve_the_operators_that_the_runtime_reserves() {
    assert_eq!(list("RESERVED_OPERATORS"), RESERVED_OPERATORS);
}

/// Each method of the trait is replaced with `#[replaces]`, or written by the author in another way.
#[test]
fn every_method_of_the_trait_can_be_replaced_or_is_written_anyway() {
    let source = include_str!("../../omni-connector/src/connector/definition.rs");
    let items = syn::parse_file(source).unwrap().items;
    let connector = items.into_iter().find_map(|item| match item {
        Item::Trait(item) if item.ident == "Connector" => Some(item),
        _ => None,
    });
    let methods = connector.unwrap().items.into_iter();
    let methods = methods.filter_map(|item| match item {
        syn::TraitItem::Fn(method) => Some(method.sig.ident.to_string()),
        _ => None,
    });
    let hooks = include_str!("../../omni-connector-macros/src/hooks.rs");
    let (_, replaced) = hooks.split_once("const REPLACED").unwrap();
    let (replaced, _) = replaced.split_once("};").unwrap();
    let replaceable = |method: &str| replaced.contains(&format!("    {method} \""));
    let written: Vec<_> = methods.filter(|method| !replaceable(method)).collect();
    assert_eq!(
        written,
        [
            // Keys of the struct.
            "name",
            "version",
            // Markers.
            "validate",
            "sync",
            // The same as `call_action`, with less to know.
            "execute_action",
            // The types of the struct's keys describe themselves.
            "type_schemas",
            // Markers.
            "skills",
            "oauth_config",
            "credential_ready",
            "enrich",
            "mcp_server",
            "prepare_mcp_env",
            "prepare_mcp_headers",
        ]
    );
}
