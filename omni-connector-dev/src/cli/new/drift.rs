//! `cargo omni new --diff`: what the template of today would write otherwise into a package that this command made. Changes
//! nothing.

use std::{fmt, fs, path::Path};

use serde::Serialize;
use similar::TextDiff;

use super::{kind::Kind, library::Library, recipe::Recipe, tools::Tools, whole};
use crate::cli::{Code, Failure, Output, package};

/// How a package differs from the template of today.
#[derive(Debug, Serialize)]
struct Drift {
    name: String,
    /// The version whose template made it.
    made_with: String,
    /// The version of this command.
    version: &'static str,
    files: Vec<Changed>,
}

/// A file that the template writes otherwise.
#[derive(Debug, Serialize)]
struct Changed {
    path: String,
    /// A unified diff from the file to the template of today.
    diff: String,
}

pub(super) async fn run(folder: &Path, library: &Library, output: Output) -> Result<Code, Failure> {
    let package = package::find(&folder.to_string_lossy()).await?;
    let recipe = package.metadata.as_ref().and_then(|all| all.get("omni"));
    let Some(recipe) = recipe else {
        let failure = Failure::usage(format!(
            "`cargo omni new` did not make `{}`, or an old one did",
            package.name
        ));
        return Err(failure.help("its Cargo.toml has no table `[package.metadata.omni]`"));
    };
    let recipe: Recipe = serde_json::from_value(recipe.clone()).map_err(|error| {
        Failure::usage(format!(
            "`[package.metadata.omni]` in the Cargo.toml of `{}` cannot be read: {error}",
            package.name
        ))
    })?;
    let (made_with, has_tools) = (recipe.version.clone(), recipe.tools.is_some());
    let (mut kind, names) = recipe.answers(&package.name)?;
    if let (Kind::Mcp(mcp), true) = (&mut kind, has_tools) {
        mcp.tools = Tools::in_package(package.folder());
    }
    let mut files = Vec::new();
    for file in whole(&kind, &names, library, package.folder()).await {
        // A file that its author deleted is one that the template writes.
        let there = fs::read_to_string(package.folder().join(&file.path)).unwrap_or_default();
        if there != file.text {
            let diff = TextDiff::from_lines(there.as_str(), &file.text);
            let mut diff = diff.unified_diff();
            let (here, template) = (&file.path, format!("{} of the template", file.path));
            files.push(Changed {
                diff: diff.header(here, &template).to_string(),
                path: file.path,
            });
        }
    }
    let drift = Drift {
        name: package.name,
        made_with,
        version: env!("CARGO_PKG_VERSION"),
        files,
    };
    output.result(&drift, &drift);
    Ok(Code::Done)
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            writeln!(f, "{}", file.diff)?;
        }
        let Self {
            name,
            made_with,
            version,
            ..
        } = self;
        writeln!(f, "{name} was made with {made_with}, and this is {version}")?;
        match self.files.len() {
            0 => writeln!(f, "the template of today writes the same"),
            1 => writeln!(
                f,
                "the template of today writes 1 file otherwise; nothing was changed"
            ),
            count => writeln!(
                f,
                "the template of today writes {count} files otherwise; nothing was changed"
            ),
        }
    }
}
