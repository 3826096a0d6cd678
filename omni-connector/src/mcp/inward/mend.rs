//! Repairs a server's answers so that the client library can decode them. Only the invalid part is dropped, and a
//! log line names it. Content is never invented.

mod content;

use std::collections::HashSet;

use rmcp::model::{
    InitializeResult, Prompt, PromptArgument, Resource, ResourceContents, ResourceTemplate,
    ServerCapabilities, Tool,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// Repairs the result of a request of `method`. Valid parts are not changed.
pub(super) fn result(method: &str, result: &mut Value) {
    if let Some(key) = list_of(method, result) {
        *result = Value::Object(Object::from_iter([(key.to_owned(), result.take())]));
    }
    let Value::Object(result) = result else {
        return;
    };
    camel_case(result);
    match method {
        "initialize" => initialized(result),
        "tools/list" => list(result, "tools", |tool| {
            object::<Tool>(tool, &["name", "inputSchema"])
        }),
        "resources/list" => list(result, "resources", |resource| {
            name_by(resource, "uri");
            object::<Resource>(resource, &["uri", "name"])
        }),
        "resources/templates/list" => list(result, "resourceTemplates", |template| {
            name_by(template, "uriTemplate");
            object::<ResourceTemplate>(template, &["uriTemplate", "name"])
        }),
        "prompts/list" => list(result, "prompts", |prompt| {
            each(prompt, "arguments", |argument| {
                object::<PromptArgument>(argument, &["name"])
            });
            object::<Prompt>(prompt, &["name"])
        }),
        "tools/call" | "tasks/result" => content::called(result),
        "resources/read" => {
            each(result, "contents", |contents| {
                object::<ResourceContents>(contents, &["uri", "text"])
                    .or_else(|_| object::<ResourceContents>(contents, &["uri", "blob"]))
            });
            keep(result, &["contents"]);
        }
        "prompts/get" if result.contains_key("messages") => {
            each(result, "messages", |message| {
                let content = content::block(message.remove("content").unwrap_or_default());
                message.insert("content".to_owned(), content);
                if !matches!(message.get("role"), Some(role) if role == "user" || role == "assistant")
                {
                    message.insert("role".to_owned(), json!("user"));
                }
                Ok(Vec::new())
            });
            keep(result, &["messages", "description"]);
            drop_unless(result, "description", Value::is_string);
        }
        _ => {}
    }
}

/// Returns the name of the only list in a result, for a result that is this list alone. A tool may return a string alone.
fn list_of(method: &str, result: &Value) -> Option<&'static str> {
    let is_text = method == "tools/call" && result.is_string();
    if !(result.is_array() || is_text) {
        return None;
    }
    Some(match method {
        "tools/list" => "tools",
        "resources/list" => "resources",
        "resources/templates/list" => "resourceTemplates",
        "prompts/list" => "prompts",
        "tools/call" => "content",
        "resources/read" => "contents",
        "prompts/get" => "messages",
        _ => return None,
    })
}

/// Renames keys that a program wrote as it calls them itself, as Python does.
fn camel_case(object: &mut Object) {
    const NAMES: [(&str, &str); 10] = [
        ("input_schema", "inputSchema"),
        ("is_error", "isError"),
        ("mime_type", "mimeType"),
        ("next_cursor", "nextCursor"),
        ("output_schema", "outputSchema"),
        ("protocol_version", "protocolVersion"),
        ("resource_templates", "resourceTemplates"),
        ("server_info", "serverInfo"),
        ("structured_content", "structuredContent"),
        ("uri_template", "uriTemplate"),
    ];
    for (written, name) in NAMES {
        if !object.contains_key(name)
            && let Some(value) = object.remove(written)
        {
            object.insert(name.to_owned(), value);
        }
    }
}

/// The repairs of an object, or the reason why it is dropped.
type Mended = Result<Vec<String>, String>;

