//! `cargo omni new`: makes a connector that runs, from a template within this program.

mod answers;
mod ask;
mod drift;
mod kind;
mod kinds;
mod library;
mod names;
mod openapi;
mod recipe;
mod template;
mod tested;
mod tools;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use serde::Serialize;
use tokio::{io::AsyncWriteExt, process::Command};

pub(super) use answers::Arguments;
use kind::{Kind, Server};
use library::Library;
use names::Names;
use recipe::Recipe;
use template::Written;
use tested::Tests;
use tools::Tools;

use super::{
    Code, Failure, Interrupts, Output,
    output::{note, warning},
    package::{cargo, no_cargo},
};

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    name: String,
    folder: PathBuf,
    files: Vec<String>,
    lines: usize,
    seconds: f64,
    /// Files that were there before.
    replaced: Vec<String>,
    /// The manifest of the workspace that it was added to.
    workspace: Option<PathBuf>,
    /// Questions that are open. The crate does not compile before they are answered.
    questions: Vec<String>,
    /// Whether it can be tried with made-up items.
    has_items: bool,
    /// How many tools the MCP server listed.
    tools: Option<usize>,
    tests: Option<Tests>,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    if arguments.diff {
        let library = Library::find(arguments.lib.as_deref())?;
        return drift::run(&arguments.folder, &library, *output).await;
    }
    // What cannot work is said before the first question.
    let folder = folder(&arguments.folder)?;
    let name = folder.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    Names::new(
        name,
        omni_connector::SourceType::Jira,
        arguments.item.as_deref(),
    )?;
    let library = Library::find(arguments.lib.as_deref())?;
    if !arguments.force && is_used(&folder) {
        let failure = Failure::usage(format!("`{}` exists already", arguments.folder.display()));
        return Err(failure
            .help("choose another name, or replace its files of the same names with `--force`"));
    }
    let chosen = arguments.chosen()?;
    let of_document = chosen.as_ref().and_then(openapi::Chosen::item);
    let mut answers = arguments.answers(chosen)?;
    let has_items = answers.kind.has_items();
    let with_item = |item: Option<&str>| {
        let names = Names::new(name, answers.source_type, item)?;
        if has_items {
            names.are_two()?;
        }
        Ok::<_, Failure>(names)
    };
    let usual = names::item_of(answers.source_type);
    let item =
        arguments.asked_item(&answers.kind, usual, |item| with_item(Some(item)).map(drop))?;
    let names = with_item(item.or(of_document).as_deref())?;

    if let Kind::Mcp(mcp) = &mut answers.kind
        && let Server::Command(command) = &mcp.server
    {
        mcp.tools = tokio::select! {
            tools = listed(command) => tools,
            () = interrupts.first() => return Err(Failure::interrupted()),
        };
    }

    let started = Instant::now();
    let files = whole(&answers.kind, &names, &library, &folder).await;
    let workspace = prepare(&folder, name).await?;
    let replaced = write(&folder, &files)?;
    let mut made = Made {
        name: name.to_owned(),
        lines: files.iter().map(|file| file.text.lines().count()).sum(),
        files: files.into_iter().map(|file| file.path).collect(),
        folder: arguments.folder.clone(),
        seconds: started.elapsed().as_secs_f64(),
        replaced,
        workspace,
        has_items,
        tools: match &answers.kind {
            Kind::Mcp(mcp) => mcp.tools.as_ref().map(Tools::count),
            _ => None,
        },
        questions: Vec::new(),
        tests: None,
    };
    if let Kind::Document(chosen) = &answers.kind {
        made.questions = chosen.questions();
        let report = folder.join("openapi.md");
        fs::write(&report, chosen.report()).map_err(|error| {
            Failure::failed(format!("`{}` cannot be written: {error}", report.display()))
        })?;
    }
    if !arguments.no_check && made.questions.is_empty() {
        note(format!(
            "made {name}; now building and running its tests (leave them out with --no-check)"
        ));
        made.tests = Some(tokio::select! {
            tests = tested::run(&folder) => tests?,
            () = interrupts.first() => return Err(Failure::interrupted()),
        });
    }
    let is_good = made.tests.as_ref().is_none_or(|tests| tests.failed == 0);
    output.result(&made, &made);
    Ok(if is_good { Code::Done } else { Code::Failed })
}

/// The files of a package as they are written.
async fn whole(kind: &Kind, names: &Names, library: &Library, folder: &Path) -> Vec<Written> {
    let mut files = rendered(kind, names);
    let mut is_formatted = true;
    for file in &mut files {
        if file.path == "Cargo.toml" {
            file.text = library.in_manifest(&file.text, folder);
            file.text = Recipe::of(kind, names).in_manifest(&file.text);
        }
        let extension = Path::new(&file.path).extension();
        if extension.is_some_and(|it| it == "rs") {
            match formatted(&file.text).await {
                Some(text) => file.text = text,
                None => is_formatted = false,
            }
        }
    }
    if !is_formatted {
        warning("`rustfmt` did not format the new files; run `cargo fmt` once it is installed");
    }
    files
}

