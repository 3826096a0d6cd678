//! The cost of a document in a run that grows: the last of 300,000 small files, compared with the first.

use std::{
    env, fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use omni_connector::SyncType;
use omni_connector_dev::{Manager, Options as ManagerOptions, Storage, store::runs::RunStatus};
use serde_json::json;
use tokio::{net::TcpListener, time::sleep};

use crate::{files, limit::Rate, memory, part::Part, table::Row};

/// The files of the tree. Each has 50 bytes.
const FILES: u64 = 300_000;
/// The first files, and the last ones.
const FIRST: u64 = 15_000;
const LAST: u64 = 20_000;
/// The files of a folder.
const OF_FOLDER: u64 = 1_000;
/// How long the connector may take to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// Compares the rates, a second run with those of `find`, and the peaks of memory with those of a tree of the first files
/// only.
pub(crate) fn rows() -> Result<[Row; 4]> {
    files::build_connector()?;
    let [_, _, few_manager, few_connector] = measured(FIRST)?;
    let [rate, unchanged, manager, connector] = measured(FILES)?;
    let mut rates = Row::new(
        "files of 50 bytes, development manager, the last 20,000 of 300,000 ÷ the first 15,000",
        "a document waits for the commit of its text, then for that of its batch",
    );
    rates.round(rate[1], None, Some(rate[0]));
    let mut again = Row::new(
        "files a second of a run that finds 300,000 files unchanged ÷ `find -printf` of the tree",
        "asking the system for each file, and the inventory",
    );
    again.round(unchanged[0], None, Some(unchanged[1]));
    let peak = |name: &str, bottleneck: &str, many: [Rate; 2], few: [Rate; 2]| {
        let mut row = Row::new(name, bottleneck);
        row.round(many[0], None, Some(few[0]));
        row
    };
    Ok([
        rates,
        again,
        peak(
            "peak KB of the development manager, 300,000 files ÷ 15,000",
            "the pages of the database that SQLite keeps in memory",
            manager,
            few_manager,
        ),
        peak(
            "peak KB of the filesystem connector, 300,000 files ÷ 15,000",
            "the inventory: the path and the version of each file",
            connector,
            few_connector,
        ),
    ])
}

/// Measures in a process of its own, whose peak of memory is that of the manager.
fn measured(files: u64) -> Result<[[Rate; 2]; 4]> {
    let part = Part::start(&["growth", &files.to_string()])?;
    let read = || part.next_line()?.parse().map(Rate).context("a number");
    let (rates, unchanged) = ([read()?, read()?], [read()?, read()?]);
    let (manager, connector) = (read()?, read()?);
    part.ended()?;
    Ok([rates, unchanged, [manager, manager], [connector, connector]])
}

/// Runs the filesystem example on a tree, with a development manager in this process. Prints documents a second of the
/// first and the last files, files a second of a second run and of `find`, and the peaks of memory of the manager and the
/// connector in KB.
pub(crate) fn measure(files: u64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let folder = tempfile::tempdir()?;
        let tree = folder.path().join("tree");
        plant(&tree, files)?;
        let mut options = ManagerOptions::default();
        options.storage = Storage::Folder(folder.path().join("store"));
        options.runs.tick = None;
        let manager = Manager::start(options).await?;
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let program = env::current_exe()?;
        let programs = program
            .ancestors()
            .nth(2)
            .context("a benchmark below `target`")?;
        let child = Command::new(programs.join("filesystem"))
            .env("CONNECTOR_MANAGER_URL", manager.url())
            .env("CONNECTOR_HOST_NAME", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()?;
        let connector = child.id().to_string();
        let _connector = Part::of(child)?;
        let registered = manager.any_registration(PATIENCE).await;
        ensure!(
            registered.is_some(),
            "the filesystem example did not register"
        );
        let config = json!({ "base_path": tree });
        let source = manager.source("growth", "local_files", config).await?.id;
        let started = Instant::now();
        let run = manager.sync(&source, SyncType::Full).await?.id;
        let (last, mut at) = (files.saturating_sub(LAST), Vec::new());
        loop {
            let progress = manager.progress(&run).await?.context("the run is gone")?;
            let documents = progress.effects.documents();
            at.push((documents, started.elapsed().as_secs_f64()));
            if documents == files {
                break;
            }
            let is_over = progress.run.status != RunStatus::Running;
            ensure!(!is_over, "the run ended with {documents} of {files} files");
            sleep(Duration::from_millis(20)).await;
        }
        let beyond = |count: u64| at.iter().find(|(documents, _)| *documents >= count);
        let (first, end) = (beyond(FIRST), beyond(files));
        let (first, before, end) = (
            first.context("the first files")?,
            beyond(last).context("the last files")?,
            end.context("all files")?,
        );
        #[allow(clippy::cast_precision_loss, reason = "counts of files")]
        let rate = |from: (u64, f64), to: (u64, f64)| (to.0 - from.0) as f64 / (to.1 - from.1);
        println!("{}", rate((0, 0.0), *first));
        println!("{}", rate(*before, *end));
        manager.wait(&run, |_| {}).await?;
        let started = Instant::now();
        let run = manager.sync(&source, SyncType::Incremental).await?.id;
        let again = manager.wait(&run, |_| {}).await?;
        ensure!(
            again.run.status == RunStatus::Completed && again.effects.documents() == 0,
            "the second run changed something"
        );
        let count = usize::try_from(files)?;
        println!("{}", Rate::of(count, started).0);
        let started = Instant::now();
        let found = Command::new("find")
            .arg(&tree)
            .args(["-type", "f", "-printf", "%p %s %T@ %i\n"])
            .output()?;
        ensure!(found.status.success(), "`find` failed");
        println!("{}", Rate::of(count, started).0);
        println!("{}", memory::peak("self")?);
        println!("{}", memory::peak(&connector)?);
        std::io::stdout().flush()?;
        manager.shutdown().await;
        Ok(())
    })
}

/// Writes files of 50 bytes, each with its own text.
fn plant(tree: &Path, files: u64) -> Result<()> {
    for number in 0..files {
        let folder = tree.join(format!("{:04}", number / OF_FOLDER));
        if number % OF_FOLDER == 0 {
            fs::create_dir_all(&folder)?;
        }
        let text = format!("note {number:>9} about a matter of daily routine, x\n");
        fs::write(folder.join(format!("{number}.txt")), &text[..50])?;
    }
    Ok(())
}
