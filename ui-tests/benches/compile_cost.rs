//! Measures the compile time of a hundred actions, compared with only the derives of the same inputs, and with the same
//! tools of rmcp: `cargo bench -p ui-tests --bench compile_cost`.
//!
//! Each leaf crate is compiled alone, repeatedly and in turns, with its dependencies already compiled. The table has
//! the fastest time of each, its ratio, and the noise: how far the runs of one crate differ.
//!
//! With `-- --lines` it only counts the lines of LLVM IR, which are the same on a busy machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const ACTIONS: usize = 100;
const ROUNDS: usize = 5;

struct Leaf {
    name: &'static str,
    dependencies: &'static str,
    source: fn() -> String,
}

const LEAVES: [Leaf; 5] = [
    Leaf {
        name: "derives",
        dependencies: "",
        source: derives,
    },
    Leaf {
        name: "ours_args",
        dependencies: "",
        source: ours_args,
    },
    Leaf {
        name: "ours_arg",
        dependencies: "",
        source: ours_arg,
    },
    Leaf {
        name: "by_hand",
        dependencies: "",
        source: by_hand,
    },
    Leaf {
        name: "rmcp",
        dependencies: "rmcp = { version = \"3\", features = [\"macros\", \"server\"] }\n",
        source: rmcp,
    },
];

/// The crate with which the others are compared.
const DERIVES: usize = 0;
const RMCP: usize = LEAVES.len() - 1;

/// The ways to compile a leaf crate, as cargo's arguments.
const WAYS: [(&str, &[&str]); 3] = [
    ("check", &["check"]),
    ("build", &["build"]),
    ("release", &["build", "--release"]),
];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("target/compile-cost");
    let leaves: Vec<PathBuf> = LEAVES
        .iter()
        .map(|leaf| write(&folder, &root, leaf))
        .collect();
    if env::args().any(|argument| argument == "--lines") {
        return print_lines(&folder, &leaves);
    }
    println!(
        "| leaf crate, {ACTIONS} actions of four inputs | check | build | release | LLVM IR lines |"
    );
    println!("|---|---|---|---|---|");
    let mut rows: Vec<Vec<(f64, f64)>> = vec![Vec::new(); leaves.len()];
    for (_, arguments) in WAYS {
        // Compile the dependencies once.
        for leaf in &leaves {
            cargo(&folder, leaf, arguments);
        }
        let mut times = vec![Vec::new(); leaves.len()];
        for _ in 0..ROUNDS {
            for (leaf, times) in leaves.iter().zip(&mut times) {
                touch(leaf);
                times.push(cargo(&folder, leaf, arguments).as_secs_f64());
            }
        }
        for (row, times) in rows.iter_mut().zip(&times) {
            let fastest = times.iter().copied().fold(f64::MAX, f64::min);
            let slowest = times.iter().copied().fold(0.0, f64::max);
            row.push((fastest, slowest / fastest));
        }
    }
    let lines: Vec<usize> = leaves.iter().map(|leaf| ir_lines(&folder, leaf)).collect();
    for (index, leaf) in LEAVES.iter().enumerate() {
        let cells = rows[index].iter().enumerate().map(|(way, (seconds, _))| {
            let (derives, rmcp) = (rows[DERIVES][way].0, rows[RMCP][way].0);
            format!(
                "{seconds:.2} s = {:.2} × derives, {:.2} × rmcp",
                seconds / derives,
                seconds / rmcp
            )
        });
        let cells: Vec<_> = cells.collect();
        #[allow(clippy::cast_precision_loss, reason = "a share needs no more digits")]
        let share = lines[index] as f64 / lines[RMCP] as f64;
        println!(
            "| {} | {} | {} = {share:.2} × rmcp |",
            leaf.name,
            cells.join(" | "),
            lines[index]
        );
    }
    let noise = rows.iter().flatten().map(|(_, noise)| *noise);
    println!(
        "\nnoise: the slowest of {ROUNDS} runs of one crate took up to {:.2} × its fastest",
        noise.fold(1.0, f64::max)
    );
}

