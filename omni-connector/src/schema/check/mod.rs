//! Finds mistakes in a manifest before it is registered: parts that the manager would refuse, and parts that it would accept
//! but that can never work.

mod names;
mod schema;

use std::{collections::HashSet, fmt};

use serde_json::Value;

pub(crate) use names::{LONGEST_NAME, longest_action_name, refused_property};

use crate::wire::{Manifest, ManifestAction, SourceType};

/// One mistake in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The severity of the mistake.
    pub severity: Severity,
    /// The part of the manifest, such as ``action `create_issue` ``.
    pub place: String,
    /// The description of the mistake.
    pub message: String,
    /// How to fix it.
    pub help: String,
}

/// The severity of a [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Omni refuses the whole connector, or a part of it can never work. The connector does not start.
    Error,
    /// The part works, but not as well as it could.
    Warning,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\nhelp: {}", self.place, self.message, self.help)
    }
}

/// Returns all mistakes in a manifest, in the order of its parts.
///
/// ```
/// use omni_connector::{schema::check, wire::Manifest};
///
/// let manifest: Manifest = serde_json::from_value(serde_json::json!({
///     "name": "acme", "display_name": "Acme", "version": "1", "sync_modes": ["full"], "connector_id": "acme",
///     "connector_url": "http://acme:4001", "source_types": ["jira"],
///     "search_operators": [{ "operator": "type", "attribute_key": "kind" }],
/// }))?;
/// assert_eq!(
///     check(&manifest)[0].to_string(),
///     "search operator `type`: Omni answers `type:` itself\nhelp: choose another name; by, in, type, before, after are taken",
/// );
/// # Ok::<_, serde_json::Error>(())
/// ```
pub fn check(manifest: &Manifest) -> Vec<Problem> {
    let mut problems = Problems::default();
    problems.connector(manifest);
    problems.actions(manifest);
    problems.operators(manifest);
    problems.skills(manifest);
    problems.oauth(manifest);
    problems.found
}

/// Names of operators that Omni reserves for itself (`protocol.md` §7.2).
pub const RESERVED_OPERATORS: [&str; 5] = ["by", "in", "type", "before", "after"];

/// Providers for which Omni can store a credential (`protocol.md` §4.9).
const PROVIDERS: [&str; 17] = [
    "google",
    "slack",
    "atlassian",
    "github",
    "microsoft",
    "notion",
    "hubspot",
    "fireflies",
    "imap",
    "clickup",
    "linear",
    "paperless_ngx",
    "nextcloud",
    "google_ads",
    "darwinbox",
    "remote_mcp",
    "windshift",
];

#[derive(Default)]
struct Problems {
    found: Vec<Problem>,
    place: String,
}

impl Problems {
    fn at(&mut self, place: impl Into<String>) -> &mut Self {
        self.place = place.into();
        self
    }