/// The files of the template that fits.
fn rendered(kind: &Kind, names: &Names) -> Vec<Written> {
    let template = match kind {
        Kind::Document(chosen) => return chosen.render(names),
        Kind::Rest { .. } => &template::REST,
        Kind::GraphQl { .. } => &template::GRAPHQL,
        Kind::Files { .. } => &template::FILES,
        Kind::Other { .. } => &template::OTHER,
        Kind::Mcp(_) => &template::MCP,
    };
    let mut files = template.render(&kind.choice(), names);
    // After the names, so that no word of a command or of a tool is taken for one.
    if let Kind::Mcp(mcp) = kind {
        let server = match &mcp.server {
            Server::Command(command) => (format!("{}-mcp --stdio", names.package), command),
            Server::Url(url) => (format!("https://{}.example.com/mcp", names.package), url),
        };
        for file in &mut files {
            file.text = file.text.replace(&server.0, server.1);
            if let Some(tools) = &mcp.tools {
                tools.write(file);
            }
        }
    }
    files
}

/// Starts an MCP server for its list of tools. Without one, the package gets a made-up tool, which is said.
async fn listed(command: &str) -> Option<Tools> {
    note(format!("starting `{command}` for its list of tools"));
    let why = match Tools::of(command).await {
        Ok(tools) if tools.count() > 0 => return Some(tools),
        Ok(_) => "it has none".to_owned(),
        Err(why) => why,
    };
    warning(format!(
        "the tools of `{command}` are not known: {why}; the tests get a made-up tool. The server has the variables of this \
         terminal: set those with its secret, and repeat this with `--force`"
    ));
    None
}

/// The whole path of the new folder.
fn folder(asked: &Path) -> Result<PathBuf, Failure> {
    let whole = std::path::absolute(asked).map_err(Failure::usage)?;
    let parent = whole.parent().unwrap_or(&whole);
    if !parent.is_dir() {
        let failure = Failure::usage(format!("there is no folder `{}`", parent.display()));
        return Err(failure.help("make it first, or choose a folder that exists"));
    }
    let parent = parent.canonicalize().map_err(Failure::failed)?;
    Ok(parent.join(whole.file_name().unwrap_or_default()))
}

fn is_used(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Lets cargo make the package, since it knows the workspace around it. Gives the workspace that the package was added to.
async fn prepare(folder: &Path, name: &str) -> Result<Option<PathBuf>, Failure> {
    if folder.join("Cargo.toml").is_file() {
        return Ok(None);
    }
    let verb = if folder.is_dir() { "init" } else { "new" };
    let parent = folder.parent().unwrap_or(folder);
    let made = cargo()
        .args([verb, "--quiet", "--lib", "--vcs", "none", "--name", name])
        .arg(folder)
        .current_dir(parent)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(no_cargo)?;
    if !made.status.success() {
        let reason = String::from_utf8_lossy(&made.stderr);
        let reason = reason.trim().trim_start_matches("error: ").to_owned();
        return Err(Failure::failed(format!(
            "cargo could not make the package `{name}`: {reason}"
        ))
        .help("choose another name or another folder"));
    }
    let root = cargo()
        .args(["locate-project", "--workspace", "--message-format", "plain"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(no_cargo)?;
    let root = PathBuf::from(String::from_utf8_lossy(&root.stdout).trim());
    Ok(Some(root).filter(|root| root.is_file() && root.parent() != Some(folder)))
}

/// Writes the files, and gives those that were there before.
fn write(folder: &Path, files: &[Written]) -> Result<Vec<String>, Failure> {
    let mut replaced = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        let failed = |error: io::Error| {
            Failure::failed(format!("`{}` cannot be written: {error}", path.display()))
                .help("check the rights of the folder and the free space, then run this again with `--force`")
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        // Cargo wrote these two a moment ago.
        let is_cargos = ["Cargo.toml", "src/lib.rs"].contains(&file.path.as_str());
        if path.exists() && !is_cargos {
            replaced.push(file.path.clone());
        }
        fs::write(&path, &file.text).map_err(failed)?;
    }
    Ok(replaced)
}

/// Formats Rust code, since names of other lengths break lines elsewhere.
async fn formatted(code: &str) -> Option<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut input = rustfmt.stdin.take()?;
    // It prints nothing before it has read everything.
    input.write_all(code.as_bytes()).await.ok()?;
    drop(input);
    let done = rustfmt.wait_with_output().await.ok()?;
    let text = String::from_utf8(done.stdout).ok()?;
    done.status.success().then_some(text)
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, lines, .. } = self;
        let count = self.files.len();
        writeln!(
            f,
            "made {name} ({count} files, {lines} lines) in {:.1} s",
            self.seconds
        )?;
        if !self.replaced.is_empty() {
            writeln!(f, "replaced: {}", self.replaced.join(", "))?;
        }
        if let Some(workspace) = &self.workspace {
            writeln!(
                f,
                "it is now a member of the workspace of {}",
                workspace.display()
            )?;
        }
        if let Some(tools) = self.tools {
            writeln!(f, "the server has {tools} tools, which the tests know")?;
        }
        if let Some(tests) = &self.tests {
            writeln!(f, "checked: {tests}")?;
        }
        if !self.questions.is_empty() {
            writeln!(
                f,
                "open questions; the package does not compile until you answer them:"
            )?;
            for question in &self.questions {
                writeln!(f, "  {question}")?;
            }
        }
        writeln!(f, "next:")?;
        writeln!(f, "  cd {}", self.folder.display())?;
        if self.has_items {
            return writeln!(
                f,
                "  cargo omni dev {name} --with-fake    a page, and made-up items to read; without the flag for a real source"
            );
        }
        writeln!(f, "  cargo omni dev {name}")
    }
}
