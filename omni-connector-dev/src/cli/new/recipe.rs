//! The answers that a package was made from, which its manifest keeps below `[package.metadata.omni]`.

use omni_connector::SourceType;
use serde::{Deserialize, Serialize};

use super::{
    kind::{Kind, Mcp, Server},
    names::Names,
    tools::Tools,
};
use crate::cli::failure::Failure;

/// What made a package. An answer that its kind does not need is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Recipe {
    /// The version of omni-connector that the template came with.
    pub(super) version: String,
    source_type: String,
    /// What the source has many of.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paging: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incremental: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// How many tools the server listed; none if it was not asked, or did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tools: Option<usize>,
}

/// The kind of a package that was made from an OpenAPI document.
const OPENAPI: &str = "openapi";

impl Recipe {
    pub(super) fn of(kind: &Kind, names: &Names) -> Self {
        let mut recipe = Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            source_type: names.source_type.as_str().to_owned(),
            item: Some(names.item.clone()),
            ..Self::default()
        };
        let name = match kind {
            Kind::Rest {
                auth,
                paging,
                incremental,
                access,
            } => {
                recipe.auth = Some(auth.clone());
                recipe.paging = Some(paging.clone());
                recipe.incremental = Some(incremental.clone());
                recipe.access = Some(access.clone());
                "rest"
            }
            Kind::GraphQl {
                auth,
                incremental,
                access,
            } => {
                recipe.auth = Some(auth.clone());
                recipe.incremental = Some(incremental.clone());
                recipe.access = Some(access.clone());
                "graphql"
            }
            Kind::Document(_) => OPENAPI,
            Kind::Files { access } => {
                recipe.item = None;
                recipe.access = Some(access.clone());
                "files"
            }
            Kind::Other {
                incremental,
                access,
            } => {
                recipe.incremental = Some(incremental.clone());
                recipe.access = Some(access.clone());
                "other"
            }
            Kind::Mcp(mcp) => {
                recipe.item = None;
                match &mcp.server {
                    Server::Command(command) => recipe.command = Some(command.clone()),
                    Server::Url(url) => recipe.url = Some(url.clone()),
                }
                recipe.auth = Some(mcp.auth.clone());
                recipe.tools = mcp.tools.as_ref().map(Tools::count);
                "mcp"
            }
        };
        name.clone_into(&mut recipe.kind);
        recipe
    }

    /// Puts it into the manifest of the package.
    pub(super) fn in_manifest(&self, manifest: &str) -> String {
        let fields = serde_json::to_value(self).unwrap_or_default();
        let mut table = String::from("[package.metadata.omni]\n");
        for (key, value) in fields.as_object().into_iter().flatten() {
            // A string of JSON is one of TOML.
            table.extend([key, " = ", &value.to_string(), "\n"]);
        }
        match manifest.split_once("[dependencies]") {
            Some((before, after)) => format!("{before}{table}\n[dependencies]{after}"),
            None => format!("{manifest}\n{table}"),
        }
    }

    /// Returns the answers again, for a package of this name.
    ///
    /// # Errors
    /// The package was made from a document, or its answers mean nothing to this version.
    pub(super) fn answers(self, package: &str) -> Result<(Kind, Names), Failure> {
        if self.kind == OPENAPI {
            let failure = Failure::usage(format!("`{package}` was made from an OpenAPI document"));
            return Err(failure.help(
                "make it once more from the document of today, in another folder, and compare the two",
            ));
        }
        let odd = |what: &str| {
            let message = format!(
                "the answers that `{package}` was made from do not fit: {what}; they are in its Cargo.toml, below `[package.metadata.omni]`"
            );
            let help = format!(
                "omni-connector {} wrote them, and this is {}",
                self.version,
                env!("CARGO_PKG_VERSION")
            );
            Failure::usage(message).help(help)
        };
        let given = |key: &str, value: &Option<String>, all: &[&str]| match value {
            Some(value) if all.contains(&value.as_str()) => Ok(value.clone()),
            Some(value) => Err(odd(&format!("`{key} = \"{value}\"` is not known"))),
            None => Err(odd(&format!("`{key}` is missing"))),
        };
        let auth = || given("auth", &self.auth, &super::answers::AUTH);
        let paging = || given("paging", &self.paging, &super::answers::PAGING);
        let incremental = || {
            let all = &super::answers::INCREMENTAL;
            given("incremental", &self.incremental, all)
        };
        let access = || given("access", &self.access, &super::answers::ACCESS);
        let kind = match (self.kind.as_str(), &self.command, &self.url) {
            ("rest", ..) => Kind::Rest {
                auth: auth()?,
                paging: paging()?,
                incremental: incremental()?,
                access: access()?,
            },
            ("graphql", ..) => Kind::GraphQl {
                auth: auth()?,
                incremental: incremental()?,
                access: access()?,
            },
            ("files", ..) => Kind::Files { access: access()? },
            ("other", ..) => Kind::Other {
                incremental: incremental()?,
                access: access()?,
            },
            ("mcp", command, url) => {
                // Earlier versions did not ask how the connector signs in at a server.
                let (server, usual) = match (command, url) {
                    (Some(command), _) => (Server::Command(command.clone()), "key"),
                    (None, Some(url)) => (Server::Url(url.clone()), "bearer"),
                    (None, None) => return Err(odd("`command` and `url` are missing")),
                };
                let auth = self.auth.is_some().then(auth).transpose()?;
                Kind::Mcp(Mcp {
                    server,
                    auth: auth.unwrap_or_else(|| usual.to_owned()),
                    tools: None,
                })
            }
            (kind, ..) => return Err(odd(&format!("`kind = \"{kind}\"` is not known"))),
        };
        let source_type: Result<SourceType, _> = self.source_type.parse();
        let source_type = source_type.map_err(|_| odd("`source-type` is not known"))?;
        let names = Names::new(package, source_type, self.item.as_deref())?;
        Ok((kind, names))
    }
}
