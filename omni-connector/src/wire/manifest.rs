//! The manifest: what a connector says of itself at registration (`protocol.md` §4.5, §4.6).
//!
//! Every list is always present and never null; defaults apply only where a key is absent, as in the manager.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ActionMode, SourceType, SyncType};

/// Everything the manager knows of a connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The connector's name, used in the manager's messages.
    pub name: String,
    /// What people read.
    pub display_name: String,
    /// The connector's version.
    pub version: String,
    /// What `/sync` can be asked for.
    pub sync_modes: Vec<SyncType>,
    /// The key of the registration.
    pub connector_id: String,
    /// Where the manager calls, without a trailing slash.
    pub connector_url: String,
    /// Always `connector` here.
    #[serde(default)]
    pub integration_type: IntegrationType,
    /// The systems it serves. Any text decodes; unknown ones route nothing.
    #[serde(default)]
    pub source_types: Vec<String>,
    /// What people read.
    #[serde(default)]
    pub description: Option<String>,
    /// What it offers to do.
    #[serde(default)]
    pub actions: Vec<ManifestAction>,
    /// What people can type in a search.
    #[serde(default)]
    pub search_operators: Vec<SearchOperator>,
    /// Blocks every write action.
    #[serde(default)]
    pub read_only: bool,
    /// JSON Schema of `metadata.extra`, read for e-mail addresses.
    #[serde(default)]
    pub extra_schema: Option<Value>,
    /// JSON Schema of document attributes, read for e-mail addresses.
    #[serde(default)]
    pub attributes_schema: Option<Value>,
    /// Whether an MCP server stands behind it.
    #[serde(default)]
    pub mcp_enabled: bool,
    /// Whether the lists of that server are known.
    #[serde(default)]
    pub mcp_catalog_loaded: bool,
    /// Resources of that server.
    #[serde(default)]
    pub resources: Vec<ResourceDefinition>,
    /// Prompts of that server.
    #[serde(default)]
    pub prompts: Vec<PromptDefinition>,
    /// Texts that teach a language model how to use the connector.
    #[serde(default)]
    pub skills: Vec<Skill>,
    /// The OAuth part, opaque to the manager but for `provider`.
    #[serde(default)]
    pub oauth: Option<Value>,
}

/// Who serves a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IntegrationType {
    /// A connector process.
    #[default]
    Connector,
    /// The manager itself, through a remote MCP server.
    RemoteMcp,
}

/// An action, as an author who writes the trait by hand declares it.
///
/// Scopes of such an action are given by `Connector::action_scopes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionDefinition {
    /// Letters, digits and underscores.
    pub name: String,
    /// What people and language models read.
    pub description: String,
    /// JSON Schema of the parameters.
    pub input_schema: Value,
    /// Whether it changes anything.
    pub mode: ActionMode,
    /// Where it works; empty means everywhere, and is written out in the manifest.
    pub source_types: Vec<SourceType>,
    /// Only admins see it, and the organisation's credential is used.
    pub admin_only: bool,
    /// Offered to nobody, but can be called by name.
    pub hidden: bool,
}

/// An action, as it stands in the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestAction {
    /// Letters, digits and underscores.
    pub name: String,
    /// What people and language models read.
    pub description: String,
    /// JSON Schema of the parameters.
    pub input_schema: Value,
    /// Whether it changes anything.
    #[serde(default)]
    pub mode: ActionMode,
    /// OAuth scopes a person must have granted; none = undeclared, empty = none needed.
    #[serde(default)]
    pub required_scopes: Option<Vec<String>>,
    /// Where it works. The manager refuses calls when this is empty.
    #[serde(default)]
    pub source_types: Vec<SourceType>,
    /// Only admins see it.
    #[serde(default)]
    pub admin_only: bool,
    /// Offered to nobody.
    #[serde(default)]
    pub hidden: bool,
}

/// `operator:value` in a search, and the document attribute it matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchOperator {
    /// What people type, in lower case.
    pub operator: String,
    /// The attribute's key.
    pub attribute_key: String,
    /// `text`, `person` or `datetime`.
    #[serde(default = "text")]
    pub value_type: String,
}

fn text() -> String {
    "text".to_owned()
}

/// A text that teaches a language model how to use the connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// Unique over all connectors.
    pub id: String,
    /// What people read.
    pub title: String,
    /// When to use it.
    #[serde(default)]
    pub description: Option<String>,
    /// Where it applies; empty means all of the connector's.
    #[serde(default)]
    pub source_types: Vec<SourceType>,
    /// The text itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The MCP prompt that yields the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp_prompt: Option<String>,
}

/// A resource, or a template of resources, of the MCP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDefinition {
    /// A URI template, or a concrete URI.
    pub uri_template: String,
    /// What people read.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: Option<String>,
    /// What it holds.
    #[serde(default)]
    pub mime_type: Option<String>,
}

/// A prompt of the MCP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptDefinition {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// What it takes.
    #[serde(default)]
    pub arguments: Vec<PromptArgument>,
}

/// An argument of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
}
