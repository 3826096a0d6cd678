//! Tests the public interface of `omni-connector`, as its documentation shows it.

use std::collections::BTreeSet;

use omni_connector::{
    anyhow, arguments, axum, prelude::*, reqwest, schemars, serde, serde_json, time, url,
};
use syn::{Item, UseTree, Visibility};

fn items() -> Vec<Item> {
    syn::parse_file(include_str!("../../omni-connector/src/lib.rs"))
        .unwrap()
        .items
}

/// Returns the public modules, and whether each is hidden.
fn modules() -> Vec<(String, bool)> {
    let public = items().into_iter().filter_map(|item| match item {
        Item::Mod(module) if matches!(module.vis, Visibility::Public(_)) => Some(module),
        _ => None,
    });
    public
        .map(|module| {
            let hidden = module.attrs.iter().any(|attribute| {
                matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "hidden")
            });
            (module.ident.to_string(), hidden)
        })
        .collect()
}

/// Returns the names that `lib.rs` exports.
fn exports() -> BTreeSet<String> {
    fn names(tree: &UseTree, found: &mut BTreeSet<String>) {
        match tree {
            UseTree::Path(path) => {
                // `{self, …}` exports the name before it.
                if let UseTree::Group(group) = &*path.tree
                    && group
                        .items
                        .iter()
                        .any(|item| matches!(item, UseTree::Name(name) if name.ident == "self"))
                {
                    found.insert(path.ident.to_string());
                }
                names(&path.tree, found);
            }
            UseTree::Name(name) => {
                found.insert(name.ident.to_string());
            }
            UseTree::Rename(rename) => {
                found.insert(rename.rename.to_string());
            }
            UseTree::Group(group) => group.items.iter().for_each(|item| names(item, found)),
            UseTree::Glob(_) => {}
        }
    }
    let mut found = BTreeSet::new();
    for item in items() {
        if let Item::Use(item) = item
            && matches!(item.vis, Visibility::Public(_))
        {
            names(&item.tree, &mut found);
        }
    }
    found
}

#[test]
fn generated_code_uses_one_hidden_module() {
    let (hidden, shown): (Vec<_>, Vec<_>) = modules().into_iter().partition(|(_, hidden)| *hidden);
    let names = |modules: Vec<(String, bool)>| -> Vec<_> {
        modules.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(hidden), ["generated"]);
    assert_eq!(
        names(shown),
        [
            "arguments",
            "http",
            "manager",
            "prelude",
            "schema",
            "telemetry",
            "wire"
        ]
    );
}

#[test]
fn no_export_has_the_name_of_a_public_module() {
    let exports = exports();
    assert!(
        exports.contains("serve") && exports.contains("reqwest"),
        "{exports:?}"
    );
    for (module, _) in modules() {
        assert!(
            !exports.contains(&module),
            "`{module}` is a module and something else"
        );
    }
}

/// Compiles only if the crates in public signatures are exported.
#[test]
fn crates_in_signatures_are_exported() {
    let _ = |routes: axum::Router| omni_connector::serve_with_extra_routes(Nothing, routes);
    let _ = |client: reqwest::Client| -> HttpClient { client.into() };
    let _ = |error: &anyhow::Error| ActionError::of(error);
    let _ = |document: Document<'static>, at: time::OffsetDateTime| document.updated_at(at);
    let _ = |api: &url::Url| Api::at(api);
    let _: fn() -> schemars::Schema = || schemars::schema_for!(String);
    let _: fn(&str) -> serde_json::Result<Value> = |text| serde_json::from_str(text);
    assert_is_decoded::<Email>();
}

fn assert_is_decoded<T: serde::de::DeserializeOwned>() {}

/// Compiles only if the module has each of them.
#[test]
fn every_argument_type_is_in_one_module() {
    #[allow(
        clippy::too_many_arguments,
        reason = "there are as many argument types"
    )]
    fn all<C>(
        _: arguments::Config<()>,
        _: arguments::Credentials<()>,
        _: arguments::CredentialSettings<()>,
        _: arguments::Checkpoint<()>,
        _: arguments::SyncContext,
        _: arguments::Args<()>,
        _: arguments::Actor,
        _: arguments::WebhookRequest,
    ) where
        arguments::SyncContext: arguments::FromCall<C>,
    {
    }
    let _ = all::<arguments::CallOf<Nothing, arguments::OfSync>>;
}

/// A connector without documents.
#[connector(name = "nothing", source_types = [Web])]
struct Nothing;

#[connector]
impl Nothing {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}
