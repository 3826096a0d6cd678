//! The `cargo omni` command: one file per subcommand, and what they share.

mod call;
mod check;
mod checkpoint;
mod client;
mod connector_process;
mod dev;
mod documents;
mod explain;
mod failure;
mod files;
mod interrupts;
mod kill;
mod login;
mod manager;
mod manifest;
mod new;
mod output;
mod package;
mod page;
mod parameters;
mod progress;
mod readers;
mod requests;
mod running;
mod running_manager;
mod runs;
mod search;
mod session;
mod settings;
mod sources;
mod summary;
mod sync;
mod taping;
mod target;
mod watchdog;
mod webhook;

use std::{env, ffi::OsString, path::PathBuf, process, time::Duration};

use clap::{Args, Parser, Subcommand};

use failure::{Code, Failure};
use interrupts::Interrupts;
use output::Output;

const EXIT_CODES: &str = "\
Exit codes:
  0    done, also when a search finds nothing
  1    the run failed, the action answered with an error, or there is no store, source, run or document of that name
  2    wrong arguments, or no such package
  3    the connector was not built, did not start or did not register
  4    with --strict: the run completed, and its last line names what it lacks: items that failed or were of no use to
       Omni, files without text or read only in part, deletes that were held back, documents sent more than once, groups
       that no run sent, users that are not e-mail addresses; or a doubt is serious
  130  interrupted; the first Ctrl-C lets the connector hand over what it holds, the second stops at once";

/// Run connectors against a development manager on this machine, and search what they bring.
#[derive(Debug, Parser)]
#[command(name = "cargo omni", bin_name = "cargo omni", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON document on standard output, and everything else on standard error
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Arguments),
    Check(check::Arguments),
    Dev(dev::Arguments),
    Sync(sync::Arguments),
    Search(search::Arguments),
    Manifest(manifest::Arguments),
    Webhook(webhook::Arguments),
    Call(call::Arguments),
    Login(login::Arguments),
    Sources(sources::Arguments),
    Runs(runs::Arguments),
    Kill(kill::Arguments),
    Documents(documents::Arguments),
    Explain(explain::Explained),
    Requests(requests::Arguments),
    Checkpoint(checkpoint::Arguments),
    Doubts(explain::Doubted),
    Manager(manager::Arguments),
}

/// The place of data that commands share.
#[derive(Debug, Args)]
struct StoreFolder {
    /// Folder of the store: documents, contents, sources and their credentials
    #[arg(
        long = "store",
        value_name = "DIR",
        default_value = ".omni",
        global = true
    )]
    folder: PathBuf,
}

/// The time that a command has for its end after the second interrupt.
const IGNORED: Duration = Duration::from_secs(5);

/// Parses the command line, runs the command and returns the exit code.
pub fn main() -> process::ExitCode {
    #[cfg(feature = "extract")]
    if let Some(job) = readers::job(env::args_os()) {
        return omni_connector_readers::main(Some(&job));
    }
    let arguments = arguments(env::args_os());
    if let [_, argument, group] = &arguments[..]
        && argument == watchdog::ARGUMENT
    {
        watchdog::watch(&group.to_string_lossy());
        return process::ExitCode::SUCCESS;
    }
    let is_json = wants_json(&arguments);
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            if is_json && error.use_stderr() {
                output::refused(&error);
            }
            error.exit();
        }
    };
    let output = Output::new(cli.json);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            return output.failure(&Failure::failed(format!(
                "no threads to work with: {error}"
            )));
        }
    };
    let interrupts = {
        let _inside = runtime.enter();
        Interrupts::listen()
    };
    let command = async {
        match cli.command {
            Command::Check(arguments) => check::run(arguments, &output, &interrupts).await,
            Command::New(arguments) => new::run(arguments, &output, &interrupts).await,
            Command::Dev(arguments) => dev::run(arguments, &output, &interrupts).await,
            Command::Sync(arguments) => sync::run(arguments, &output, &interrupts).await,
            Command::Search(arguments) => search::run(arguments, &output, &interrupts).await,
            Command::Manifest(arguments) => manifest::run(arguments, &output, &interrupts).await,
            Command::Call(arguments) => call::run(arguments, &output, &interrupts).await,
            Command::Webhook(arguments) => webhook::run(arguments, &output, &interrupts).await,
            Command::Login(arguments) => login::run(arguments, &output, &interrupts).await,
            Command::Sources(arguments) => sources::run(arguments, &output, &interrupts).await,
            Command::Runs(arguments) => runs::run(arguments, &output, &interrupts).await,
            Command::Kill(arguments) => kill::run(arguments, &output, &interrupts).await,
            Command::Documents(arguments) => documents::run(arguments, &output, &interrupts).await,
            Command::Explain(arguments) => explain::explain(arguments, &output, &interrupts).await,
            Command::Requests(arguments) => requests::run(arguments, &output, &interrupts).await,
            Command::Checkpoint(arguments) => {
                checkpoint::run(arguments, &output, &interrupts).await
            }
            Command::Doubts(arguments) => explain::doubts(arguments, &output, &interrupts).await,
            Command::Manager(arguments) => manager::run(arguments, &output, &interrupts).await,
        }
    };
    let done = runtime.block_on(async {
        tokio::select! {
            done = command => done,
            () = is_ignored(&interrupts) => Err(Failure::interrupted()),
        }
    });
    if interrupts.any() {
        // Nothing may delay the end, such as a store that another program keeps busy.
        runtime.shutdown_background();
    }
    match done {
        Ok(code) => code.into(),
        Err(failure) => output.failure(&failure),
    }
}

/// Waits until a command has ignored two interrupts for a while. Whatever it waits for, it then ends.
async fn is_ignored(interrupts: &Interrupts) {
    interrupts.second().await;
    tokio::time::sleep(IGNORED).await;
}

/// Returns whether arguments ask for JSON, for those that the parser refuses. Those after `--` belong to a connector.
fn wants_json(arguments: &[OsString]) -> bool {
    let mut own = arguments.iter().take_while(|argument| *argument != "--");
    own.any(|argument| argument == "--json")
}

/// Removes the name of the subcommand: cargo runs an installed one as `cargo-omni omni …`, and the alias as `cargo-omni
/// …`.
fn arguments(all: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = all.into_iter().collect();
    if arguments.get(1).is_some_and(|argument| argument == "omni") {
        arguments.remove(1);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_definition_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_installed_subcommand_and_the_alias_read_the_same_arguments() {
        let read = |all: &[&str]| arguments(all.iter().copied().map(OsString::from));
        assert_eq!(
            read(&["cargo-omni", "omni", "sync", "omni"]),
            read(&["cargo-omni", "sync", "omni"])
        );
    }
}
