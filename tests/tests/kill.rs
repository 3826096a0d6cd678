//! Kills processes at any instant. The run must end with the outcome of an undisturbed one.

use std::{
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use omni_connector::SyncType;
use omni_connector_dev::{
    Manager,
    store::{Store, checkpoints, runs::RunStatus, sources},
    testing::{Action, Fault, Journal, Plan, Proxy, Random, free_port},
};
use omni_connector_tests::{
    crawler::{Blocks, Wiki},
    is_full,
    outcome::Outcome,
    served::{Served, options},
};
use serde_json::{Value, json};

const WIKI: Wiki = Wiki {
    pages: 8,
    per_page: 40,
    blocks: Blocks::Nothing,
};
/// Number of kill points: of the sample, and of the full test.
const CONNECTOR_POINTS: (usize, usize) = (24, 330);
const MANAGER_POINTS: (usize, usize) = (10, 60);

/// An instant of a run: a call, and whether the manager still handles it.
#[derive(Debug, Clone, Copy)]
struct Point {
    route: &'static str,
    number: usize,
    after: bool,
}

/// Approximate calls of each route in a run.
const ROUTES: [(&str, usize); 9] = [
    ("source", 1),
    ("credentials", 1),
    ("content", 300),
    ("extract-content", 8),
    ("events/batch", 8),
    ("checkpoint", 8),
    ("heartbeat", 2),
    ("updated", 1),
    ("complete", 1),
];

/// Returns points after the first calls of every route, and random ones.
fn points(random: &mut Random, (few, many): (usize, usize)) -> Vec<Point> {
    let count = if is_full() { many } else { few };
    let mut first: Vec<_> = ROUTES
        .iter()
        .flat_map(|&(route, calls)| {
            let numbers = 0..calls.min(5);
            numbers.flat_map(move |number| {
                [false, true].map(|after| Point {
                    route,
                    number,
                    after,
                })
            })
        })
        .collect();
    if !is_full() {
        while first.len() > count * 2 / 3 {
            first.swap_remove(random.below(first.len()));
        }
    }
    while first.len() < count {
        // Weighted by the number of calls, like a random instant of a run.
        let total: usize = ROUTES.iter().map(|(_, calls)| calls).sum();
        let mut at = random.below(total);
        for (route, calls) in ROUTES {
            if at < calls {
                first.push(Point {
                    route,
                    number: at,
                    after: random.below(2) == 1,
                });
                break;
            }
            at -= calls;
        }
    }
    first
}

/// A process that any task can kill and restart.
struct Process {
    start: Box<dyn Fn() -> std::io::Result<Child> + Send + Sync>,
    child: Mutex<Option<Child>>,
    killed: AtomicBool,
}

impl Process {
    fn start(
        start: impl Fn() -> std::io::Result<Child> + Send + Sync + 'static,
    ) -> Result<Arc<Self>> {
        let child = Mutex::new(Some(start()?));
        Ok(Arc::new(Self {
            start: Box::new(start),
            child,
            killed: AtomicBool::new(false),
        }))
    }

    /// Sends SIGKILL and starts a new process. Only the first call has an effect.
    fn kill(&self) {
        if !self.killed.swap(true, Ordering::Relaxed) {
            self.end();
            *self.child() = (self.start)().ok();
        }
    }

    fn end(&self) {
        if let Some(mut child) = self.child().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn was_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Holds the process to kill once it runs.
type Victim = Arc<Mutex<Option<Arc<Process>>>>;

fn plan(point: Option<Point>, victim: &Victim) -> Plan {
    let victim = Arc::clone(victim);
    let action: Action = Arc::new(move || {
        let victim = victim
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(process) = victim {
            process.kill();
        }
    });
    Box::new(move |route, number| {
        let point = point.filter(|point| point.route == route && point.number == number)?;
        let action = Arc::clone(&action);
        Some(if point.after {
            Fault::DoAfter(action)
        } else {
            Fault::DoBefore(action)
        })
    })
}

/// Returns the outcome of a run whose connector is killed at `point`, and whether it was killed.
async fn connector_killed(point: Option<Point>) -> Result<(Outcome, bool)> {
    let manager = Manager::start(options()).await?;
    let victim = Victim::default();
    let proxy = Proxy::to_manager(&manager.url(), plan(point, &victim), Journal::default()).await?;
    let (url, port) = (proxy.url(), free_port()?);
    let process = Process::start(move || {
        Command::new(env!("CARGO_BIN_EXE_crawler"))
            .env("CONNECTOR_MANAGER_URL", &url)
            .env("CONNECTOR_HOST_NAME", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
    })?;
    *victim.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&process));
    manager
        .registration("crawler", Duration::from_secs(30))
        .await
        .context("the connector does not register")?;
    let source = manager
        .source("wiki", "web", serde_json::to_value(WIKI)?)
        .await?;
    // Left by an earlier run. Until this run saves a checkpoint, a resume sends the source's.
    let (owner, earlier) = (source.id.clone(), json!({ "page": WIKI.pages }));
    let store = manager.store();
    store
        .write(move |db| checkpoints::put(db, &owner, &earlier))
        .await?;
    // If the kill hits the start, it is refused and nothing began; try again.
    let run = loop {
        match manager.sync(&source.id, SyncType::Full).await {
            Ok(run) => break run,
            Err(error) => ensure!(process.was_killed(), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let progress = manager.wait(&run.id, |_| {});
    let progress = tokio::time::timeout(Duration::from_mins(1), progress)
        .await
        .context("the run never ends")??;
    ensure!(
        progress.run.status == RunStatus::Completed,
        "the run is {:?}: {:?}",
        progress.run.status,
        progress.run.error_message
    );
    let outcome = Outcome::of(manager.store(), &source.id, WIKI).await?;
    manager.shutdown().await;
    Ok((outcome, process.was_killed()))
}

fn manager_process(folder: &Path, port: u16) -> std::io::Result<Child> {
    Command::new(env!("CARGO_BIN_EXE_manager"))
        .arg(folder)
        .args([port, u16::try_from(WIKI.pages).unwrap_or(0)].map(|n| n.to_string()))
        .arg(WIKI.per_page.to_string())
        .stdout(Stdio::null())
        .spawn()
}

async fn post(url: String, body: Value) -> Result<Value> {
    let http = omni_connector::HttpClient::builder().no_proxy().build()?;
    Ok(http.post(url).json(&body).send().await?.json().await?)
}

/// Returns the outcome of a run whose manager is killed at `point`, and whether it was killed.
async fn manager_killed(point: Option<Point>) -> Result<(Outcome, bool)> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let path = folder.path().to_owned();
    let process = Process::start(move || manager_process(&path, port))?;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let victim: Victim = Arc::new(Mutex::new(Some(Arc::clone(&process))));
    let manager = format!("http://127.0.0.1:{port}");
    let proxy = Proxy::to_manager(&manager, plan(point, &victim), Journal::default()).await?;
    let connector = Served::start(&proxy.url());
    let store = Store::open(folder.path())?;
    let source = loop {
        let sources = store.read(sources::all).await?;
        if let Some(source) = sources.into_iter().next() {
            break source;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let run = loop {
        let body = json!({ "source_id": source.id, "sync_mode": "full" });
        let answer = post(format!("{manager}/sync"), body)
            .await
            .unwrap_or_default();
        // If the kill hits the start, the answer is lost, but the run may exist.
        let runs = store
            .read({
                let source = source.id.clone();
                move |db| omni_connector_dev::store::runs::latest(db, Some(&source), 1)
            })
            .await?;
        match runs.into_iter().next() {
            Some(run) if run.status != RunStatus::Failed => break run.id,
            _ => {}
        }
        ensure!(
            answer["sync_run_id"].is_null(),
            "a run that is not stored: {answer}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let completed = async {
        loop {
            let id = run.clone();
            let found = store
                .read(move |db| omni_connector_dev::store::runs::find(db, &id))
                .await?;
            match found {
                Some(run) if run.status == RunStatus::Completed => return anyhow::Ok(()),
                Some(run) if !run.is_running() => {
                    anyhow::bail!("the run is {:?}: {:?}", run.status, run.error_message)
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), completed)
        .await
        .context("the run never ends")??;
    let outcome = Outcome::of(&store, &source.id, WIKI).await?;
    connector.stop().await?;
    Ok((outcome, process.was_killed()))
}

/// Kills at every point. Counts different outcomes and points never reached.
async fn all<F: Future<Output = Result<(Outcome, bool)>>>(
    points: Vec<Point>,
    killed: impl Fn(Option<Point>) -> F,
) {
    let (undisturbed, _) = killed(None).await.unwrap();
    let (count, mut hits, mut differences) = (points.len(), 0, 0);
    for point in points {
        let verdict = match killed(Some(point)).await {
            Ok((outcome, hit)) => {
                hits += usize::from(hit);
                outcome.difference(&undisturbed)
            }
            Err(error) => Some(format!("{error:#}")),
        };
        if let Some(verdict) = verdict {
            differences += 1;
            println!("{point:?}: {verdict}");
        }
    }
    println!("{count} points, {hits} of them reached, {differences} outcomes differ");
    assert_eq!(differences, 0, "outcomes differ");
    assert!(hits * 10 >= count * 9, "most points are never reached");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_killed_anywhere_still_completes_its_run() {
    let mut random = Random::from_environment();
    all(points(&mut random, CONNECTOR_POINTS), connector_killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_killed_anywhere_still_has_every_document() {
    let mut random = Random::from_environment();
    all(points(&mut random, MANAGER_POINTS), manager_killed).await;
}
