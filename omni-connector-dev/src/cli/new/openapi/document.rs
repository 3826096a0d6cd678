//! Reads an OpenAPI document (3.0 and 3.1) as far as a connector needs it. What cannot be read is left out.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Map, Value};

use super::yaml;
use crate::cli::failure::Failure;

/// How often a reference may lead to another one.
const REFERENCES: usize = 32;

/// A document.
#[derive(Debug)]
pub(super) struct Document(Value);

/// A `GET` that answers with a list of objects.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct List {
    /// Such as `/issues`.
    pub(super) path: String,
    /// Where the items are in the answer.
    pub(super) pointer: String,
    /// What an item has.
    pub(super) fields: BTreeMap<String, Field>,
    /// Its query.
    pub(super) parameters: BTreeMap<String, Parameter>,
    /// Members of the answer beside the items, by JSON pointers.
    pub(super) beside: Vec<String>,
    /// Whether one item can be read as well.
    pub(super) has_item: bool,
    /// Alternatives of how one signs in, each an object with names of schemes.
    pub(super) security: Value,
}

/// A parameter of the query.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    pub(super) schema: Value,
    /// Whether a call without it is refused.
    pub(super) is_required: bool,
}

/// One member of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Such as `string`, or empty.
    pub(super) kind: String,
    pub(super) format: String,
    pub(super) is_required: bool,
    /// For lists: what is in them.
    pub(super) of: String,
}

