//! A second process that ends the connector if `cargo omni` is killed. It waits for the end of a pipe whose other end
//! closes together with `cargo omni`, however that ends.

/// The argument that starts `cargo-omni` as a watchdog, followed by the number of the process group.
pub(super) const ARGUMENT: &str = "__end-group-after-me";

use std::{
    io,
    process::{Output, Stdio},
};

use tokio::process::Command;

#[cfg(unix)]
pub(super) use unix::{Watchdog, watch};

/// Returns what a program prints until its end. The program ends with this process, and when the future is dropped.
pub(super) async fn output(command: &mut Command) -> io::Result<Output> {
    #[cfg(unix)]
    command.process_group(0);
    let child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let watchdog = child.id().and_then(Watchdog::start);
    let output = child.wait_with_output().await?;
    if let Some(watchdog) = watchdog {
        watchdog.dismiss();
    }
    Ok(output)
}

#[cfg(unix)]
mod unix {
    use std::{
        env,
        io::{self, Read, Write},
        os::unix::process::CommandExt,
        process::{ChildStdin, Command, Stdio},
        thread,
        time::{Duration, Instant},
    };

    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

    /// How long the connector may take to flush its runs.
    const GRACE: Duration = Duration::from_secs(25);
    const POLL_INTERVAL: Duration = Duration::from_millis(50);
    /// The byte that dismisses the watchdog.
    const DISMISSED: u8 = b'.';

    /// Ends the group when dropped without being dismissed, or when this process is killed.
    #[derive(Debug)]
    pub(crate) struct Watchdog(ChildStdin);

    impl Watchdog {
        /// Starts a watchdog; none if the program or a process for it is missing.
        pub(crate) fn start(group: u32) -> Option<Self> {
            let mut child = Command::new(env::current_exe().ok()?)
                .args([super::ARGUMENT, &group.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                // Signals from the terminal to `cargo omni` must not reach it.
                .process_group(0)
                .spawn()
                .ok()?;
            let pipe = child.stdin.take()?;
            // It ends soon after the pipe. This thread collects its exit status.
            thread::spawn(move || child.wait());
            Some(Self(pipe))
        }

        /// Dismisses the watchdog, because the group has ended.
        pub(crate) fn dismiss(mut self) {
            let _ = self.0.write_all(&[DISMISSED]);
        }
    }

    /// Waits for the end of standard input, then ends the group unless it was dismissed.
    pub(crate) fn watch(group: &str) {
        let Some(group) = group.parse().ok().and_then(Pid::from_raw) else {
            return;
        };
        let mut said = Vec::new();
        let _ = io::stdin().lock().read_to_end(&mut said);
        if said.contains(&DISMISSED) {
            return;
        }
        let end = Instant::now() + GRACE;
        // A group without processes is the desired state.
        let _ = kill_process_group(group, Signal::TERM);
        while test_kill_process_group(group).is_ok() && Instant::now() < end {
            thread::sleep(POLL_INTERVAL);
        }
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(not(unix))]
pub(super) use elsewhere::{Watchdog, watch};

#[cfg(not(unix))]
mod elsewhere {
    /// Does nothing on systems without process groups.
    #[derive(Debug)]
    pub(crate) struct Watchdog;

    impl Watchdog {
        pub(crate) fn start(_: u32) -> Option<Self> {
            None
        }

        pub(crate) fn dismiss(self) {}
    }

    pub(crate) fn watch(_: &str) {}
}
