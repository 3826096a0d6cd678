//! The processes under test.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};
use omni_connector_tests::system::WATCHES;
use serde_json::Value;

use crate::row::Names;

/// A process. Dropping it kills the process.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Starts a connector for the manager at `manager`; it registers its address.
    pub(crate) fn connector(binary: &str, manager: &str, watches: bool) -> Result<Self> {
        let mut command = Command::new(binary);
        command
            .env("CONNECTOR_MANAGER_URL", manager)
            .env("CONNECTOR_HOST_NAME", "127.0.0.1")
            .env("PORT", "0")
            .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
            .env("OMNI_CONNECTOR_WEBHOOK_WINDOW_SECONDS", "1")
            .env("RUST_LOG", "off")
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::null());
        if watches {
            command.env(WATCHES, "1");
        }
        Ok(Self(command.spawn().with_context(|| binary.to_owned())?))
    }

    /// Starts the development manager and returns the names of its prepared data.
    pub(crate) fn manager(folder: &std::path::Path, settings: &[&str]) -> Result<(Self, Names)> {
        let child = Command::new(env!("CARGO_BIN_EXE_strict_manager"))
            .arg(folder)
            .args(settings)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut process = Self(child);
        let output = process.0.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let prepared: Value =
            serde_json::from_str(&line).with_context(|| format!("the manager said {line:?}"))?;
        let mut names = Names::default();
        for (name, value) in prepared.as_object().context("the manager said no names")? {
            names.set(name, value.as_str().unwrap_or_default());
        }
        Ok((process, names))
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Returns the peak memory of the process, in kilobytes.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .context("no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}