impl Document {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("`{shown}` cannot be read: {error}")))?;
        let is_json = text.trim_start().starts_with('{');
        let value = if is_json {
            serde_json::from_str(&text).map_err(|error| format!("is not JSON: {error}"))
        } else {
            yaml::read(&text).map_err(|error| format!("is neither JSON nor YAML: {error}"))
        };
        let value = value.map_err(|error| {
            Failure::usage(format!("`{shown}` {error}"))
                .help("a document of OpenAPI 3.0 or 3.1 in JSON or YAML is read")
        })?;
        let version = value["openapi"].as_str().unwrap_or_default();
        if !version.starts_with("3.") {
            let failure = Failure::usage(match value["swagger"].as_str() {
                Some(version) => format!("`{shown}` is a document of Swagger {version}"),
                None => format!("`{shown}` is not a document of OpenAPI 3"),
            });
            return Err(failure.help(
                "documents of OpenAPI 3.0 and 3.1 are read; other ones have to be converted first",
            ));
        }
        Ok(Self(value))
    }

    /// The address of the API, if the document has a whole one.
    pub(super) fn server(&self) -> Option<&str> {
        let url = self.0["servers"][0]["url"].as_str()?;
        (url.starts_with("http") && !url.contains('{')).then(|| url.trim_end_matches('/'))
    }

    /// The schemes of how one signs in, by their names.
    pub(super) fn schemes(&self) -> impl Iterator<Item = (&String, &Value)> {
        let schemes = self.0["components"]["securitySchemes"].as_object();
        let schemes = schemes.into_iter().flatten();
        schemes.map(|(name, scheme)| (name, self.resolved(scheme)))
    }

    /// The scopes of a scheme that `POST` on a path needs.
    pub(super) fn scopes_to_post(&self, path: &str, scheme: &str) -> Vec<String> {
        let post = &self.0["paths"][path]["post"];
        scopes(post.get("security").unwrap_or(&self.0["security"]), scheme)
    }

    /// All lists, and the `GET`s that are none, each with the reason.
    pub(super) fn lists(&self) -> (Vec<List>, Vec<(String, &'static str)>) {
        let (mut lists, mut others) = (Vec::new(), Vec::new());
        for (path, item) in self.0["paths"].as_object().into_iter().flatten() {
            let item = self.resolved(item);
            let get = &item["get"];
            if !get.is_object() {
                continue;
            }
            match self.list(path, item, get) {
                Ok(list) => lists.push(list),
                Err(reason) => others.push((path.clone(), reason)),
            }
        }
        (lists, others)
    }

    fn list(&self, path: &str, item: &Value, get: &Value) -> Result<List, &'static str> {
        if path.contains('{') {
            return Err("it is about one thing, which its path names");
        }
        let answer = self.answer(get).ok_or("it has no answer in JSON")?;
        let schema = self.flat(answer);
        let objects = |schema: &Value| {
            let items = self.flat(schema.get("items")?);
            (kind(schema) == "array" && !self.properties(&items).is_empty()).then_some(items)
        };
        let (pointer, of) = if let Some(of) = objects(&schema) {
            (String::new(), of)
        } else {
            let properties = self.properties(&schema);
            let mut found: Vec<_> = properties
                .iter()
                .filter_map(|(name, schema)| Some((name, objects(&self.flat(schema))?)))
                .collect();
            match (found.pop(), found.pop()) {
                (Some((name, of)), None) => (format!("/{}", escaped(name)), of),
                (Some(_), Some(_)) => return Err("its answer has several lists"),
                _ => return Err("its answer has no list of objects"),
            }
        };
        let required = of["required"].as_array().cloned().unwrap_or_default();
        let field = |(name, schema): (String, Value)| {
            let schema = self.flat(&schema);
            let field = Field {
                kind: kind(&schema).to_owned(),
                format: schema["format"].as_str().unwrap_or_default().to_owned(),
                is_required: required.iter().any(|one| *one == name),
                of: schema
                    .get("items")
                    .map(|of| kind(&self.flat(of)).to_owned())
                    .unwrap_or_default(),
            };
            (name, field)
        };
        let fields = self.properties(&of).into_iter().map(field).collect();
        let parameters = [item, get].map(|of| of["parameters"].as_array());
        let parameters = parameters
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|parameter| {
                let parameter = self.resolved(parameter);
                let name = parameter["name"]
                    .as_str()
                    .filter(|_| parameter["in"] == "query")?;
                let described = Parameter {
                    schema: self.flat(&parameter["schema"]),
                    is_required: parameter["required"] == true,
                };
                Some((name.to_owned(), described))
            });
        let below = format!("{path}/{{");
        let paths = self.0["paths"].as_object();
        let security = get.get("security").unwrap_or(&self.0["security"]);
        Ok(List {
            path: path.to_owned(),
            security: security.clone(),
            beside: self.beside(&schema, &pointer),
            pointer,
            fields,
            parameters: parameters.collect(),
            has_item: paths.into_iter().flatten().any(|(other, item)| {
                let rest = other.strip_prefix(&below);
                rest.is_some_and(|rest| !rest.contains('/')) && item["get"].is_object()
            }),
        })
    }

    /// The properties of the body of `POST` on a path.
    pub(super) fn posted(&self, path: &str) -> Vec<String> {
        let post = &self.0["paths"][path]["post"];
        let body = self.resolved(&post["requestBody"]);
        let Some(schema) = json_of(&body["content"]) else {
            return Vec::new();
        };
        self.properties(&self.flat(schema))
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    /// The schema of the answer to a good call.
    fn answer<'a>(&'a self, operation: &'a Value) -> Option<&'a Value> {
        let answers = &operation["responses"];
        let found = ["200", "2XX", "default"]
            .iter()
            .find_map(|status| answers.get(status))?;
        json_of(&self.resolved(found)["content"])
    }

    /// Returns the fields of the answer that are not lists, down to the second level.
    fn beside(&self, schema: &Value, pointer: &str) -> Vec<String> {
        let mut found = Vec::new();
        if pointer.is_empty() {
            return found;
        }
        for (name, schema) in self.properties(schema) {
            let at = format!("/{}", escaped(&name));
            let schema = self.flat(&schema);
            let below = self.properties(&schema);
            if below.is_empty() && kind(&schema) != "array" {
                found.push(at);
            } else {
                found.extend(
                    below
                        .iter()
                        .map(|(name, _)| format!("{at}/{}", escaped(name))),
                );
            }
        }
        found
    }

    fn resolved<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        for _ in 0..REFERENCES {
            let pointer = value.get("$ref").and_then(Value::as_str);
            match pointer.and_then(|pointer| self.0.pointer(pointer.strip_prefix('#')?)) {
                Some(target) => value = target,
                None => break,
            }
        }
        value
    }

    /// A schema with its references followed, and the parts of `allOf` put together.
    fn flat(&self, schema: &Value) -> Value {
        self.flat_within(schema, REFERENCES)
    }

    fn flat_within(&self, schema: &Value, left: usize) -> Value {
        let schema = self.resolved(schema);
        let (Some(parts), Some(left)) = (schema["allOf"].as_array(), left.checked_sub(1)) else {
            return schema.clone();
        };
        let mut properties = Map::new();
        let mut required = Vec::new();
        let own = Value::Object(
            schema
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(key, _)| *key != "allOf")
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        );
        let mut whole = own.clone();
        for part in parts.iter().chain([&own]) {
            let part = self.flat_within(part, left);
            if let Some(more) = part["properties"].as_object() {
                properties.extend(more.clone());
            }
            required.extend(part["required"].as_array().cloned().unwrap_or_default());
            for key in ["type", "items", "format"] {
                if let (None, Some(value)) = (whole.get(key), part.get(key)) {
                    whole[key] = value.clone();
                }
            }
        }
        if !properties.is_empty() {
            whole["properties"] = Value::Object(properties);
            whole["required"] = Value::Array(required);
        }
        whole
    }

    fn properties(&self, schema: &Value) -> Vec<(String, Value)> {
        let properties = self.resolved(schema)["properties"].as_object();
        let properties = properties.into_iter().flatten();
        properties
            .map(|(name, schema)| (name.clone(), schema.clone()))
            .collect()
    }
}

/// The type of a schema: of `["string", "null"]`, which 3.1 has, it is the first that is not null.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or_default(),
        _ if schema["properties"].is_object() => "object",
        _ if schema["items"].is_object() => "array",
        _ => "",
    }
}

/// The schema of content in JSON, such as `application/json` and `application/hal+json; charset=utf-8`.
fn json_of(content: &Value) -> Option<&Value> {
    let mut kinds = content.as_object()?.iter();
    kinds.find_map(|(kind, content)| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        (kind == "application/json" || kind.ends_with("+json")).then(|| content.get("schema"))?
    })
}

/// The scopes of a scheme in a list of alternatives.
pub(super) fn scopes(security: &Value, scheme: &str) -> Vec<String> {
    let alternatives = security.as_array().into_iter().flatten();
    let scopes = alternatives
        .filter_map(|one| one[scheme].as_array())
        .flatten();
    let mut found: Vec<String> = Vec::new();
    for scope in scopes.filter_map(Value::as_str) {
        if !found.iter().any(|known| known == scope) {
            found.push(scope.to_owned());
        }
    }
    found
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
