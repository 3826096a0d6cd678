//! Checks that the connector reads the recorded calls and answers of Omni's connector-manager. The data, its format and
//! its rules belong to the development manager's tests, in `omni-connector-dev/tests/recorded/data`.

mod calls;
mod client;
mod forms;
mod parrot;

use std::collections::BTreeMap;

use serde_json::Value;

/// Known differences: a file, the beginning of a name, and the reason.
const DEVIATIONS: &[(&str, &str, &str)] = &[
    ("resource-prompt-skill", "resource", NO_MCP),
    ("resource-prompt-skill", "prompt", NO_MCP),
    ("resource-prompt-skill", "skill from a prompt", NO_MCP),
    (
        "trigger",
        "answer 307 to another path > POST /sync2",
        OWN_PATH,
    ),
    (
        "source-credentials",
        "source of a remote MCP server",
        NOT_OURS,
    ),
];

const NO_MCP: &str = "an answer needs an MCP server behind the connector; without one it is 404";
const OWN_PATH: &str = "the path is one that the recorded connector made up";
const NOT_OURS: &str = "a source of a type that is not native never reaches a connector, and its type is none of `SourceType`";

const FILES: [&str; 16] = [
    "action",
    "body-errors",
    "cancel",
    "content",
    "create-webhook",
    "events",
    "extract",
    "listing",
    "oauth-credential-ready",
    "probe-resume",
    "register",
    "resource-prompt-skill",
    "run-progress",
    "scheduled-realtime",
    "source-credentials",
    "trigger",
];

#[derive(Debug, Clone)]
struct Entry {
    file: &'static str,
    name: String,
    direction: String,
    request: Value,
    response: Value,
    effect: Value,
}

impl Entry {
    fn method(&self) -> &str {
        self.request["method"].as_str().unwrap()
    }

    fn path(&self) -> &str {
        self.request["path"].as_str().unwrap()
    }

    fn status(&self) -> u64 {
        self.response["status"].as_u64().unwrap_or_default()
    }
}

/// Returns all exchanges of one direction.
fn recorded(direction: &str) -> Vec<Entry> {
    let files = FILES.iter();
    files
        .flat_map(|file| load(file))
        .filter(|entry| entry.direction == direction)
        .collect()
}

fn load(file: &'static str) -> Vec<Entry> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../omni-connector-dev/tests/recorded/data"
    );
    let text = std::fs::read_to_string(format!("{folder}/{file}.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entry = |entry: Value| Entry {
        file,
        name: text(&entry["name"]),
        direction: text(&entry["direction"]),
        request: entry["request"].clone(),
        response: entry["response"].clone(),
        effect: entry["effect"].clone(),
    };
    entries.into_iter().map(entry).collect()
}

/// The results of a test's exchanges.
#[derive(Default)]
struct Verdicts {
    read: usize,
    /// The reasons for differences, by recording.
    differing: BTreeMap<(&'static str, String), String>,
    touched: BTreeMap<(&'static str, &'static str), usize>,
}

impl Verdicts {
    fn add(&mut self, entry: &Entry, verdict: Result<(), String>) {
        self.read += 1;
        let listed = DEVIATIONS
            .iter()
            .find(|(file, name, _)| *file == entry.file && entry.name.starts_with(name));
        match (verdict, listed) {
            (Ok(()), _) => {}
            (Err(_), Some((file, name, _))) => {
                *self.touched.entry((*file, *name)).or_default() += 1;
            }
            (Err(difference), None) => {
                self.differing
                    .insert((entry.file, entry.name.clone()), difference);
            }
        }
    }

    /// Prints the numbers. Fails for unlisted differences, and for listed ones that no longer exist.
    fn close(self, what: &str, listed: &[(&str, &str)]) {
        let deviating: usize = self.touched.values().sum();
        println!("{what}: {} read, {deviating} deviate", self.read);
        for (file, name, reason) in DEVIATIONS {
            if let Some(count) = self.touched.get(&(*file, *name)) {
                println!("  {file}, `{name}…`: {count}; {reason}");
            }
        }
        let mut faults: Vec<_> = self
            .differing
            .iter()
            .map(|((file, name), difference)| format!("{file}, {name}: {difference}"))
            .collect();
        let found: Vec<_> = self.touched.into_keys().collect();
        faults.extend(
            listed
                .iter()
                .filter(|listed| !found.contains(listed))
                .map(|(file, name)| {
                    format!("{file}, {name}: is listed as a deviation and is none")
                }),
        );
        assert!(faults.is_empty(), "{what}:\n{}", faults.join("\n"));
    }
}
