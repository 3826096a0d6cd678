//! The connector's process: started with the environment of the protocol (§1.2), its output kept, and always ended. It
//! has its own process group. So Ctrl-C reaches only `cargo omni`, and ending the group ends all processes that the
//! connector started.

use std::{
    collections::VecDeque,
    env,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

use super::{
    failure::Failure,
    interrupts::Interrupts,
    output::{note, printable},
    summary::warnings_in,
    target::Program,
    watchdog::Watchdog,
};
use crate::{ports::free_port, store::folder::private_file, workbench::Workbench};

/// How long a connector may take to flush its runs. Its own limit is shorter.
const GRACE: Duration = Duration::from_secs(25);
/// How long output is read after the end: a child process of the connector may still hold the pipe.
const OUTPUT_GRACE: Duration = Duration::from_millis(500);
/// The level of a log line is among this many words.
const WORDS_BEFORE_THE_LEVEL: usize = 24;
/// The number of last lines shown of a connector that ended.
const SHOWN_LINES: usize = 12;

/// A running connector. Dropping it kills it.
#[derive(Debug)]
pub(super) struct ConnectorProcess {
    child: Child,
    group: Option<u32>,
    port: u16,
    name: String,
    log: PathBuf,
    lines: Arc<Mutex<Lines>>,
    /// Ends the group when this process is killed.
    watchdog: Option<Watchdog>,
    readers: Vec<JoinHandle<()>>,
}

impl ConnectorProcess {
    /// Starts a connector on a free port for the manager at `manager_url`. Its output goes to the file `log`.
    pub(super) fn start(
        program: &Program,
        manager_url: &str,
        log: &Path,
        is_verbose: bool,
        workbench: Option<Workbench>,
    ) -> Result<Self, Failure> {
        let not_started = |error: io::Error| {
            Failure::not_started(format!("`{}` cannot be started: {error}", program.name))
                .help("name a program that exists and may be executed, by its path or as it is on the `PATH`")
        };
        let port = free_port().map_err(not_started)?;
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .envs(
                program
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            // Errors are printed without a stack trace, panics with one, whatever `RUST_BACKTRACE` says.
            .env(
                "RUST_LIB_BACKTRACE",
                env::var_os("RUST_LIB_BACKTRACE").unwrap_or_else(|| "0".into()),
            )
            .env("CONNECTOR_MANAGER_URL", manager_url)
            .env("CONNECTOR_HOST_NAME", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
            // It keeps what it asks of its source, for the page and for `cargo omni requests`.
            .env("OMNI_DEV_REQUESTS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        // Removes the log of the previous command.
        let _ = fs::remove_file(log);
        let file = private_file(log).map_err(|error| {
            Failure::failed(format!("`{}` cannot be written: {error}", log.display()))
        })?;
        let mut child = command.spawn().map_err(not_started)?;

        let watchdog = child.id().and_then(Watchdog::start);
        let file = Arc::new(file);
        let lines = Arc::new(Mutex::new(Lines {
            is_verbose,
            workbench,
            ..Lines::default()
        }));
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(tokio::spawn(read(
                stdout,
                Arc::clone(&file),
                Arc::clone(&lines),
            )));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(tokio::spawn(read(stderr, file, Arc::clone(&lines))));
        }
        Ok(Self {
            group: child.id(),
            port,
            child,
            name: program.name.clone(),
            log: log.to_owned(),
            lines,
            watchdog,
            readers,
        })
    }

    /// Waits until the process ends by itself. Returns its exit status for people.
    pub(super) async fn exited(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => ended(status),
            Err(error) => error.to_string(),
        }
    }

    /// Returns whether no end of the process was noticed yet.
    pub(super) fn is_running(&self) -> bool {
        self.child.id().is_some()
    }

    /// Returns a failure with the last lines of the connector's output.
    pub(super) async fn failure(&mut self, what: &str) -> Failure {
        self.read_all().await;
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut message = format!("`{}` {what}", self.name);
        if lines.last.is_empty() {
            message += " and printed nothing";
        } else {
            message += "; its last lines:";
            for line in &lines.last {
                message = message + "\n  | " + &printable(line);
            }
        }
        Failure::not_started(message)
    }

    /// Waits until the output of an ended connector is read.
    async fn read_all(&mut self) {
        for reader in self.readers.drain(..) {
            let _ = timeout(OUTPUT_GRACE, reader).await;
        }
    }

    /// Notes for people how many warnings and errors are in the log of an ended connector.
    pub(super) async fn note_warnings(&mut self) {
        self.read_all().await;
        if let warnings @ 1.. = self.warnings() {
            note(warnings_in(warnings, &self.log));
        }
    }

    /// Returns the number of warnings and errors in its log so far.
    pub(super) fn warnings(&self) -> u64 {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .warnings
    }

    /// Returns the path of its complete output.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Stops the connector. Kills it if it takes too long or a person interrupts again.
    pub(super) async fn stop(&mut self, interrupts: &Interrupts) {
        // Other systems cannot ask a process to stop.
        if self.is_running() && cfg!(unix) {
            self.signal(Signal::Terminate);
            tokio::select! {
                _ = timeout(GRACE, self.child.wait()) => {}
                () = interrupts.second() => {}
            }
        }
        self.kill();
        let _ = self.child.wait().await;
    }

    /// Returns the port on which it listens.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Kills the process, as a crash would.
    pub(super) async fn kill_now(&mut self) {
        self.kill();
        let _ = self.child.wait().await;
    }

    /// Kills the process and all processes that it started.
    fn kill(&mut self) {
        self.signal(Signal::Kill);
        self.group = None;
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.dismiss();
        }
        // For systems without process groups, and for a process that has left its group.
        let _ = self.child.start_kill();
    }

    #[cfg(unix)]
    fn signal(&self, signal: Signal) {
        use rustix::process::{Pid, Signal as Sent, kill_process_group};

        let group = self
            .group
            .and_then(|group| Pid::from_raw(group.try_into().ok()?));
        if let Some(group) = group {
            let signal = match signal {
                Signal::Terminate => Sent::TERM,
                Signal::Kill => Sent::KILL,
            };
            // A group without processes is the desired state.
            let _ = kill_process_group(group, signal);
        }
    }

    #[cfg(not(unix))]
    fn signal(&self, _: Signal) {}
}

impl Drop for ConnectorProcess {
    fn drop(&mut self) {
        if self.group.is_some() {
            self.kill();
        }
    }
}

#[derive(Clone, Copy)]
enum Signal {
    Terminate,
    Kill,
}

/// The output of a connector.
#[derive(Debug, Default)]
struct Lines {
    is_verbose: bool,
    /// Shows each line on the page.
    workbench: Option<Workbench>,
    last: VecDeque<String>,
    /// The number of log lines with a warning or an error.
    warnings: u64,
}

impl Lines {
    fn take(&mut self, line: String) {
        if self.is_verbose {
            note(format!("  | {}", printable(&line)));
        }
        if let Some(workbench) = &self.workbench {
            workbench.print(line.clone());
        }
        self.warnings += u64::from(is_warning(&line));
        if self.last.len() == SHOWN_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }
}

/// Returns whether a log line is a warning or an error: its first word for a level decides, in any case where the line begins
/// or names it as the level. Programs in other languages write JSON, brackets and numbers.
fn is_warning(line: &str) -> bool {
    if line.contains(" panicked at ") {
        return true;
    }
    let mut before = None;
    let words = line.split(|c: char| !c.is_ascii_alphanumeric());
    for word in words
        .filter(|word| !word.is_empty())
        .take(WORDS_BEFORE_THE_LEVEL)
    {
        let is_named =
            before.is_some_and(|word| ["level", "severity", "levelname", "lvl"].contains(&word));
        let level = word.to_ascii_uppercase();
        if before.is_none() || is_named || level == word {
            match &*level {
                "WARN" | "WARNING" | "ERROR" | "CRITICAL" | "FATAL" => return true,
                "TRACE" | "DEBUG" | "INFO" | "NOTICE" => return false,
                // As pino numbers them.
                number if is_named && number.parse().is_ok_and(|number: u16| number < 100) => {
                    return number >= "40";
                }
                _ => {}
            }
        }
        // A time before the level is no word.
        if !word.starts_with(|c: char| c.is_ascii_digit()) {
            before = Some(word);
        }
    }
    false
}

/// Describes an exit status for people.
fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        // The status names the signal.
        None => status.to_string(),
    }
}

