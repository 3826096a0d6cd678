//! Tests the macros' expansions against formatted files, one per feature, in `ui-tests/expand`. `EXPAND=overwrite cargo
//! test -p omni-connector-macros` writes them.

use std::{env, fs, path::Path};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Item};

use crate::{connector, credential_set, from_call, listed};

/// Expands every annotated item of a file.
fn expand(file: &str) -> syn::Result<syn::File> {
    let mut file = syn::parse_file(file)?;
    let mut items = Vec::new();
    for item in file.items {
        items.extend(expand_item(item)?);
    }
    file.items = items;
    Ok(file)
}

/// Returns what our derives add to an item.
fn derived(item: &Item) -> syn::Result<Vec<Item>> {
    let attributes = match item {
        Item::Enum(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        _ => return Ok(Vec::new()),
    };
    let mut expanded = TokenStream::new();
    for attribute in attributes.iter().filter(|of| of.path().is_ident("derive")) {
        attribute.parse_nested_meta(|derive| {
            if derive.path.is_ident("CredentialSet") {
                expanded.extend(credential_set::credential_set(item.to_token_stream()));
            } else if derive.path.is_ident("FromCall") {
                expanded.extend(from_call::from_call(item.to_token_stream()));
            }
            Ok(())
        })?;
    }
    syn::parse2::<syn::File>(expanded).map(|file| file.items)
}

fn expand_item(mut item: Item) -> syn::Result<Vec<Item>> {
    let Some(attribute) = attributes(&mut item).and_then(take_ours) else {
        let derived = derived(&item)?;
        return Ok(std::iter::once(item).chain(derived).collect());
    };
    let keys = match &attribute.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let item = item.into_token_stream();
    let expanded = match attribute.path().segments.last() {
        Some(name) if name.ident == "action" => listed::action(keys, item),
        Some(name) if name.ident == "search_operator" => listed::search_operator(keys, item),
        Some(name) if name.ident == "sync" => listed::method_only("sync", &keys, item),
        _ => connector::connector(keys, item),
    };
    syn::parse2::<syn::File>(expanded).map(|file| file.items)
}

fn attributes(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        Item::Fn(item) => Some(&mut item.attrs),
        _ => None,
    }
}

fn take_ours(attributes: &mut Vec<Attribute>) -> Option<Attribute> {
    let ours = ["connector", "action", "search_operator", "sync"];
    let index = attributes
        .iter()
        .position(|attribute| ours.iter().any(|name| attribute.path().is_ident(name)))?;
    Some(attributes.remove(index))
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ui-tests/expand");

#[test]
fn every_feature_expands_to_its_golden_file() {
    let overwrite = env::var("EXPAND").is_ok_and(|value| value == "overwrite");
    let mut fixtures: Vec<_> = fs::read_dir(FIXTURES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| is_fixture(path))
        .collect();
    fixtures.sort();
    assert!(!fixtures.is_empty());
    for fixture in fixtures {
        let file = expand(&fs::read_to_string(&fixture).unwrap()).unwrap();
        let found = prettyplease::unparse(&file);
        let golden = fixture.with_extension("expanded.rs");
        if overwrite {
            fs::write(&golden, &found).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(
            found,
            expected,
            "{} differs; `EXPAND=overwrite cargo test -p omni-connector-macros` writes it anew",
            golden.display()
        );
    }
}

/// The most lines that the macros may add to a connector of ordinary size, so that a person could have written them.
const MOST_LINES: usize = 80;

#[test]
fn a_connector_of_the_readme_expands_to_at_most_80_lines() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let connectors: Vec<_> = readme
        .split("```rust")
        .skip(1)
        .map(|rest| rest.split_once('\n').unwrap().1)
        .map(|rest| rest.split("```").next().unwrap())
        .filter(|block| block.contains("#[connector("))
        .collect();
    assert!(!connectors.is_empty(), "README shows no connector");
    for connector in connectors {
        let mut file = expand(connector).unwrap();
        file.items
            .retain(|item| matches!(item, syn::Item::Const(item) if item.ident == "_"));
        let generated = prettyplease::unparse(&file);
        let lines = generated.lines().count();
        assert!(lines <= MOST_LINES, "{lines} lines:\n{generated}");
    }
}

fn is_fixture(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.ends_with(".rs") && !name.ends_with(".expanded.rs")
}