    fn error(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Error, message.into(), help.into());
    }

    fn warning(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Warning, message.into(), help.into());
    }

    fn add(&mut self, severity: Severity, message: String, help: String) {
        self.found.push(Problem {
            severity,
            place: self.place.clone(),
            message,
            help,
        });
    }

    fn connector(&mut self, manifest: &Manifest) {
        let id = &manifest.connector_id;
        self.at("connector");
        if id.is_empty() {
            self.error("the name is empty", "name it, such as `github`");
        } else if !is_name(id) || id.chars().any(char::is_uppercase) {
            self.warning(
                format!("the name `{id}` is unusual"),
                "names use `a-z`, `0-9` and `_`",
            );
        }
        let url = &manifest.connector_url;
        if url::Url::parse(url).is_err() || url.ends_with('/') {
            self.error(
                format!("`{url}` is no URL that the manager can append a path to"),
                "give it like `http://acme:4001`, without a slash at the end",
            );
        }
        if manifest.source_types.is_empty() {
            self.error(
                "it serves no source type, so that nothing reaches it",
                "name at least one source type",
            );
        }
    }

    fn actions(&mut self, manifest: &Manifest) {
        let mut names = HashSet::new();
        for action in &manifest.actions {
            self.at(format!("action `{}`", action.name));
            self.action_name(manifest, action);
            if !names.insert(&action.name) {
                self.error("there are two of this name", "name each action differently");
            }
            if action.description.trim().is_empty() {
                self.warning(
                    "it has no description, by which people and language models choose",
                    "say in a sentence what it does",
                );
            }
            self.source_types(manifest, &action.source_types);
            self.scopes(manifest, action);
            self.input_schema(&action.input_schema);
        }
    }

    fn action_name(&mut self, manifest: &Manifest, action: &ManifestAction) {
        let name = &action.name;
        if name.trim().is_empty() {
            return self.error("the name is empty", "name it, such as `create_issue`");
        }
        if !is_name(name) {
            self.warning(
                "language models may not be offered a name like this",
                "names use letters, digits and `_`",
            );
        }
        let own = action.source_types.iter().map(|of| of.as_str());
        let longest = if action.source_types.is_empty() {
            longest_action_name(manifest.source_types.iter().map(String::as_str))
        } else {
            longest_action_name(own)
        };
        let length = name.chars().count();
        if length > longest {
            self.warning(
                format!(
                    "the name has {length} characters, and many language models take no tools at all beside one of more than \
                     {longest}, since Omni puts the source type before it"
                ),
                "give it a shorter name",
            );
        }
        if let Some(property) = refused_property(&action.input_schema) {
            self.warning(
                format!(
                    "many language models take no tools at all beside one with a property like `{property}`"
                ),
                format!("names have at most {LONGEST_NAME} letters, digits, `_`, `-` and `.`"),
            );
        }
    }

    fn source_types(&mut self, manifest: &Manifest, listed: &[SourceType]) {
        for source_type in listed {
            if !manifest
                .source_types
                .iter()
                .any(|own| own == source_type.as_str())
            {
                self.warning(
                    format!("it lists the source type `{source_type}`, which the connector does not serve"),
                    format!("the connector serves {}", manifest.source_types.join(", ")),
                );
            }
        }
    }

    /// Checks that each scope can be granted; otherwise the action asks for consent forever (`protocol.md` §6.6).
    fn scopes(&mut self, manifest: &Manifest, action: &ManifestAction) {
        let Some(oauth) = &manifest.oauth else {
            return;
        };
        for scope in action.required_scopes.iter().flatten() {
            let granted = action.source_types.iter().any(|source_type| {
                let scopes = oauth["scopes"][source_type.as_str()]["write"].as_array();
                scopes.is_some_and(|scopes| scopes.iter().any(|granted| granted == scope))
            });
            if !granted {
                self.error(
                    format!("no source type grants the scope `{scope}`"),
                    "add it to the `write` scopes of the OAuth config, for the action's source types",
                );
            }
        }
    }

    fn operators(&mut self, manifest: &Manifest) {
        let mut names = HashSet::new();
        for operator in &manifest.search_operators {
            let name = &operator.operator;
            self.at(format!("search operator `{name}`"));
            if RESERVED_OPERATORS.contains(&name.as_str()) {
                self.error(
                    format!("Omni answers `{name}:` itself"),
                    format!(
                        "choose another name; {} are taken",
                        RESERVED_OPERATORS.join(", ")
                    ),
                );
            } else if !is_name(name) || name.chars().any(char::is_uppercase) {
                self.error(
                    "Omni never finds a name like this in a query",
                    "names use `a-z`, `0-9` and `_`",
                );
            }
            if !names.insert(name) {
                self.error(
                    "there are two of this name, and the first wins",
                    "name each operator differently",
                );
            }
            if operator.attribute_key.is_empty() {
                self.error(
                    "it names no attribute to look at",
                    "give the key of a document attribute",
                );
            }
            if !["text", "person", "datetime"].contains(&operator.value_type.as_str()) {
                self.warning(
                    format!("Omni knows no value type `{}`", operator.value_type),
                    "use `text`, `person` or `datetime`",
                );
            }
        }
    }

    fn skills(&mut self, manifest: &Manifest) {
        let mut ids = HashSet::new();
        for skill in &manifest.skills {
            self.at(format!("skill `{}`", skill.id));
            if skill.id.is_empty() {
                self.error("the id is empty", "give it one that no other connector has");
            }
            if !ids.insert(&skill.id) {
                self.error(
                    "there are two of this id",
                    "give each skill an id of its own",
                );
            }
            if skill.content.is_none()
                && skill.mcp_prompt.is_none()
                && !skill.id.starts_with("mcp:")
            {
                self.error(
                    "it has neither a text nor a prompt to get one from",
                    "give it `content` or `mcp_prompt`",
                );
            }
            self.source_types(manifest, &skill.source_types);
        }
    }

    fn oauth(&mut self, manifest: &Manifest) {
        let Some(oauth) = &manifest.oauth else {
            return;
        };
        self.at("oauth");
        match oauth["provider"].as_str() {
            Some(provider) if PROVIDERS.contains(&provider) => {}
            Some(provider) if !provider.is_empty() => self.warning(
                format!("Omni may have no provider `{provider}` to store a credential for"),
                format!("the known ones are {}", PROVIDERS.join(", ")),
            ),
            _ => self.error("it names no provider", "name one, such as `github`"),
        }
        for endpoint in ["auth_endpoint", "token_endpoint", "userinfo_endpoint"] {
            if oauth[endpoint]
                .as_str()
                .is_none_or(|url| url::Url::parse(url).is_err())
            {
                self.warning(
                    format!("`{endpoint}` is no URL"),
                    "give it in full, such as `https://example.com/oauth/token`",
                );
            }
        }
        if let Some(path) = oauth["enrich_endpoint"].as_str()
            && !is_free_path(path)
        {
            self.error(
                format!("the enrich endpoint `{path}` is no path of its own"),
                "name one that nothing else answers at, such as `/oauth/enrich`",
            );
        }
        let scopes = oauth["scopes"].as_object();
        for source_type in scopes.into_iter().flatten().map(|(name, _)| name) {
            if !manifest.source_types.contains(source_type) {
                self.warning(
                    format!(
                        "it has scopes for `{source_type}`, which the connector does not serve"
                    ),
                    format!("the connector serves {}", manifest.source_types.join(", ")),
                );
            }
        }
    }

    fn input_schema(&mut self, schema: &Value) {
        schema::look(self, schema);
    }
}

/// First path segments that the protocol or the runtime uses.
const TAKEN: [&str; 10] = [
    "dev", "health", "manifest", "metrics", "sync", "cancel", "action", "resource", "prompt",
    "skill",
];

/// Returns whether a path is plain and unused by the protocol.
pub(crate) fn is_free_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    let first = rest.split('/').next().unwrap_or_default();
    let is_plain = rest
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
    !first.is_empty() && is_plain && !TAKEN.contains(&first) && path != "/oauth/credential-ready"
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
pub(crate) mod tests;
