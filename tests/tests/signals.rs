//! A connector that receives a stop signal exits in time with status 0, and its runs resume later.

use std::{
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use omni_connector::SyncType;
use omni_connector_dev::{
    Manager,
    store::{
        checkpoints,
        runs::{Run, RunStatus},
    },
    testing::free_port,
};
use omni_connector_tests::{
    crawler::{Blocks, Wiki},
    outcome::Outcome,
    served::options,
};

struct Stage {
    manager: Manager,
    port: u16,
}

impl Stage {
    async fn set() -> Result<Self> {
        Ok(Self {
            manager: Manager::start(options()).await?,
            port: free_port()?,
        })
    }

    /// Starts the connector as a process, with one second of grace.
    fn connector(&self) -> Result<Connector> {
        let child = Command::new(env!("CARGO_BIN_EXE_crawler"))
            .env("CONNECTOR_MANAGER_URL", self.manager.url())
            .env("CONNECTOR_HOST_NAME", "127.0.0.1")
            .env("PORT", self.port.to_string())
            .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
            .env("OMNI_CONNECTOR_GRACE_SECONDS", "1")
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Connector(child))
    }

    /// Starts a run and waits until it is under way.
    async fn run(&self, wiki: Wiki) -> Result<Run> {
        self.manager
            .registration("crawler", Duration::from_secs(30))
            .await
            .context("the connector does not register")?;
        let config = serde_json::to_value(wiki)?;
        let source = self.manager.source("wiki", "web", config).await?;
        let run = self.manager.sync(&source.id, SyncType::Full).await?;
        while self.find(&run.id).await?.documents_scanned == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(run)
    }

    async fn find(&self, id: &str) -> Result<Run> {
        let progress = self.manager.progress(id).await?;
        Ok(progress.context("the run is gone")?.run)
    }
}

/// Dropping it kills the process.
struct Connector(Child);

impl Connector {
    fn terminate(&self) -> Result<()> {
        let pid = self.0.id().to_string();
        ensure!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()?
                .success()
        );
        Ok(())
    }

    /// Waits up to `limit` for the exit status.
    async fn ended(&mut self, limit: Duration) -> Result<ExitStatus> {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            ensure!(asked.elapsed() < limit, "it still runs after {limit:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The grace, the two seconds after it, and a margin for a busy machine.
const BOUND: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_ends_the_process_in_time_and_the_run_resumes_after_a_restart() -> Result<()> {
    let stage = Stage::set().await?;
    let mut connector = stage.connector()?;
    let wiki = Wiki {
        // Enough that the run outlasts the second before the first report.
        pages: if cfg!(debug_assertions) { 60 } else { 1_200 },
        per_page: 40,
        ..Wiki::default()
    };
    let run = stage.run(wiki).await?;
    connector.terminate()?;
    ensure!(connector.ended(BOUND).await?.success());
    let stopped = stage.find(&run.id).await?;
    ensure!(stopped.status == RunStatus::Running, "{:?}", stopped.status);
    let id = run.id.clone();
    let store = stage.manager.store();
    let checkpoint = store.read(move |db| checkpoints::find(db, &id)).await?;
    ensure!(checkpoint.is_some(), "no checkpoint was reached");

    let _again = stage.connector()?;
    let ended = stage.manager.wait(&run.id, |_| {}).await?.run;
    ensure!(
        ended.status == RunStatus::Completed,
        "{:?}",
        ended.error_message
    );
    let outcome = Outcome::of(stage.manager.store(), &run.source_id, wiki).await?;
    let deleted = (0..wiki.per_page).filter(|n| n % 9 == 4).count() * (wiki.pages - 1);
    ensure!(outcome.documents.len() == wiki.documents() - deleted);
    Ok(())
}

async fn a_blocked_connector_ends(blocks: Blocks) -> Result<()> {
    let stage = Stage::set().await?;
    let mut connector = stage.connector()?;
    let run = stage.run(Wiki::deaf(blocks)).await?;
    connector.terminate()?;
    ensure!(connector.ended(BOUND).await?.success());
    ensure!(stage.find(&run.id).await?.is_running());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_blocks_its_thread_does_not_delay_the_exit() -> Result<()> {
    a_blocked_connector_ends(Blocks::Thread).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_blocks_the_whole_runtime_does_not_delay_the_exit() -> Result<()> {
    a_blocked_connector_ends(Blocks::Runtime).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_process_at_once() -> Result<()> {
    let stage = Stage::set().await?;
    let mut connector = stage.connector()?;
    stage.run(Wiki::deaf(Blocks::Runtime)).await?;
    connector.terminate()?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    connector.terminate()?;
    // Within the grace.
    ensure!(connector.ended(Duration::from_millis(700)).await?.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_a_process_that_hangs_after_its_runs() -> Result<()> {
    let stage = Stage::set().await?;
    let mut connector = stage.connector()?;
    stage.run(Wiki::deaf(Blocks::Pool)).await?;
    connector.terminate()?;
    // The runs end with their grace; the runtime still waits for the thread. Without this hang the second
    // signal would prove nothing.
    ensure!(connector.ended(BOUND).await.is_err(), "nothing hangs");
    connector.terminate()?;
    ensure!(connector.ended(Duration::from_millis(700)).await?.success());
    Ok(())
}
