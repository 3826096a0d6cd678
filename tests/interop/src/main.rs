//! Interoperability tests: drives third-party software against a connector and the development
//! manager. See `tests/interop/run`.

mod clients;
mod drive;
mod login;
mod oauth;
mod provider;
mod report;
mod servers;
mod signed;

use std::{env, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};

use report::Report;

/// Paths of installed and built programs.
struct Paths {
    /// Packages installed from npm and `PyPI`.
    cache: PathBuf,
    /// Scripts of this crate.
    scripts: PathBuf,
    /// The connector under test.
    connector: PathBuf,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    if env::args().nth(1).as_deref() == Some("connector") {
        signed::serve().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (cache, scripts) = arguments
        .next()
        .zip(arguments.next())
        .context("needs two folders; call `tests/interop/run`")?;
    let own = env::current_exe()?;
    let paths = Paths {
        cache,
        scripts,
        connector: own.with_file_name("mcp-test-connector"),
    };
    let mut report = Report::default();
    let driven = all(&paths, &mut report).await;
    report.set_up(driven);
    Ok(report.finish())
}

/// Runs all rows. A failed setup fails its row only.
async fn all(paths: &Paths, report: &mut Report) -> Result<()> {
    for server in servers::all(paths)? {
        report.row(server.reach.transport(), server.title());
        let driven = drive::server(paths, &server, report).await;
        report.set_up(driven);
    }
    let driven = clients::all(paths, report).await;
    report.set_up(driven);
    let driven = oauth::all(paths, report).await;
    report.set_up(driven);
    let driven = login::all(paths, report).await;
    report.set_up(driven);
    Ok(())
}
