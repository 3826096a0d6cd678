//! The manifest: a connector's description of itself at registration (`protocol.md` §4.5, §4.6).
//!
//! A missing key gets its default. Null is refused unless the type is an `Option`. Fields that Omni has are sent even when
//! they are null; a field that Omni does not have yet is left out when it is empty.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ActionMode, SourceType, SyncType};

/// All that a connector tells the manager about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The connector's name, used in the manager's messages.
    pub name: String,
    /// The name shown to people.
    pub display_name: String,
    /// The connector's version.
    pub version: String,
    /// The modes that `/sync` accepts.
    pub sync_modes: Vec<SyncType>,
    /// The connector's unique id at the manager.
    pub connector_id: String,
    /// The URL that the manager calls, without a trailing slash.
    pub connector_url: String,
    /// Always `connector` here.
    #[serde(default)]
    pub integration_type: IntegrationType,
    /// The source types it serves. Any string decodes; the manager routes nothing to unknown ones.
    #[serde(default)]
    pub source_types: Vec<String>,
    /// The description shown to people.
    #[serde(default)]
    pub description: Option<String>,
    /// The actions it offers.
    #[serde(default)]
    pub actions: Vec<ManifestAction>,
    /// The operators that people can type in a search.
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
    /// Whether an MCP server is attached.
    #[serde(default)]
    pub mcp_enabled: bool,
    /// Whether the MCP server's lists were loaded.
    #[serde(default)]
    pub mcp_catalog_loaded: bool,
    /// Resources of the MCP server.
    #[serde(default)]
    pub resources: Vec<ResourceDefinition>,
    /// Prompts of the MCP server.
    #[serde(default)]
    pub prompts: Vec<PromptDefinition>,
    /// Instructions that teach a language model how to use the connector.
    #[serde(default)]
    pub skills: Vec<Skill>,
    /// The OAuth part. The manager reads only `provider` of it.
    #[serde(default)]
    pub oauth: Option<Value>,
}

/// The party that serves a source.
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

/// An action, as declared by an author who implements the trait without the macros.
///
/// `Connector::action_scopes` gives its scopes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionDefinition {
    /// The name: letters, digits and underscores.
    pub name: String,
    /// The description for people and language models.
    pub description: String,
    /// JSON Schema of the parameters.
    pub input_schema: Value,
    /// Whether the action changes data.
    pub mode: ActionMode,
    /// The source types it supports; empty means all, and the manifest lists them.
    pub source_types: Vec<SourceType>,
    /// Only admins see it, and it runs with the organisation's credential.
    pub admin_only: bool,
    /// Hidden from all lists, but callable by name.
    pub hidden: bool,
}

/// An action in the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ManifestAction {
    /// The name: letters, digits and underscores.
    pub name: String,
    /// The description for people and language models.
    pub description: String,
    /// JSON Schema of the parameters.
    pub input_schema: Value,
    /// Whether the action changes data.
    #[serde(default)]
    pub mode: ActionMode,
    /// OAuth scopes that a person must have granted; none means undeclared, empty means none needed.
    #[serde(default)]
    pub required_scopes: Option<Vec<String>>,
    /// The source types it supports. The manager refuses calls when this is empty.
    #[serde(default)]
    pub source_types: Vec<SourceType>,
    /// Only admins see it.
    #[serde(default)]
    pub admin_only: bool,
    /// Hidden from all lists.
    #[serde(default)]
    pub hidden: bool,
}

/// `operator:value` in a search, and the document attribute it matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchOperator {
    /// The operator's name, in lower case.
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

/// Instructions that teach a language model how to use the connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// The id, unique across all connectors.
    pub id: String,
    /// The title shown to people.
    pub title: String,
    /// When to use it.
    #[serde(default)]
    pub description: Option<String>,
    /// The source types it applies to; empty means all source types of the connector.
    #[serde(default)]
    pub source_types: Vec<SourceType>,
    /// The instructions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The MCP prompt that returns the instructions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp_prompt: Option<String>,
}

/// A resource, or a resource template, of the MCP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourceDefinition {
    /// A URI template, or a concrete URI.
    pub uri_template: String,
    /// The name shown to people.
    pub name: String,
    /// A description of the resource.
    #[serde(default)]
    pub description: Option<String>,
    /// The MIME type of its content.
    #[serde(default)]
    pub mime_type: Option<String>,
}

/// A prompt of the MCP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PromptDefinition {
    /// Its name.
    pub name: String,
    /// The purpose of the prompt.
    #[serde(default)]
    pub description: Option<String>,
    /// The arguments it takes.
    #[serde(default)]
    pub arguments: Vec<PromptArgument>,
}

/// An argument of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// A description of the argument.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether the argument is required.
    #[serde(default)]
    pub required: bool,
}
