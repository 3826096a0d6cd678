//! Checks that each crate is built in layers whose imports run in one direction. Reads the imports
//! of a crate, file by file, and fails when one points at a later layer.
//!
//! A layer is a folder or a file directly under `src`. `lib.rs` and `src/bin` are excluded: they
//! assemble the crate.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The order of one crate: a layer imports only layers before it.
struct Order {
    /// Its folder in the workspace.
    package: &'static str,
    /// Its layers, lowest first.
    layers: &'static [&'static str],
    /// Layers with stricter rules: each with all layers that it may import.
    apart: &'static [(&'static str, &'static [&'static str])],
}

const DEVELOPMENT_MANAGER: Order = Order {
    package: "omni-connector-dev",
    layers: &[
        "options",
        "shown",
        "json",
        "samples",
        "workbench",
        "ports",
        "extract",
        "state",
        "store",
        "shared",
        "lookup",
        "runs",
        "oauth",
        "rules",
        "routes",
        "page",
        "manager",
        "serving",
        "tape",
        "testing",
        "cli",
    ],
    // The command line is an HTTP client of the manager like any other. Without `shared` it can call no rule. It starts
    // a manager, sends requests, and knows the records of the answers.
    apart: &[(
        "cli",
        &[
            "options",
            "samples",
            "workbench",
            "ports",
            "extract",
            "store",
            "rules",
            "manager",
            "tape",
        ],
    )],
};

const RUNTIME: Order = Order {
    package: "omni-connector",
    layers: &[
        "body",
        "clock",
        "panic",
        "redact",
        "excerpt",
        "telemetry",
        "transport",
        "wire",
        "schema",
        "manager",
        "run",
        "http",
        "connector",
        "declare",
        "arguments",
        "server",
        "mcp",
        "macros",
        "generated",
        "prelude",
        "start",
    ],
    // Leaves: other layers write to them.
    apart: &[
        ("body", &[]),
        ("clock", &[]),
        ("panic", &[]),
        ("redact", &[]),
        ("telemetry", &[]),
        ("transport", &[]),
    ],
};

#[test]
fn the_runtime_imports_in_one_direction() {
    RUNTIME.check();
}

#[test]
fn the_development_manager_imports_in_one_direction() {
    DEVELOPMENT_MANAGER.check();
}

impl Order {
    fn check(&self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(self.package)
            .join("src");
        let faults = faults(&root, self.layers, self.apart);
        assert!(
            faults.is_empty(),
            "{}:\n{}",
            self.package,
            faults.join("\n")
        );
    }
}

/// Returns the wrong imports of the crate at `root`, one line each.
fn faults(root: &Path, layers: &[&str], apart: &[(&str, &[&str])]) -> Vec<String> {
    let mut faults = BTreeSet::new();
    for file in files(root) {
        let inside = file.strip_prefix(root).expect("a file of the crate");
        let module = module_of(inside);
        let Some(layer) = module.first() else {
            continue;
        };
        let text = fs::read_to_string(&file).expect("a source file is readable");
        let Some(place) = layers.iter().position(|known| known == layer) else {
            faults.insert(format!("`{}` is in no layer", inside.display()));
            continue;
        };
        for (path, is_absolute) in imports(&text, &module) {
            let Some(target) = path.first() else { continue };
            let Some(found) = layers.iter().position(|known| known == target) else {
                // A name at the crate's root is a re-export for other crates.
                if is_absolute {
                    faults.insert(format!(
                        "`{}` imports `crate::{target}`, which is no layer",
                        inside.display()
                    ));
                }
                continue;
            };
            let allowed = apart.iter().find(|(name, _)| name == layer);
            if found != place
                && allowed.is_some_and(|(_, allowed)| !allowed.contains(&target.as_str()))
            {
                faults.insert(format!(
                    "`{}` imports `{target}`, which `{layer}` must not",
                    inside.display()
                ));
            }
            if found > place {
                faults.insert(format!(
                    "`{}` imports `{target}`, a later layer than its own",
                    inside.display()
                ));
            }
        }
    }
    faults.into_iter().collect()
}

/// Returns all source files except those that assemble the crate.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a source folder is readable") {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() {
                if path != root.join("bin") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && path != root.join("lib.rs")
                && path != root.join("main.rs")
            {
                found.push(path);
            }
        }
    }
    found
}

