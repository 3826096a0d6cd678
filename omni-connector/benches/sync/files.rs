//! Runs the filesystem example on the toolchain's documentation, compared to two programs that read and write the same
//! files.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use omni_connector::HttpClient;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};

use crate::{Options, data::NULL_RUN, limit::Rate, part::Part, table::Row};

/// Measures the connector as a separate process with the null manager. The others are `rsync -a` into a local folder,
/// and `tar c` into a pipe.
pub(crate) async fn rows(options: &Options) -> Result<Vec<Row>> {
    let tree = documentation()?;
    let files = count(&tree)?;
    build_connector()?;
    let manager = Part::start(&["null", "0", &tree.to_string_lossy()])?;
    let url = manager.next_line()?;
    let bottleneck =
        "the cores, shared with the manager: a multipart request a file, two of them at once";
    let mut tar = Row::new(
        "files of the toolchain's documentation, ÷ `tar c`",
        bottleneck,
    );
    let mut rsync = Row::new(
        "files of the toolchain's documentation, ÷ `rsync -a`",
        bottleneck,
    );
    // One unmeasured run: the first reader of the files waits for the disk.
    read_by_tar(&tree)?;
    for _ in 0..options.rounds() {
        let started = Instant::now();
        sync(&url, files).await?;
        let ours = Rate::of(files, started);
        tar.round(ours, None, Some(timed(files, || read_by_tar(&tree))?));
        rsync.round(ours, None, Some(timed(files, || copy_by_rsync(&tree))?));
    }
    Ok(vec![tar, rsync])
}

fn timed(files: usize, work: impl FnOnce() -> Result<()>) -> Result<Rate> {
    let started = Instant::now();
    work()?;
    Ok(Rate::of(files, started))
}

fn documentation() -> Result<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()?;
    let tree = Path::new(String::from_utf8(output.stdout)?.trim()).join("share/doc");
    ensure!(
        tree.join("rust/html").is_dir(),
        "the toolchain has no documentation in `{}`\nhelp: rustup component add rust-docs",
        tree.display()
    );
    Ok(tree)
}

fn count(folder: &Path) -> io::Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files += if entry.file_type()?.is_dir() {
            count(&entry.path())?
        } else {
            1
        };
    }
    Ok(files)
}

pub(crate) fn build_connector() -> Result<()> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let build = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--package", "filesystem"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()?;
    ensure!(build.success(), "the filesystem example does not compile");
    Ok(())
}

/// Executes a full run of a new process, to its end.
async fn sync(manager: &str, files: usize) -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let program = env::current_exe()?;
    let program = program
        .ancestors()
        .nth(2)
        .context("a benchmark below `target`")?;
    let child = Command::new(program.join("filesystem"))
        .env("CONNECTOR_MANAGER_URL", manager)
        .env("CONNECTOR_HOST_NAME", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("RUST_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()?;
    let _connector = Part::of(child)?;
    let (http, base) = (
        HttpClient::builder().no_proxy().build()?,
        format!("http://127.0.0.1:{port}"),
    );
    while http.get(format!("{base}/health")).send().await.is_err() {
        sleep(Duration::from_millis(2)).await;
    }
    let request =
        json!({ "sync_run_id": NULL_RUN.id, "source_id": NULL_RUN.source, "sync_mode": "full" });
    let started = http
        .post(format!("{base}/sync"))
        .json(&request)
        .send()
        .await?;
    ensure!(
        started.status().is_success(),
        "the connector refuses the run: {}",
        started.text().await?
    );
    let probe = format!("{base}/sync/{}", NULL_RUN.id);
    while http.get(&probe).send().await?.json::<Value>().await?["running"] == true {
        sleep(Duration::from_millis(2)).await;
    }
    let report: Value = http
        .get(format!("{probe}/report"))
        .send()
        .await?
        .json()
        .await?;
    ensure!(
        report["scanned"] == files && report["failed"] == 0,
        "the run did not bring {files} files: {report}"
    );
    Ok(())
}

/// Writes into a pipe: `tar` does not read files whose archive goes to `/dev/null`.
fn read_by_tar(tree: &Path) -> Result<()> {
    let mut tar = Command::new("tar")
        .args(["-c", "-C"])
        .args([tree, Path::new(".")])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut archive = tar.stdout.take().context("a child without output")?;
    io::copy(&mut archive, &mut io::sink())?;
    ensure!(tar.wait()?.success(), "`tar` failed");
    Ok(())
}

fn copy_by_rsync(tree: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let status = Command::new("rsync")
        .arg("-a")
        .args([tree, folder.path()])
        .status();
    match status {
        Ok(status) => ensure!(status.success(), "`rsync` failed"),
        Err(error) => bail!(
            "cannot start `rsync`: {error}\nhelp: install it, such as by `apt-get install rsync`"
        ),
    }
    Ok(())
}
