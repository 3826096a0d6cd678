//! Whatever request a process is killed at, Omni has everything in the end.

use std::{
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use omni_connector::{SyncType, prelude::*};
use omni_connector_dev::store::runs::RunStatus;

use crate::support::{PATIENCE, Test};

struct Process {
    manager: String,
    port: u16,
    child: Mutex<Option<Child>>,
}

impl Process {
    fn start(&self) {
        let child = Command::new(env!("CARGO_BIN_EXE_github"))
            .env("CONNECTOR_MANAGER_URL", &self.manager)
            .env("CONNECTOR_HOST_NAME", "127.0.0.1")
            .env("PORT", self.port.to_string())
            .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
            .env("GITHUB_MCP_URL", "http://127.0.0.1:9/mcp")
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn();
        *self.child.lock().unwrap() = Some(child.unwrap());
    }

    fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_request_goes_on_without_a_loss() {
    let test = Test::without_connector(json!({})).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let process = Process {
        manager: test.manager.url(),
        port,
        child: Mutex::default(),
    };
    process.start();
    let process = Arc::new(process);
    test.manager.registration("github", PATIENCE).await.unwrap();
    test.github.world().per_page = Some(3);
    test.completes(SyncType::Full).await;
    let (mut killed, mut number) = (0, 1);
    loop {
        // Something of every kind changes, and something vanishes while the process is down.
        let first = 100 * number;
        {
            let mut world = test.github.world();
            world.issue("acme/tea", first, "More", Value::Null);
            world.comment("acme/tea", first, "And more.", None);
            world.discussion("acme/secret", first + 1, "Even more");
            world.repo("acme/secret").private = number % 2 == 0;
        }
        let (victim, mut requests) = (Arc::clone(&process), 0);
        let is_killed = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&is_killed);
        test.github.fail(move |_, world| {
            requests += 1;
            if requests == number {
                noted.store(true, Ordering::Relaxed);
                victim.kill();
                world.repo("acme/tea").issues.remove(&first);
                victim.start();
            }
            None
        });
        let mode = if number % 3 == 0 {
            SyncType::Full
        } else {
            SyncType::Incremental
        };
        let run = loop {
            // Refused while the process is down.
            match test.manager.sync(&test.source, mode).await {
                Ok(run) => break run,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        };
        let progress = test.manager.wait(&run.id, |_| {});
        let progress = tokio::time::timeout(PATIENCE, progress)
            .await
            .expect("the run never ends")
            .unwrap();
        assert_eq!(
            progress.run.status,
            RunStatus::Completed,
            "killed at request {number}: {:?}",
            progress.run.error_message
        );
        test.github.works_again();
        if !is_killed.load(Ordering::Relaxed) {
            break;
        }
        killed += 1;
        // One run more sees what changed behind the back of the one that was resumed.
        test.completes(SyncType::Incremental).await;
        number += if std::env::var_os("OMNI_TEST_FULL").is_some() {
            1
        } else {
            4
        };
    }
    assert!(killed > 3, "{killed} kills are too few");
}