/// Returns the path of a file's module.
fn module_of(file: &Path) -> Vec<String> {
    let names = file.with_extension("");
    let mut names: Vec<_> = names
        .iter()
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    names
}

/// Returns paths into the same crate, from its root: all branches of `use`, and paths within code.
/// Each with whether it was written from the root.
fn imports(text: &str, module: &[String]) -> Vec<(Vec<String>, bool)> {
    let code = without_comments_and_texts(text);
    let mut found = Vec::new();
    for start in ["crate", "super", "self"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            let is_path = code[at + start.len()..].trim_start().starts_with("::");
            if !is_path
                || before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '$'))
            {
                continue;
            }
            for path in branches(&code[at..]) {
                let is_absolute = path.first().is_some_and(|first| first == "crate");
                found.extend(resolved(&path, module).map(|path| (path, is_absolute)));
            }
        }
    }
    found
}

/// Returns the paths at the start of `code`: one, or several in braces.
fn branches(code: &str) -> Vec<Vec<String>> {
    let mut path = Vec::new();
    let mut rest = code.trim_start();
    loop {
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if end > 0 {
            path.push(rest[..end].to_owned());
        }
        rest = rest[end..].trim_start();
        let Some(after) = rest.strip_prefix("::") else {
            return vec![path];
        };
        rest = after.trim_start();
        if let Some(inside) = rest.strip_prefix('{') {
            let grown = |branch: Vec<String>| path.iter().cloned().chain(branch).collect();
            return members(inside)
                .into_iter()
                .flat_map(branches)
                .map(grown)
                .collect();
        }
    }
}

/// Returns the members of a list in braces, after its opening brace.
fn members(inside: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0_u32, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                found.push(&inside[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&inside[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.retain(|member| !member.trim().is_empty());
    found
}

/// Resolves a path from the root of the crate. An inline module such as `tests` counts as its file,
/// so a `super` there resolves one level too far out.
fn resolved(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    let mut base = match first.as_str() {
        "crate" => return Some(rest.to_vec()),
        "self" => module.to_vec(),
        _ => {
            let mut parent = module.to_vec();
            parent.pop();
            parent
        }
    };
    let mut rest = rest;
    while let Some((name, after)) = rest.split_first()
        && name == "super"
    {
        base.pop();
        rest = after;
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// Blanks out comments and string literals.
fn without_comments_and_texts(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            raw.find("\"#").map_or(rest.len(), |end| end + 5)
        } else if rest.starts_with("'\"'") {
            3
        } else if c == '"' {
            end_of_literal(rest)
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.push(' ');
        rest = &rest[end..];
    }
    code
}

/// Returns the length of the string literal at the start of `text`.
fn end_of_literal(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn an_upward_import_is_found_in_every_spelling() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("lib.rs", "mod low; mod high; use crate::high::Anything;");
    write("high.rs", "use crate::low::Thing;");
    for (upwards, text) in [
        (true, "use crate::high::Thing;"),
        (true, "use crate::{low::Other, high::{self, Thing}};"),
        (true, "use super::super::high::Thing;"),
        (true, "fn call() { let thing = crate::high::thing(); }"),
        (true, "pub(crate) use crate\n    ::high;"),
        (
            false,
            "// use crate::high::Thing;\nconst TEXT: &str = \"crate::high\";",
        ),
        (
            false,
            "use super::Sibling; use crate::low::Other; use other::crate_high::Thing;",
        ),
        (false, "#[cfg(test)] mod tests { use super::*; }"),
    ] {
        write("low/part.rs", text);
        let found = faults(folder.path(), &["low", "high"], &[]);
        assert_eq!(!found.is_empty(), upwards, "{text}: {found:?}");
    }
    write("low/part.rs", "");
    write("low.rs", "use super::high::Thing;");
    assert_eq!(faults(folder.path(), &["low", "high"], &[]).len(), 1);
    write("low.rs", "#[cfg(test)] mod tests { use super::Thing; }");
    write("high.rs", "use crate::low::Thing;");
    assert_eq!(
        faults(folder.path(), &["low", "high"], &[("high", &[])]).len(),
        1
    );
    write("stray.rs", "");
    assert_eq!(
        faults(folder.path(), &["low", "high"], &[]),
        ["`stray.rs` is in no layer"]
    );
}
