//! Tests `cargo omni dev`: its lasting manager, its use by other commands, and its end.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
};

use serde_json::json;

use crate::{Desk, SERVE, books, interrupt, lives, program, soon};

/// `cargo omni dev` with the connector of these tests. It is ended when it is dropped.
pub(crate) struct Dev {
    child: Child,
    address: String,
}

impl Dev {
    pub(crate) fn start(desk: &Desk, more: &[&str]) -> Self {
        let program = program();
        let arguments = [&["dev"], more, &["--", &program], &SERVE].concat();
        let mut command = desk.command(&arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().to_owned();
        assert!(address.contains("/dev?t="), "{address}");
        Self { child, address }
    }

    /// Requests a path of the manager.
    fn get(&self, path: &str, cookie: &str) -> String {
        get(&self.address, path, cookie)
    }

    /// Opens the printed address in a browser and returns its cookie.
    fn enter(&self) -> String {
        let path = &self.address[self.address.find("/dev?").unwrap()..];
        let answer = self.get(path, "");
        let line = answer
            .lines()
            .find(|line| line.to_lowercase().starts_with("set-cookie: "));
        let cookie = line.unwrap_or_else(|| panic!("{answer}"));
        let cookie = cookie.split_once(": ").unwrap().1;
        cookie.split(';').next().unwrap().to_owned()
    }

    pub(crate) fn end(&mut self) -> i32 {
        interrupt(&self.child);
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.end();
        }
    }
}

/// Returns a complete answer with its headers.
fn get(address: &str, path: &str, cookie: &str) -> String {
    let host = address.strip_prefix("http://").unwrap();
    let host = host.split('/').next().unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn other_commands_use_the_running_manager_and_connector() {
    let desk = Desk::new();
    let config = desk.config(&books());
    let mut dev = Dev::start(&desk, &["--config", &config]);
    let synced = desk.run(&["sync", "--json"]).ended(0);
    assert_eq!(
        (&synced["status"], &synced["created"]),
        (&json!("completed"), &json!(2))
    );
    let pid = desk.connector_pid().unwrap();
    let again = desk.run(&["sync", "--json", "--full"]).ended(0);
    assert_eq!(again["unchanged"], 2);
    assert_eq!(
        desk.connector_pid().unwrap(),
        pid,
        "the same process did both"
    );
    let called = desk.run_with_connector(&["call", "--json", "echo", "word=hello"]);
    assert_eq!(called.code, 0, "{}", called.stderr);
    let changed = desk.run(&["sources", "--json", "change", "Shelf", "--rename", "Books"]);
    assert_eq!(changed.code, 0, "{}", changed.stderr);
    assert!(dev.get("/dev/sync", &dev.enter()).contains("Books"));

    let second = desk.run(&["dev"]);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(
        second
            .stdout
            .starts_with("it runs already: http://127.0.0.1:"),
        "{}",
        second.stdout
    );
    let other = desk.run(&["sync", "--", "another-program"]);
    assert_eq!(other.code, 1);
    assert!(
        other
            .stderr
            .contains("and this command names `another-program`"),
        "{}",
        other.stderr
    );
    assert!(
        other
            .stderr
            .contains("choose another folder with `--store`"),
        "{}",
        other.stderr
    );

    assert_eq!(dev.end(), 0);
    soon("the end of the connector", || (!lives(&pid)).then_some(()));
    assert!(!desk.path(".omni/manager.json").exists());
    // Without it, a command starts its own manager again.
    desk.sync(&books(), &["--name", "Books"]).ended(0);
}

#[test]
fn a_run_in_progress_gives_way_to_one_with_other_settings() {
    let desk = Desk::new();
    let mut waiting = books();
    waiting["wait"] = json!(true);
    let config = desk.config(&waiting);
    let _dev = Dev::start(&desk, &["--config", &config]);
    let mut first = desk
        .command(&["sync", "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    soon("the first run", || desk.connector_pid());
    // The connector refuses a second run of the source while it works on the first.
    let second = desk.sync(&books(), &[]).ended(0);
    assert_eq!(second["status"], "completed");
    first.wait().unwrap();
}

#[test]
fn a_manager_of_another_version_is_named_with_its_process() {
    let desk = Desk::new();
    let config = desk.config(&books());
    let dev = Dev::start(&desk, &["--config", &config]);
    let path = desk.path(".omni/manager.json");
    let note = fs::read_to_string(&path).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    fs::write(&path, note.replace(version, "0.0.1")).unwrap();
    let refused = desk.run(&["sync"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("a manager of version 0.0.1"),
        "{}",
        refused.stderr
    );
    let process = format!("end that one (process {})", dev.child.id());
    assert!(refused.stderr.contains(&process), "{}", refused.stderr);
}

#[test]
fn a_file_of_a_gone_manager_is_ignored() {
    let desk = Desk::new();
    desk.sync(&books(), &[]).ended(0);
    let note =
        json!({ "url": "http://127.0.0.1:9", "version": "9", "pid": 1, "connector": "nothing" });
    fs::write(desk.path(".omni/manager.json"), note.to_string()).unwrap();
    desk.sync(&books(), &[]).ended(0);
}

#[test]
fn a_requested_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let desk = Desk::new();
    let refused = desk.run_with_connector(&["dev", "--port", &port]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains(&format!("127.0.0.1:{port}")),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("choose a free port with `--port`"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_connector_that_exits_at_once_is_on_the_page_with_its_last_lines() {
    let desk = Desk::new().with("SHELF_START", "die");
    let mut dev = Dev::start(&desk, &[]);
    let cookie = dev.enter();
    let page = soon("the connector's end", || {
        let page = dev.get("/dev/source", &cookie);
        page.contains("The connector does not run").then_some(page)
    });
    assert!(
        page.contains("ended with exit code 7 before it registered"),
        "{page}"
    );
    assert!(page.contains("the shelf has fallen down"), "{page}");
    assert!(page.contains("Start it again"), "{page}");
    assert_eq!(dev.end(), 0);
}

#[test]
fn a_connector_that_never_registers_is_on_the_page() {
    let desk = Desk::new();
    let program = ["dev", "--wait", "1", "--", "sleep", "60"];
    let mut command = desk.command(&program);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let dev = Dev {
        child,
        address: line.trim().to_owned(),
    };
    let cookie = dev.enter();
    soon("the connector's end", || {
        let page = dev.get("/dev/sync", &cookie);
        page.contains("did not register within 1 s").then_some(())
    });
}

#[test]
#[cfg(unix)]
fn a_killed_manager_leaves_no_connector_behind() {
    let desk = Desk::new();
    let config = desk.config(&books());
    let mut dev = Dev::start(&desk, &["--config", &config]);
    desk.run(&["sync", "--json"]).ended(0);
    let pid = desk.connector_pid().unwrap();
    assert!(lives(&pid));
    dev.child.kill().unwrap();
    dev.child.wait().unwrap();
    soon("the end of the connector", || (!lives(&pid)).then_some(()));
    // Its file is ignored, and the store is unlocked.
    desk.sync(&books(), &[]).ended(0);
}

#[test]
fn a_missing_connector_is_an_error_with_help() {
    let refused = Desk::new().run(&["dev"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused
            .stderr
            .contains("name a package of the workspace or its folder"),
        "{}",
        refused.stderr
    );
}
