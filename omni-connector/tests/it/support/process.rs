//! A connector in a process of its own.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
};

use super::Manager;

/// A separate process: logs, exports and environment variables belong to a whole process.
pub(crate) struct Process {
    child: Child,
    /// Reads its standard error from the start: a full pipe would stop the process.
    errors: Option<JoinHandle<String>>,
}

impl Process {
    /// Runs the ignored test `name` of this program, which serves a connector with the settings in the environment.
    pub(crate) fn start(name: &str, manager: &Manager, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--ignored", "--nocapture"])
            .env("CONNECTOR_MANAGER_URL", &manager.url)
            .env("CONNECTOR_HOST_NAME", "127.0.0.1")
            .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
            .env("PORT", "0")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let errors = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        Self {
            child,
            errors: Some(errors),
        }
    }

    /// Stops the process and waits for its end. Returns its standard error.
    pub(crate) async fn end(mut self) -> String {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").arg(&id).status().unwrap();
        assert!(asked.success(), "process {id} had ended before");
        let errors = self.errors.take().unwrap();
        // The test may have to answer calls of the process meanwhile.
        let read = tokio::task::spawn_blocking(|| errors.join().unwrap());
        read.await.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
