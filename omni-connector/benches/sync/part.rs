//! A separate process of this benchmark.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Mutex,
};

use anyhow::{Context, Result, ensure};

/// A process that is killed when it is dropped.
pub(crate) struct Part {
    child: Child,
    lines: Mutex<BufReader<ChildStdout>>,
}

impl Part {
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let child = Command::new(env::current_exe()?)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()?;
        Self::of(child)
    }

    /// Wraps a program of another crate, whose output is a pipe.
    pub(crate) fn of(mut child: Child) -> Result<Self> {
        let lines = child.stdout.take().context("a child without output")?;
        Ok(Self {
            child,
            lines: Mutex::new(BufReader::new(lines)),
        })
    }

    /// Reads the next line of its output.
    pub(crate) fn next_line(&self) -> Result<String> {
        let mut line = String::new();
        let mut lines = self
            .lines
            .lock()
            .map_err(|_| anyhow::anyhow!("a reader panicked"))?;
        lines.read_line(&mut line)?;
        ensure!(!line.is_empty(), "a part of the benchmark ended early");
        Ok(line.trim_end().to_owned())
    }

    /// Waits until it ends by itself, so that it can end the processes that it started.
    pub(crate) fn ended(mut self) -> Result<()> {
        let status = self.child.wait()?;
        ensure!(status.success(), "a part of the benchmark ended: {status}");
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
