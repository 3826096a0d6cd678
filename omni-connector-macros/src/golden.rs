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

/// Returns the blocks of Rust in the README.
fn readme() -> Vec<String> {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let blocks = readme.split("```rust").skip(1);
    let blocks = blocks.map(|rest| rest.split_once('\n').unwrap().1);
    blocks
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// Returns the constants of `impl Methods` in a file, each formatted, also of an impl in a `const _`.
fn tables(file: &str) -> Vec<String> {
    let file = syn::parse_file(file).unwrap();
    let mut tables = Vec::new();
    for mut item in file.items {
        if let Item::Const(scope) = &item
            && let syn::Expr::Block(block) = &*scope.expr
        {
            let found = block
                .block
                .stmts
                .iter()
                .find_map(|statement| match statement {
                    syn::Stmt::Item(found @ Item::Impl(_)) => Some(found.clone()),
                    _ => None,
                });
            item = found.unwrap();
        }
        if let Item::Impl(methods) = item
            && methods
                .to_token_stream()
                .to_string()
                .contains("Methods < Block >")
        {
            for table in methods.items {
                let alone = syn::parse_quote!(impl Acme { #table });
                tables.push(prettyplease::unparse(&alone));
            }
        }
    }
    tables
}

#[test]
fn the_readme_shows_the_table_that_the_macros_write() {
    let blocks = readme();
    let shown = blocks
        .iter()
        .find(|block| block.starts_with("impl _omni::Methods"));
    let connector = blocks.iter().find(|block| block.contains("#[connector("));
    let written = tables(&prettyplease::unparse(&expand(connector.unwrap()).unwrap()));
    for table in tables(shown.unwrap()) {
        assert!(
            written.contains(&table),
            "{table}\nis none of\n{}",
            written.concat()
        );
    }
}

/// The most lines that the macros may add to a connector of ordinary size, so that a person could have written them.
const MOST_LINES: usize = 80;

#[test]
fn a_connector_of_the_readme_expands_to_at_most_80_lines() {
    let connectors = readme().into_iter();
    let connectors: Vec<_> = connectors
        .filter(|block| block.contains("#[connector("))
        .collect();
    assert!(!connectors.is_empty(), "README shows no connector");
    for connector in connectors {
        let mut file = expand(&connector).unwrap();
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
