//! The contract: what the manager, language models and people need of a manifest, and what a package has beside its code.

use std::collections::HashMap;

use omni_connector::{
    Manifest,
    schema::{Severity, check},
};
use serde_json::Value;

use super::{Depth, Line, Verdict};
use crate::cli::{Failure, Interrupts, package::Package, running::Running, target::Program};

/// Characters of a description that language models keep.
const DESCRIPTION: usize = 1024;
/// How deep schemas may be, and how many properties they may have, for strict callers of tools.
const LEVELS: usize = 10;
const PROPERTIES: usize = 100;

/// Starts the connector, and looks at its manifest and its package.
pub(super) async fn look(
    package: &Package,
    program: &Program,
    interrupts: &Interrupts,
) -> Result<Vec<Line>, Failure> {
    let running = Running::start(program, interrupts).await?;
    let manifest = running.manifest.clone();
    running.stop(interrupts).await;
    let mut lines = vec![Line::new(
        Depth::Contract,
        "start",
        Verdict::Ok,
        "it builds, starts and registers",
    )];
    lines.extend(of_manifest(&manifest));
    lines.extend(of_package(package));
    Ok(lines)
}

fn line(rule: &str, verdict: Verdict, message: impl Into<String>) -> Line {
    Line::new(Depth::Contract, rule, verdict, message)
}

/// The rules of a manifest. A rule that nothing breaks has one line as well.
fn of_manifest(manifest: &Manifest) -> Vec<Line> {
    let problems = check(manifest).into_iter().map(|problem| {
        let verdict = match problem.severity {
            Severity::Error => Verdict::Fail,
            Severity::Warning => Verdict::Warn,
        };
        line("manifest", verdict, problem.message)
            .at(problem.place)
            .help(problem.help)
    });
    let (actions, operators) = (manifest.actions.len(), manifest.search_operators.len());
    let mut lines = or_ok(
        problems.collect(),
        "manifest",
        format!("Omni accepts {actions} actions and {operators} search operators"),
    );
    lines.extend(or_ok(
        descriptions(manifest),
        "descriptions",
        "each action has one of its own",
    ));
    lines.extend(or_ok(
        schemas(manifest),
        "schemas",
        "language models accept the inputs",
    ));
    lines
}

fn or_ok(lines: Vec<Line>, rule: &str, message: impl Into<String>) -> Vec<Line> {
    if lines.is_empty() {
        vec![line(rule, Verdict::Ok, message)]
    } else {
        lines
    }
}

fn descriptions(manifest: &Manifest) -> Vec<Line> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    let mut lines = Vec::new();
    for action in &manifest.actions {
        let text = action.description.trim();
        let place = format!("action `{}`", action.name);
        let length = text.chars().count();
        if length > DESCRIPTION {
            let message = format!(
                "its description has {length} characters, and language models keep {DESCRIPTION}"
            );
            let help = "say first what it does and when, and leave out the rest";
            lines.push(
                line("descriptions", Verdict::Warn, message)
                    .at(&place)
                    .help(help),
            );
        }
        if let Some(other) = seen.insert(text, &action.name).filter(|_| !text.is_empty()) {
            let message = format!("its description is the one of `{other}`");
            let help = "say what tells them apart, since a language model chooses by it";
            lines.push(
                line("descriptions", Verdict::Warn, message)
                    .at(place)
                    .help(help),
            );
        }
    }
    lines
}

fn schemas(manifest: &Manifest) -> Vec<Line> {
    let mut lines = Vec::new();
    for action in &manifest.actions {
        let place = format!("action `{}`", action.name);
        let levels = levels(&action.input_schema);
        if levels > LEVELS {
            let message =
                format!("its input is {levels} levels deep, and strict callers take {LEVELS}");
            let help = "take the inner values as parameters of their own";
            lines.push(
                line("schemas", Verdict::Warn, message)
                    .at(&place)
                    .help(help),
            );
        }
        let count = properties(&action.input_schema);
        if count > PROPERTIES {
            let message =
                format!("its input has {count} properties, and strict callers take {PROPERTIES}");
            let help = "make several actions of it";
            lines.push(line("schemas", Verdict::Warn, message).at(place).help(help));
        }
    }
    lines
}

/// How many objects are within one another.
fn levels(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => {
            let is_object = usize::from(members.get("properties").is_some_and(Value::is_object));
            is_object + members.values().map(levels).max().unwrap_or(0)
        }
        Value::Array(items) => items.iter().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn properties(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => {
            let own = members.get("properties").and_then(Value::as_object);
            own.map_or(0, serde_json::Map::len) + members.values().map(properties).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(properties).sum(),
        _ => 0,
    }
}

fn of_package(package: &Package) -> Vec<Line> {
    let readme = if package.has_readme() {
        line("readme", Verdict::Ok, "the package has one")
    } else {
        line("readme", Verdict::Warn, "the package has no README.md")
            .help("say what the connector reads, and what a source of it needs")
    };
    let licence = match package.licence() {
        Some(licence) => line("licence", Verdict::Ok, licence),
        None if package.is_private() => {
            let reason = "the package is never published (`publish = false`)";
            line("licence", Verdict::LeftOut, reason)
        }
        None => line("licence", Verdict::Warn, "the package names no licence")
            .help("set `license` in its `Cargo.toml`, or `publish = false`"),
    };
    let version = if package.version() == "0.0.0" {
        line(
            "version",
            Verdict::Warn,
            "the version is 0.0.0, by which nobody can tell two builds apart",
        )
        .help("set `version` in its `Cargo.toml`")
    } else {
        line("version", Verdict::Ok, package.version())
    };
    vec![readme, licence, version]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(actions: &Value) -> Manifest {
        serde_json::from_value(json!({
            "name": "acme", "display_name": "Acme", "version": "1", "sync_modes": ["full"], "connector_id": "acme",
            "connector_url": "http://acme:4001", "source_types": ["jira"], "actions": actions,
            "search_operators": [{ "operator": "type", "attribute_key": "kind" }],
        }))
        .unwrap()
    }

    fn action(name: &str, description: &str, schema: &Value) -> Value {
        json!({ "name": name, "description": description, "mode": "read", "input_schema": schema,
            "source_types": ["jira"], "admin_only": false })
    }

    #[test]
    fn what_breaks_a_rule_has_its_place_and_the_way_out() {
        let mut deep = json!({ "type": "string" });
        for _ in 0..11 {
            deep = json!({ "type": "object", "properties": { "a": deep } });
        }
        let plain = json!({ "type": "object", "properties": {} });
        let long = "x".repeat(1025);
        let actions = json!([
            action("one", "Reads.", &plain),
            action("two", "Reads.", &deep),
            action("three", &long, &plain),
        ]);
        let found = of_manifest(&manifest(&actions));
        let has = |rule: &str, verdict: Verdict, place: &str, message: &str| {
            let matches = |line: &&Line| {
                line.rule == rule
                    && line.verdict == verdict
                    && line.place == place
                    && line.message.contains(message)
                    && line.help.is_some()
            };
            assert!(
                found.iter().any(|line| matches(&line)),
                "{rule} {place}: {found:#?}"
            );
        };
        has(
            "manifest",
            Verdict::Fail,
            "search operator `type`",
            "Omni answers `type:` itself",
        );
        has(
            "descriptions",
            Verdict::Warn,
            "action `two`",
            "the one of `one`",
        );
        has(
            "descriptions",
            Verdict::Warn,
            "action `three`",
            "1025 characters",
        );
        has("schemas", Verdict::Warn, "action `two`", "11 levels deep");
    }
}
