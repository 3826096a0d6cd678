//! Converts an MCP server's lists into the manifest's types (`protocol.md` §9.3).

use std::{collections::HashSet, time::Duration};

use rmcp::{
    ServiceError,
    model::{
        ErrorCode, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
        ListToolsResult, PaginatedRequestParams, Prompt, Resource, ResourceTemplate, Tool,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{failure::is_broken, session::Session};
use crate::{
    schema::{LONGEST_NAME, longest_action_name, refused_property, republished_schema},
    wire::{
        ActionMode, Manifest, ManifestAction, PromptArgument, PromptDefinition, ResourceDefinition,
        Skill, SourceType,
    },
};

/// The most repeated tools that the log names.
const MOST_NAMED: usize = 10;

/// The lists of one server. `source_types` of the actions are empty until they enter a manifest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Catalog {
    #[serde(default)]
    pub(super) actions: Vec<ManifestAction>,
    #[serde(default)]
    pub(super) resources: Vec<ResourceDefinition>,
    #[serde(default)]
    pub(super) prompts: Vec<PromptDefinition>,
}

impl Catalog {
    /// Reads every page of the lists that the server announces. Omni puts one of `source_types` before the name of a tool.
    pub(super) async fn of(
        session: &Session,
        source_types: &[SourceType],
    ) -> Result<Self, ServiceError> {
        let (peer, has) = (session.peer(), session.capabilities());
        let mut catalog = Self::default();
        if has.tools.is_some() {
            let tools = walk(TOOLS, |page| peer.list_tools(page)).await;
            let tools = match tools {
                // A server whose answer to `initialize` does not say what it offers.
                Err(ServiceError::McpError(error)) if error.code == ErrorCode::METHOD_NOT_FOUND => {
                    Vec::new()
                }
                tools => tools?,
            };
            let tools = named("tool", tools, |tool| &tool.name);
            let names = source_types.iter().map(|of| of.as_str());
            catalog.add_tools(tools, longest_action_name(names));
        }
        if has.resources.is_some() {
            let templates = walk("resource templates", |page| {
                peer.list_resource_templates(page)
            });
            let templates = optional("resource templates", templates.await)?;
            let listed = walk("resources", |page| peer.list_resources(page)).await;
            let listed = optional("resources", listed)?;
            let resources = templates.into_iter().map(template);
            let resources = resources.chain(listed.into_iter().map(resource));
            catalog.resources = named("resource", resources, |resource| &resource.uri_template);
        }
        if has.prompts.is_some() {
            let prompts = walk("prompts", |page| peer.list_prompts(page)).await;
            let prompts = optional("prompts", prompts)?;
            let prompts = prompts.into_iter().map(prompt);
            catalog.prompts = named("prompt", prompts, |prompt| &prompt.name);
        }
        Ok(catalog)
    }

    /// Adds tools, whose names language models take up to the length `longest`.
    fn add_tools(&mut self, tools: Vec<Tool>, longest: usize) {
        let mut names = HashSet::new();
        let mut repeated = 0;
        for tool in tools {
            let name = tool.name.to_string();
            let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if name.len() > longest || !name.chars().all(is_usual) {
                tracing::warn!(
                    tool = name,
                    "a tool of the MCP server has a name that many language models refuse, and all other tools with it: names have at most {longest} letters, digits, `_` and `-`, since Omni puts the source type before them"
                );
            }
            if !names.insert(name.clone()) {
                repeated += 1;
                if repeated <= MOST_NAMED {
                    tracing::warn!(
                        tool = name,
                        "the MCP server lists two tools of this name; the first stays"
                    );
                }
                continue;
            }
            let schema = Value::Object(tool.input_schema.as_ref().clone());
            match republished_schema(schema) {
                Ok(schema) => {
                    if let Some(property) = refused_property(&schema) {
                        tracing::warn!(
                            tool = name,
                            property,
                            "a tool of the MCP server has a property that many language models refuse, and all other tools with it: names have at most {LONGEST_NAME} letters, digits, `_`, `-` and `.`"
                        );
                    }
                    self.actions.push(action(tool, schema));
                }
                Err(error) => tracing::warn!(
                    tool = name,
                    "a tool of the MCP server is left out, since Omni would refuse the whole connector: {error}"
                ),
            }
        }
        if repeated > MOST_NAMED {
            tracing::warn!(
                "the MCP server lists {repeated} tools under a name that an earlier one has"
            );
        }
    }

    pub(super) fn action(&self, name: &str) -> Option<&ManifestAction> {
        self.actions.iter().find(|action| action.name == name)
    }

    /// Adds everything that the connector does not declare itself.
    pub(super) fn complete(&self, manifest: &mut Manifest) {
        let own: HashSet<_> = manifest
            .actions
            .iter()
            .map(|action| action.name.clone())
            .collect();
        let source_types: Vec<_> = manifest
            .source_types
            .iter()
            .filter_map(|source_type| source_type.parse().ok())
            .collect();
        let tools = self
            .actions
            .iter()
            .filter(|action| !own.contains(&action.name));
        manifest.actions.extend(tools.map(|action| ManifestAction {
            // An empty list reads as "everywhere" and is refused at dispatch (protocol.md §6.2).
            source_types: source_types.clone(),
            ..action.clone()
        }));
        manifest.resources.extend(self.resources.iter().cloned());
        manifest.prompts.extend(self.prompts.iter().cloned());
        for prompt in &self.prompts {
            let id = format!("{SKILL_PREFIX}{}", prompt.name);
            if manifest.skills.iter().all(|skill| skill.id != id) {
                manifest.skills.push(Skill {
                    id,
                    title: prompt.name.clone(),
                    description: prompt.description.clone(),
                    source_types: Vec::new(),
                    content: None,
                    mcp_prompt: Some(prompt.name.clone()),
                });
            }
        }
    }
}

/// The limits of a list in pages, items and bytes. Items beyond them are dropped with a warning.
const MOST_PAGES: usize = 200;
const MOST_ITEMS: usize = 5_000;
const MOST_BYTES: usize = 32 << 20;

/// Time limit of one page that may be missing.
const PAGE: Duration = Duration::from_secs(10);

const TOOLS: &str = "tools";

/// One page of a list.
trait Page {
    type Item: Serialize;
    fn split(self) -> (Vec<Self::Item>, Option<String>);
}

macro_rules! pages {
    ($($result:ident { $field:ident: $item:ident })+) => {
        $(impl Page for $result {
            type Item = $item;
            fn split(self) -> (Vec<$item>, Option<String>) {
                (self.$field, self.next_cursor)
            }
        })+
    };
}

pages! {
    ListToolsResult { tools: Tool }
    ListResourcesResult { resources: Resource }
    ListResourceTemplatesResult { resource_templates: ResourceTemplate }
    ListPromptsResult { prompts: Prompt }
}

/// Reads a list page by page. It ends at a repeated cursor, and is cut off at the limits.
async fn walk<P: Page, F>(
    what: &str,
    mut ask: impl FnMut(Option<PaginatedRequestParams>) -> F,
) -> Result<Vec<P::Item>, ServiceError>
where
    F: Future<Output = Result<P, ServiceError>>,
{
    let (mut items, mut bytes) = (Vec::new(), 0);
    let mut cursors = HashSet::new();
    let mut request = None;
    for _ in 0..MOST_PAGES {
        // Without the first page of its tools a server is of no use, so only the whole discovery is limited then.
        let is_needed = what == TOOLS && items.is_empty();
        let asked = ask(request.take());
        let answered = if is_needed {
            asked.await
        } else {
            let answered = tokio::time::timeout(PAGE, asked).await;
            answered.unwrap_or(Err(ServiceError::Timeout { timeout: PAGE }))
        };
        let (page, next) = match answered {
            Ok(page) => page.split(),
            // One bad page must not cost those before it.
            Err(error) if !items.is_empty() && !is_broken(&error) => {
                tracing::warn!(
                    %error,
                    "the list of {what} of the MCP server breaks off; {} of them are taken",
                    items.len()
                );
                return Ok(items);
            }
            Err(error) => return Err(error),
        };
        for item in page {
            bytes += serde_json::to_vec(&item).map_or(0, |text| text.len());
            if items.len() == MOST_ITEMS || bytes > MOST_BYTES {
                tracing::warn!(
                    "the list of {what} of the MCP server is too long; {} of them are taken",
                    items.len()
                );
                return Ok(items);
            }
            items.push(item);
        }
        let Some(next) = next.filter(|cursor| !cursor.is_empty()) else {
            return Ok(items);
        };
        if !cursors.insert(next.clone()) {
            tracing::warn!(
                "the list of {what} of the MCP server begins again at one of its cursors; {} of them are taken",
                items.len()
            );
            return Ok(items);
        }
        request = Some(PaginatedRequestParams::default().with_cursor(Some(next)));
    }
    tracing::warn!(
        "the list of {what} of the MCP server has more than {MOST_PAGES} pages; {} of them are taken",
        items.len()
    );
    Ok(items)
}

/// The prefix of skills that are prompts of the server.
pub(super) const SKILL_PREFIX: &str = "mcp:";

/// Treats a list that the server announces but does not have as empty. A broken connection is an error.
fn optional<T>(what: &str, list: Result<Vec<T>, ServiceError>) -> Result<Vec<T>, ServiceError> {
    match list {
        Err(error) if !is_broken(&error) => {
            tracing::warn!(%error, "the MCP server does not list its {what}");
            Ok(Vec::new())
        }
        list => list,
    }
}

/// Leaves out the items without a name: nobody can ask for them.
fn named<T>(what: &str, items: impl IntoIterator<Item = T>, name: fn(&T) -> &str) -> Vec<T> {
    let mut named: Vec<_> = items.into_iter().collect();
    named.retain(|item| {
        let is_named = !name(item).trim().is_empty();
        if !is_named {
            tracing::warn!("a {what} of the MCP server is left out, since it has no name");
        }
        is_named
    });
    named
}

fn action(tool: Tool, input_schema: Value) -> ManifestAction {
    let reads = tool
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.read_only_hint)
        .unwrap_or(false);
    let scopes = tool
        .meta
        .as_ref()
        .and_then(|meta| meta.0.get("required_scopes"));
    let scopes = scopes.and_then(Value::as_array).map(|scopes| {
        scopes
            .iter()
            .filter_map(|scope| scope.as_str().map(str::to_owned))
            .collect()
    });
    ManifestAction {
        name: tool.name.into_owned(),
        description: tool.description.unwrap_or_default().into_owned(),
        input_schema,
        mode: if reads {
            ActionMode::Read
        } else {
            ActionMode::Write
        },
        required_scopes: scopes,
        source_types: Vec::new(),
        admin_only: false,
        hidden: false,
    }
}

fn template(template: ResourceTemplate) -> ResourceDefinition {
    ResourceDefinition {
        uri_template: template.uri_template,
        name: template.name,
        description: template.description,
        mime_type: template.mime_type,
    }
}

fn resource(resource: Resource) -> ResourceDefinition {
    ResourceDefinition {
        uri_template: resource.uri,
        name: resource.name,
        description: resource.description,
        mime_type: resource.mime_type,
    }
}

fn prompt(prompt: Prompt) -> PromptDefinition {
    let arguments = prompt.arguments.unwrap_or_default();
    PromptDefinition {
        name: prompt.name,
        description: prompt.description,
        arguments: arguments
            .into_iter()
            .map(|argument| PromptArgument {
                name: argument.name,
                description: argument.description,
                required: argument.required.unwrap_or(false),
            })
            .collect(),
    }
}
