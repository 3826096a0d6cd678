//! `cargo omni dev`: runs one manager and one connector while a person works on it. Each save builds and restarts the
//! connector. An interrupted run is resumed, and the page shows everything.

mod build;
mod checks;
mod inputs;
mod made_up;
mod news;
mod work;

use clap::Args;
use serde_json::json;

use made_up::MadeUp;

use super::{
    Code, Failure, Interrupts, Output, StoreFolder,
    manager::PORT,
    package,
    running_manager::RunningManager,
    session::{lock, start_manager},
    settings::SourceArguments,
    taping::TapeArguments,
    target::{ConnectorArguments, Named},
};

/// Work on a connector: build, start and restart it on every save, with a page in the browser
#[derive(Debug, Args)]
#[command(after_help = "\
The page shows what the connector does: runs, documents and who may read them, actions, the manifest. Other commands with the
same store use the manager that runs here.

Examples:
  cargo omni dev filesystem --set base_path=./docs
  cargo omni dev acme --with-fake
  cargo omni dev acme --replay tests/tapes/full.tape
  cargo omni dev -- node dist/main.js")]
pub(super) struct Arguments {
    /// Package of the workspace, by its name or the end of it, or its folder [default: the package of this folder]
    package: Option<String>,
    #[command(flatten)]
    source: SourceArguments,
    /// Serve made-up items by the package's example `source`, which `cargo omni new` writes, and read those
    #[arg(long, conflicts_with_all = ["config", "credentials", "replay", "set", "url"])]
    with_fake: bool,
    #[command(flatten)]
    tape: TapeArguments,
    #[command(flatten)]
    connector: ConnectorArguments,
    #[command(flatten)]
    store: StoreFolder,
}

pub(super) async fn run(
    mut arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    // Report a mistake in the settings before building.
    arguments.source.config()?;
    let taping = arguments.tape.taping()?;
    let store = &arguments.store.folder;
    let mut named = arguments
        .connector
        .named(arguments.package.as_deref())
        .await?;
    if let Some(running) = RunningManager::find(store, interrupts).await? {
        running.check(store, &named)?;
        taping.needs_own_process("`cargo omni dev`")?;
        let address = running.client()?.page().await?;
        output.result(
            &json!({ "page": address }),
            format!("it runs already: {address}\n"),
        );
        return Ok(Code::Done);
    }
    if named == Named::Nothing {
        let package = package::of_this_folder().await?;
        package.binary()?;
        named = Named::Package(package.name);
    }
    if let Named::Url(_) = named {
        taping.needs_own_process("the connector of `--url`")?;
    }
    let made_up = match (&named, arguments.with_fake) {
        (Named::Package(name), true) => {
            Some(MadeUp::start(&package::find(name).await?, interrupts).await?)
        }
        (_, true) => return Err(Failure::usage("`--with-fake` is for packages only")),
        (_, false) => None,
    };
    if let Some(made_up) = &made_up {
        let credentials = made_up.credentials.clone();
        arguments.source.take(made_up.set.clone(), credentials);
    }
    let store = &arguments.store.folder;
    let lock = lock(store)?;
    let manager = match arguments.connector.asked_port() {
        Some(port) => start_manager(store, port, None, interrupts).await?,
        None => match start_manager(store, PORT, None, interrupts).await {
            Ok(manager) => manager,
            // Another program uses the port. Any other port works as well.
            Err(_) => start_manager(store, 0, None, interrupts).await?,
        },
    };
    let file = RunningManager::write_file(store, &manager.url(), named.clone())?;
    let address = manager.page();
    output.result(&json!({ "page": address }), format!("{address}\n"));
    let done = work::work(&arguments, &named, &manager, taping, interrupts).await;
    drop((file, made_up));
    tokio::select! {
        () = manager.shutdown() => {}
        () = interrupts.second() => {}
    }
    drop(lock);
    done
}