/// Removes the fields that keep `object` from decoding as `T`. Fails if one of `required` is invalid.
fn object<T: DeserializeOwned>(object: &mut Object, required: &[&str]) -> Mended {
    let whole = match decoded::<T>(object) {
        Ok(()) => return Ok(Vec::new()),
        Err(error) => error,
    };
    let mut kept: Object = required
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), object.get(*key)?.clone())))
        .collect();
    if kept.len() < required.len() {
        return Err(whole);
    }
    decoded::<T>(&kept)?;
    let mut dropped = Vec::new();
    for (key, value) in object.iter() {
        if kept.contains_key(key) {
            continue;
        }
        kept.insert(key.clone(), value.clone());
        if decoded::<T>(&kept).is_err() {
            kept.remove(key);
            dropped.push(key.clone());
        }
    }
    *object = kept;
    Ok(dropped)
}

fn decoded<T: DeserializeOwned>(object: &Object) -> Result<(), String> {
    serde_json::from_value::<T>(Value::Object(object.clone()))
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Repairs one page of a list.
fn list(result: &mut Object, key: &str, item: impl FnMut(&mut Object) -> Mended) {
    result.entry(key).or_insert(Value::Null);
    each(result, key, item);
    // An empty cursor means the end, as does one that is not a string.
    drop_unless(result, "nextCursor", |cursor| {
        cursor.as_str().is_some_and(|cursor| !cursor.is_empty())
    });
    keep(result, &[key, "nextCursor"]);
}

/// Repairs each item of the list `key`, and drops those that cannot be repaired. A missing or null list is empty.
fn each(result: &mut Object, key: &str, mut item: impl FnMut(&mut Object) -> Mended) {
    let Some(list) = result.get_mut(key) else {
        return;
    };
    match list {
        Value::Null => *list = json!([]),
        // Some programs write a list by the names of its items, or one item alone.
        Value::Object(by_name) => {
            let is_one = called_by(by_name).is_some() || by_name.contains_key("role");
            let items: Vec<_> = if is_one {
                vec![list.take()]
            } else {
                let named = by_name
                    .iter_mut()
                    .map(|(name, item)| with_name(name, item.take()));
                named.collect()
            };
            *list = Value::Array(items);
        }
        _ => {}
    }
    let Value::Array(items) = list else {
        tracing::warn!("`{key}` of the MCP server is left out: it is not a list");
        *list = json!([]);
        return;
    };
    let mut place = 0;
    items.retain_mut(|value| {
        place += 1;
        let Value::Object(object) = value else {
            tracing::warn!("item {place} of `{key}` of the MCP server is left out: it is not an object");
            return false;
        };
        camel_case(object);
        let name = called_by(object).unwrap_or_else(|| format!("item {place}"));
        match item(object) {
            Ok(dropped) if dropped.is_empty() => true,
            Ok(dropped) => {
                tracing::warn!(
                    "`{name}` of `{key}` of the MCP server is taken without its `{}`, which cannot be read",
                    dropped.join("`, `")
                );
                true
            }
            Err(error) => {
                tracing::warn!("`{name}` of `{key}` of the MCP server is left out: {error}");
                false
            }
        }
    });
}

/// Gives an item the name under which a list has it, unless it has one.
fn with_name(name: &str, mut item: Value) -> Value {
    if let Value::Object(item) = &mut item {
        item.entry("name").or_insert_with(|| name.into());
    }
    item
}

/// Returns an item's name, for the log.
fn called_by(object: &Object) -> Option<String> {
    let name = ["name", "uri", "uriTemplate"]
        .iter()
        .find_map(|key| object.get(*key)?.as_str())?;
    Some(name.chars().take(100).collect())
}

/// Uses the address of a resource as its name if it has none.
fn name_by(resource: &mut Object, address: &str) {
    if !resource.get("name").is_some_and(Value::is_string)
        && let Some(address) = resource.get(address).cloned()
    {
        resource.insert("name".to_owned(), address);
    }
}

fn initialized(result: &mut Object) {
    let offered = result.get("capabilities").and_then(Value::as_object);
    if offered.is_none_or(Object::is_empty)
        && !result.get("capabilities").is_some_and(Value::is_array)
    {
        // A server that offers nothing at all has tools, and did not think of saying so.
        result.insert("capabilities".to_owned(), json!({ "tools": {} }));
    }
    if decoded::<InitializeResult>(result).is_ok() {
        return;
    }
    capabilities(result);
    if !result.get("protocolVersion").is_some_and(Value::is_string) {
        // The oldest version: it is what a server without a version can be expected to speak.
        result.insert("protocolVersion".to_owned(), json!("2024-11-05"));
    }
    let server = result.entry("serverInfo").or_insert_with(|| json!({}));
    if let Value::Object(server) = server {
        for key in ["name", "version"] {
            if !server.get(key).is_some_and(Value::is_string) {
                server.insert(key.to_owned(), json!(""));
            }
        }
        server.retain(|key, value| matches!(&**key, "name" | "version") || value.is_string());
    } else {
        *server = json!({ "name": "", "version": "" });
    }
    let _ = object::<InitializeResult>(result, &["protocolVersion", "capabilities", "serverInfo"]);
}

/// Repairs what a server says it offers. Something that cannot be read is offered without its details.
fn capabilities(result: &mut Object) {
    let offered = result.entry("capabilities").or_insert(Value::Null);
    if let Value::Array(names) = offered {
        // A list of names, or an empty object as PHP writes it.
        let names = names.iter().filter_map(Value::as_str);
        *offered = names.map(|name| (name.to_owned(), json!({}))).collect();
    }
    if !offered.is_object() {
        *offered = json!({});
    }
    let Value::Object(offered) = offered else {
        return;
    };
    for (name, details) in offered.iter_mut() {
        let alone = Object::from_iter([(name.clone(), details.clone())]);
        if decoded::<ServerCapabilities>(&alone).is_err() {
            let is_refused = matches!(details, Value::Bool(false) | Value::Null);
            *details = if is_refused { Value::Null } else { json!({}) };
        }
    }
    offered.retain(|_, details| !details.is_null());
}

/// Removes all keys except `keys`: others would make it a result of another kind.
fn keep(result: &mut Object, keys: &[&str]) {
    let keys: HashSet<_> = keys.iter().copied().collect();
    if result.contains_key("inputRequests") || result.contains_key("task") {
        return;
    }
    result.retain(|key, _| keys.contains(&**key));
}

fn drop_unless(result: &mut Object, key: &str, is_right: impl Fn(&Value) -> bool) {
    if result.get(key).is_some_and(|value| !is_right(value)) {
        result.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(method: &str, mut value: Value) -> Value {
        result(method, &mut value);
        value
    }

    #[test]
    fn an_invalid_tool_is_dropped_and_an_invalid_part_of_a_tool_is_repaired() {
        let good = json!({ "name": "good", "inputSchema": { "type": "object" } });
        for (odd, left) in [
            (json!({ "name": "bad" }), None),
            (json!({ "name": "bad", "inputSchema": null }), None),
            (json!({ "name": "bad", "inputSchema": true }), None),
            (json!({ "inputSchema": {} }), None),
            (json!("bad"), None),
            (json!({ "name": 7, "inputSchema": {} }), None),
            (
                json!({ "name": "bad", "inputSchema": {}, "outputSchema": true }),
                Some("outputSchema"),
            ),
            (
                json!({ "name": "bad", "inputSchema": {}, "annotations": { "readOnlyHint": "true" } }),
                Some("annotations"),
            ),
            (
                json!({ "name": "bad", "inputSchema": {}, "icons": "x.png" }),
                Some("icons"),
            ),
            (
                json!({ "name": "bad", "inputSchema": {}, "description": 7 }),
                Some("description"),
            ),
        ] {
            let page = mended(
                "tools/list",
                json!({ "tools": [odd, good], "nextCursor": "", "junk": 1 }),
            );
            let expected = match left {
                None => json!({ "tools": [good] }),
                Some(part) => {
                    let mut tool = odd.clone();
                    tool.as_object_mut().unwrap().remove(part);
                    json!({ "tools": [tool, good] })
                }
            };
            assert_eq!(page, expected, "{odd}");
        }
    }

    #[test]
    fn an_unreadable_block_becomes_a_note_and_the_others_stay() {
        let text = json!({ "type": "text", "text": "kept" });
        let note = |kind: &str| json!({ "type": "text", "text": format!("[content of kind `{kind}` that cannot be read]") });
        for (odd, left) in [
            (json!({ "type": "hologram", "data": "" }), note("hologram")),
            (json!({ "type": "text", "text": null }), note("text")),
            (json!({ "text": "x" }), note("unknown")),
            (json!(null), note("unknown")),
            (
                json!({ "type": "resource", "resource": { "uri": "a:b" } }),
                note("resource"),
            ),
            (
                json!({ "type": "resource_link", "uri": "a:b" }),
                json!({ "type": "resource_link", "uri": "a:b", "name": "a:b" }),
            ),
            (
                json!({ "type": "text", "text": "x", "annotations": { "audience": ["tool"] } }),
                json!({ "type": "text", "text": "x" }),
            ),
        ] {
            let result = mended(
                "tools/call",
                json!({ "content": [odd, text], "isError": "false" }),
            );
            assert_eq!(
                result,
                json!({ "content": [left, text], "isError": false }),
                "{odd}"
            );
        }
    }

    #[test]
    fn an_odd_part_of_a_message_or_resource_is_repaired_or_dropped_alone() {
        let text = json!({ "type": "text", "text": "kept" });
        assert_eq!(
            mended(
                "prompts/get",
                json!({ "description": 7, "messages": [
                    { "role": "system", "content": text }, { "role": "assistant", "content": { "type": "hologram" } }, 7,
                ] })
            ),
            json!({ "messages": [
                { "role": "user", "content": text },
                { "role": "assistant", "content": { "type": "text", "text": "[content of kind `hologram` that cannot be read]" } },
            ] })
        );
        assert_eq!(
            mended(
                "resources/read",
                json!({ "contents": [{ "uri": "a:b" }, { "uri": "a:b", "text": "x", "mimeType": 7 }] })
            ),
            json!({ "contents": [{ "uri": "a:b", "text": "x" }] })
        );
        assert_eq!(
            mended(
                "resources/list",
                json!({ "resources": [{ "uri": "a:b" }, { "name": "c" }], "nextCursor": null })
            ),
            json!({ "resources": [{ "uri": "a:b", "name": "a:b" }] })
        );
        assert_eq!(
            mended(
                "prompts/list",
                json!({ "prompts": [{ "name": "a", "arguments": [{ "name": "b" }, { "description": "c" }] }, {}] })
            ),
            json!({ "prompts": [{ "name": "a", "arguments": [{ "name": "b" }] }] })
        );
    }

    #[test]
    fn a_server_with_a_faulty_initialize_result_is_accepted() {
        let mut little = json!({ "protocolVersion": "2025-06-18", "serverInfo": { "name": 7 }, "instructions": [] });
        result("initialize", &mut little);
        assert!(
            serde_json::from_value::<InitializeResult>(little.clone()).is_ok(),
            "{little}"
        );
    }

    #[test]
    fn valid_messages_are_not_changed() {
        for (method, right) in [
            (
                "tools/call",
                json!({ "content": [{ "type": "text", "text": "a", "annotations": { "priority": 0.6 } }], "structuredContent": { "n": 1 } }),
            ),
            ("tools/call", json!({ "task": { "taskId": "1" } })),
            ("tools/list", json!({ "tools": [], "nextCursor": "2" })),
            ("ping", json!({ "tools": 1 })),
        ] {
            assert_eq!(mended(method, right.clone()), right);
        }
    }
}