/// Copies lines to the log and keeps the last ones in memory.
async fn read(stream: impl AsyncRead + Unpin, log: Arc<File>, lines: Arc<Mutex<Lines>>) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .await
        .is_ok_and(|length| length > 0)
    {
        // A full disk must not stop the connector.
        let _ = log.as_ref().write_all(&line);
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.take(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_counted_in_every_form_of_a_log() {
        assert!(is_warning("2026-11-28T01:02:03Z  WARN acme: slow"));
        assert!(is_warning(
            "{\"timestamp\":\"2026\",\"level\":\"ERROR\",\"fields\":{}}"
        ));
        assert!(is_warning("WARNING:root:slow"));
        for line in [
            "{\"level\":\"warn\",\"message\":\"slow\"}",
            "{\"time\":\"2026-11-28T01:02:03Z\",\"severity\":\"Error\"}",
            "{\"level\":50,\"time\":1764291723000,\"msg\":\"slow\"}",
            "time=2026-11-28T01:02:03Z level=warn msg=slow",
            "[warn] slow",
            "warning: slow",
            "2026-11-28 01:02:03 [error] slow",
            "\u{1b}[2m2026-11-28T01:02:03Z\u{1b}[0m \u{1b}[33m WARN\u{1b}[0m acme: slow",
            "2026-11-28 01:02:03,456 - acme - CRITICAL - slow",
            "thread 'main' (7) panicked at src/main.rs:1:1:",
        ] {
            assert!(is_warning(line), "{line}");
        }
        for line in [
            "2026-11-28T01:02:03Z  INFO acme: no warnings",
            "2026-11-28T01:02:03Z  INFO acme: the issue ERROR-7 is new",
            "{\"level\":\"info\",\"message\":\"WARN is a word\"}",
            "{\"level\":30,\"time\":1764291723000,\"msg\":\"ERROR is a word\"}",
            "an error in a sentence",
            "",
        ] {
            assert!(!is_warning(line), "{line}");
        }
    }
}
