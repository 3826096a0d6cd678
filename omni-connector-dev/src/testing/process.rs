//! The author's own binary as a process: started with the environment of the protocol, killed, restarted, and always
//! ended.

use std::{
    ffi::OsString,
    io::Read,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::ports::free_port;

/// The program to start.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) binary: PathBuf,
    /// A program and its arguments that start the binary; empty to start it directly.
    pub(super) wrapper: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
}

/// The connector's process, which any task can kill, and restart on the same port. From
/// [`Setup::process`](super::Setup::process).
#[derive(Debug)]
pub struct Process {
    program: Program,
    port: u16,
    child: Mutex<Option<Child>>,
    starts: AtomicUsize,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Process {
    pub(super) fn start(program: Program, manager_url: &str) -> Result<Self> {
        let port = free_port()?;
        let mut program = program;
        for (name, value) in [
            ("CONNECTOR_MANAGER_URL", manager_url),
            ("CONNECTOR_HOST_NAME", "127.0.0.1"),
            ("OMNI_CONNECTOR_LISTEN", "127.0.0.1"),
            ("PORT", &port.to_string()),
            ("CATALOG_CACHE_TTL_SECONDS", "0"),
        ] {
            program.environment.push((name.into(), value.into()));
        }
        let process = Self {
            program,
            port,
            child: Mutex::default(),
            starts: AtomicUsize::new(0),
            output: Arc::default(),
        };
        process.launch()?;
        Ok(process)
    }

    /// Returns the URL at which the manager and the tests reach it.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns its output since the first start.
    pub(super) fn output(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&output).into_owned()
    }

    /// Returns how often it was started.
    pub(super) fn starts(&self) -> usize {
        self.starts.load(Ordering::Relaxed)
    }

    /// Kills and restarts it. Returns before it answers.
    ///
    /// # Errors
    /// Returns an error if the binary cannot be started.
    pub fn restart(&self) -> Result<()> {
        self.kill();
        self.launch()
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) {
        let pid = self.child().as_ref().map(Child::id);
        let pid = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// Returns whether it has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        match self.child().as_mut() {
            Some(child) => child.try_wait().ok().flatten().is_some(),
            None => true,
        }
    }

    /// Returns the most bytes of memory that it had at a time; none on a system that does not say so.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        let pid = self.child().as_ref()?.id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes << 10)
    }

    /// Kills it (SIGKILL), and waits until it has ended. Does nothing if it was killed before.
    pub fn kill(&self) {
        if let Some(mut child) = self.child().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn launch(&self) -> Result<()> {
        let Program {
            binary, wrapper, ..
        } = &self.program;
        let mut command = match wrapper.split_first() {
            Some((wrapper, arguments)) => {
                let mut command = Command::new(wrapper);
                command.args(arguments).arg(binary);
                command
            }
            None => Command::new(binary),
        };
        let program = command.get_program().to_owned();
        let mut child = command
            // An error needs no stack trace, which would push the message out of the last lines. A panic keeps its
            // trace.
            .env("RUST_LIB_BACKTRACE", "0")
            .envs(self.program.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{}` cannot be started", program.display()))?;
        if let Some(stdout) = child.stdout.take() {
            keep(stdout, Arc::clone(&self.output));
        }
        if let Some(stderr) = child.stderr.take() {
            keep(stderr, Arc::clone(&self.output));
        }
        *self.child() = Some(child);
        self.starts.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Keeps the output of a process until it ends.
fn keep(mut stream: impl Read + Send + 'static, output: Arc<Mutex<Vec<u8>>>) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length) = stream.read(&mut buffer) {
            if length == 0 {
                break;
            }
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            output.extend_from_slice(&buffer[..length]);
        }
    });
}
