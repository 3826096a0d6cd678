//! A second process that ends the connector when `cargo omni` is killed and can do nothing any more. It waits for the end of a
//! pipe whose other end dies with `cargo omni`, whatever ends it.

/// The argument that makes a `cargo-omni` such a process; the number of the process group follows it.
pub(super) const ARGUMENT: &str = "__end-group-after-me";

#[cfg(unix)]
pub(super) use unix::{Watchdog, watch};

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

    /// How long the connector may take to hand over what it holds.
    const GRACE: Duration = Duration::from_secs(25);
    const GLANCE: Duration = Duration::from_millis(50);
    /// What an orderly end sends.
    const DISMISSED: u8 = b'.';

    /// Ends the group when it is dropped without being dismissed, or when this process is killed.
    #[derive(Debug)]
    pub(crate) struct Watchdog(ChildStdin);

    impl Watchdog {
        /// None where there is no program to be it, or no process to spare.
        pub(crate) fn start(group: u32) -> Option<Self> {
            let mut child = Command::new(env::current_exe().ok()?)
                .args([super::ARGUMENT, &group.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                // What a terminal sends to `cargo omni` is not for it.
                .process_group(0)
                .spawn()
                .ok()?;
            let pipe = child.stdin.take()?;
            // It ends soon after the pipe; somebody has to take note of that.
            thread::spawn(move || child.wait());
            Some(Self(pipe))
        }

        /// There is nothing to end any more.
        pub(crate) fn dismiss(mut self) {
            let _ = self.0.write_all(&[DISMISSED]);
        }
    }

    /// Waits for the end of standard input and ends the group, unless it was dismissed before.
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
        // A group without processes is what is wanted.
        let _ = kill_process_group(group, Signal::TERM);
        while test_kill_process_group(group).is_ok() && Instant::now() < end {
            thread::sleep(GLANCE);
        }
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(not(unix))]
pub(super) use elsewhere::{Watchdog, watch};

#[cfg(not(unix))]
mod elsewhere {
    /// There are no process groups to end.
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
