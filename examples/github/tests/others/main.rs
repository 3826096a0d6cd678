//! Runs `examples/github` against a GitHub that nobody here wrote, while a second client changes things. See
//! `tests/github/README.md`.

mod story;
mod world;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use omni_connector::prelude::*;

use crate::{story::story, world::World};

#[derive(Default)]
pub(crate) struct Report {
    passed: usize,
    failed: usize,
}

impl Report {
    pub(crate) fn check(&mut self, what: &str, result: Result<()>) {
        match result {
            Ok(()) => {
                println!("ok {what}");
                self.passed += 1;
            }
            Err(error) => {
                println!("FAILED {what}: {error:#}");
                self.failed += 1;
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Some(cache) = env::var_os("GITHUB_OTHERS").map(PathBuf::from) else {
        println!("left out; `tests/github/run` installs what it needs");
        return Ok(ExitCode::SUCCESS);
    };
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/github");
    let mut report = Report::default();
    match World::start(&cache, &scripts).await {
        Ok(mut world) => story(&mut world, &mut report).await,
        Err(error) => report.check("set-up", Err(error)),
    }
    println!("{} passed, {} failed", report.passed, report.failed);
    Ok(if report.failed == 0 && report.passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