fn write(folder: &Path, root: &Path, leaf: &Leaf) -> PathBuf {
    let package = folder.join(leaf.name);
    fs::create_dir_all(package.join("src")).expect("the target folder can be written");
    let manifest = format!(
        "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         omni-connector = {{ path = \"{}\" }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
         serde_json = \"1\"\nschemars = \"1\"\n{}",
        leaf.name,
        root.join("omni-connector").display(),
        leaf.dependencies
    );
    fs::write(package.join("Cargo.toml"), manifest).expect("the manifest can be written");
    fs::write(package.join("src/lib.rs"), (leaf.source)()).expect("the source can be written");
    package
}

fn touch(package: &Path) {
    let file = package.join("src/lib.rs");
    let source = fs::read(&file).expect("the source was written");
    fs::write(file, source).expect("the source can be written");
}

fn cargo(folder: &Path, package: &Path, arguments: &[&str]) -> Duration {
    let started = Instant::now();
    let status = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(arguments)
        .args(["--quiet", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .status()
        .expect("cargo runs");
    assert!(status.success(), "{} does not compile", package.display());
    started.elapsed()
}

fn print_lines(folder: &Path, leaves: &[PathBuf]) {
    println!("| leaf crate, {ACTIONS} actions of four inputs | LLVM IR lines |\n|---|---|");
    for (leaf, package) in LEAVES.iter().zip(leaves) {
        println!("| {} | {} |", leaf.name, ir_lines(folder, package));
    }
}

/// Counts lines of LLVM IR before any optimization, like `cargo llvm-lines`.
fn ir_lines(folder: &Path, package: &Path) -> usize {
    touch(package);
    let name = package.file_name().expect("a folder").to_string_lossy();
    let output = folder.join(format!("{name}.ll"));
    let emit = format!("--emit=llvm-ir={}", output.display());
    let arguments = [
        "rustc",
        "--lib",
        "--",
        &emit,
        "-Cno-prepopulate-passes",
        "-Ccodegen-units=1",
    ];
    let (cargo, after) = arguments.split_at(2);
    let status = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(cargo)
        .args(["--quiet", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .args(after)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .status()
        .expect("cargo runs");
    assert!(status.success(), "{name} does not compile to LLVM IR");
    let text = fs::read_to_string(output).expect("rustc wrote it");
    text.lines().count()
}

/// Repeats the same code for every action.
fn repeated(one: impl Fn(usize) -> String) -> String {
    (0..ACTIONS).map(one).collect::<Vec<_>>().concat()
}

fn inputs() -> String {
    repeated(|n| {
        format!(
            "#[derive(Deserialize, JsonSchema)]\npub struct In{n} {{\n    /// A name\n    pub name: String,\n    \
                 /// A number\n    pub count: u32,\n    /// A folder\n    pub folder: Option<String>,\n    \
                 /// Words\n    pub labels: Vec<String>,\n}}\n"
        )
    })
}

fn derives() -> String {
    format!(
        "use schemars::JsonSchema;\nuse serde::Deserialize;\n\n{}",
        inputs()
    )
}

const CONNECTOR: &str = "use omni_connector::prelude::*;\n\n\
     #[connector(name = \"leaf\", source_types = [Web])]\npub struct Leaf;\n\n#[connector]\nimpl Leaf {\n    \
     #[sync]\n    async fn sync(&self) -> Result<()> {\n        Ok(())\n    }\n";

/// What a connector's `main` does. Without it the tables of the actions, which are constants, are not compiled at all.
const START: &str = "pub fn start() -> std::pin::Pin<Box<dyn Future<Output = omni_connector::Result<()>>>> {\n    \
     Box::pin(omni_connector::serve(Leaf))\n}\n";

fn ours_args() -> String {
    let actions = repeated(|n| {
        format!(
            "\n    /// Action {n}.\n    #[action(read)]\n    \
                 async fn action_{n}(&self, Args(input): Args<In{n}>) -> Result<String> {{\n        \
                 Ok(format!(\"{{}}{{}}{{:?}}{{:?}}\", input.name, input.count, input.folder, input.labels))\n    }}\n"
        )
    });
    format!("{CONNECTOR}{actions}}}\n\n{START}\n{}", inputs())
}

fn ours_arg() -> String {
    let actions = repeated(|n| {
        format!(
            "\n    /// Action {n}.\n    #[action(read)]\n    async fn action_{n}(\n        &self,\n        \
                 /// A name\n        #[arg] name: String,\n        /// A number\n        #[arg] count: u32,\n        \
                 /// A folder\n        #[arg] folder: Option<String>,\n        /// Words\n        \
                 #[arg] labels: Vec<String>,\n    ) -> Result<String> {{\n        \
                 Ok(format!(\"{{name}}{{count}}{{folder:?}}{{labels:?}}\"))\n    }}\n"
        )
    });
    format!("{CONNECTOR}{actions}}}\n\n{START}")
}

/// Generates actions like the published SDK page: a `match` over the names, with one `from_value` and one schema per action.
fn by_hand() -> String {
    let functions = repeated(|n| {
        format!(
            "\n    async fn action_{n}(&self, input: In{n}) -> Result<String> {{\n        \
                 Ok(format!(\"{{}}{{}}{{:?}}{{:?}}\", input.name, input.count, input.folder, input.labels))\n    }}\n"
        )
    });
    let entries = repeated(|n| {
        format!("            action(\"action_{n}\", \"Action {n}.\", schema_for!(In{n})),\n")
    });
    let arms = repeated(|n| {
        format!(
            "            \"action_{n}\" => answer(self.action_{n}(serde_json::from_value(params)?).await?),\n"
        )
    });
    format!(
        "use omni_connector::{{ActionDefinition, ActionMode, ActionResponse, Connector, Response, Result, \
         ServiceCredential, Source, SourceType, SyncContext, SyncType, async_trait}};\n\
         use schemars::{{JsonSchema, Schema, schema_for}};\nuse serde::Deserialize;\nuse serde_json::{{Value, json}};\n\n\
         pub struct Leaf;\n\nimpl Leaf {{{functions}}}\n\n\
         fn action(name: &str, description: &str, schema: Schema) -> ActionDefinition {{\n    \
             ActionDefinition {{\n        name: name.to_owned(),\n        description: description.to_owned(),\n        \
             input_schema: schema.to_value(),\n        mode: ActionMode::Read,\n        source_types: Vec::new(),\n        \
             admin_only: false,\n        hidden: false,\n    }}\n}}\n\n\
         fn answer(text: String) -> Result<Response> {{\n    \
             Ok(ActionResponse::success(json!(text)).into_response())\n}}\n\n\
         #[async_trait]\nimpl Connector for Leaf {{\n    type Config = Value;\n    type Credentials = Value;\n    \
         type State = Value;\n\n    fn name(&self) -> &'static str {{\n        \"leaf\"\n    }}\n\n    \
         fn version(&self) -> &'static str {{\n        \"0.0.0\"\n    }}\n\n    \
         fn source_types(&self) -> Vec<SourceType> {{\n        vec![SourceType::Web]\n    }}\n\n    \
         fn sync_modes(&self) -> Vec<SyncType> {{\n        vec![SyncType::Full]\n    }}\n\n    \
         async fn sync(&self, _: Source, _: Option<ServiceCredential>, _: Option<Value>, _: SyncContext) -> Result<()> {{\n        \
             Ok(())\n    }}\n\n    \
         fn actions(&self) -> Vec<ActionDefinition> {{\n        vec![\n{entries}        ]\n    }}\n\n    \
         async fn execute_action(&self, action: &str, params: Value, _: Option<ServiceCredential>) -> Result<Response> {{\n        \
             match action {{\n{arms}            \
             other => Ok(ActionResponse::not_supported(other).into_response()),\n        }}\n    }}\n}}\n\n{START}\n{}",
        inputs()
    )
}

fn rmcp() -> String {
    let tools = repeated(|n| {
        format!(
            "\n    /// Action {n}.\n    #[tool]\n    \
                 async fn action_{n}(&self, Parameters(input): Parameters<In{n}>) -> String {{\n        \
                 format!(\"{{}}{{}}{{:?}}{{:?}}\", input.name, input.count, input.folder, input.labels)\n    }}\n"
        )
    });
    format!(
        "use rmcp::{{ServerHandler, handler::server::wrapper::Parameters, schemars::{{self, JsonSchema}}, tool, \
         tool_handler, tool_router}};\nuse serde::Deserialize;\n\npub struct Leaf;\n\n\
         #[tool_router]\nimpl Leaf {{{tools}}}\n\n#[tool_handler]\nimpl ServerHandler for Leaf {{}}\n\n{}",
        inputs()
    )
}
