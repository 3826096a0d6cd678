//! Many runs, in sequence and in parallel, must leak nothing.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use omni_connector::SyncType;
use omni_connector_dev::{Manager, store::runs::RunStatus};
use omni_connector_tests::{
    crawler::{Blocks, Wiki},
    outcome::Outcome,
    served::{Served, options},
};
use tokio::runtime::Handle;

const WIKI: Wiki = Wiki {
    pages: 3,
    per_page: 20,
    blocks: Blocks::Nothing,
};

/// Texts that one run stores in parallel, plus its other calls.
const CONNECTIONS: usize = 16 + 4;

async fn start() -> Result<(Manager, Served)> {
    let manager = Manager::start(options()).await?;
    let connector = Served::start(&manager.url());
    manager
        .registration("crawler", Duration::from_secs(30))
        .await
        .context("the connector does not register")?;
    Ok((manager, connector))
}

async fn run(manager: &Manager, source: &str) -> Result<()> {
    let run = manager.sync(source, SyncType::Full).await?;
    let progress = manager.wait(&run.id, |_| {}).await?;
    ensure!(
        progress.run.status == RunStatus::Completed,
        "{:?}",
        progress.run.error_message
    );
    Ok(())
}

async fn source(manager: &Manager, name: &str) -> Result<String> {
    let config = serde_json::to_value(WIKI)?;
    Ok(manager.source(name, "web", config).await?.id)
}

/// Returns the number of tasks of this runtime once it is idle.
async fn tasks() -> usize {
    let metrics = Handle::current().metrics();
    let mut least = metrics.num_alive_tasks();
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        least = least.min(metrics.num_alive_tasks());
    }
    least
}

/// Returns the resident set of this process in KB.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let line = line.context("the system does not tell the memory in use")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_runs_in_a_row_leave_no_tasks_and_flat_memory() -> Result<()> {
    let (manager, connector) = start().await?;
    let source = source(&manager, "wiki").await?;
    for _ in 0..40 {
        run(&manager, &source).await?;
    }
    let (tasks_before, memory_before) = (tasks().await, resident()?);
    for _ in 0..160 {
        run(&manager, &source).await?;
    }
    let (tasks_after, memory_after) = (tasks().await, resident()?);
    println!("tasks {tasks_before} → {tasks_after}, KB {memory_before} → {memory_after}");
    // A kept connection is a task on each side; runs keep as many as they needed at once.
    // A leak of one task in every fourth of the 160 runs would be over the bound.
    ensure!(
        tasks_after <= tasks_before + 2 * CONNECTIONS,
        "{tasks_before} tasks became {tasks_after}"
    );
    // The manager runs in this process and keeps the rows of its runs.
    ensure!(
        memory_after <= memory_before + 8 * 1_024,
        "{memory_before} KB became {memory_after}"
    );
    connector.stop().await?;
    manager.shutdown().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_runs_at_once_all_finish() -> Result<()> {
    let (manager, connector) = start().await?;
    let mut sources = Vec::new();
    for number in 0..50 {
        sources.push(source(&manager, &format!("wiki {number}")).await?);
    }
    let mut runs = Vec::new();
    for source in &sources {
        runs.push(manager.sync(source, SyncType::Full).await?);
    }
    for run in runs {
        let progress = manager.wait(&run.id, |_| {}).await?;
        ensure!(
            progress.run.status == RunStatus::Completed,
            "{:?}",
            progress.run.error_message
        );
    }
    let first = Outcome::of(manager.store(), &sources[0], WIKI).await?;
    for source in &sources[1..] {
        let outcome = Outcome::of(manager.store(), source, WIKI).await?;
        ensure!(outcome.difference(&first).is_none());
    }
    connector.stop().await?;
    manager.shutdown().await;
    Ok(())
}
