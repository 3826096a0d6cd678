//! Tests `cargo omni` end to end: the real command, a real connector process, a real store.

mod arguments;
mod connector;
mod dev;
mod kill;
mod login;
mod requests;
mod safety;
mod secrets;
mod sources;
mod table;
mod tape;

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    routing::{get, post},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpSocket;

/// Not a test: serves the connector when this program is started with the name of this function.
#[test]
#[ignore = "the connector that the tests start as a process"]
fn serve() {
    connector::main();
}

/// An empty folder in which the command runs.
struct Desk {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
}

/// The result of a command.
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let pid = folder.path().join("pid").display().to_string();
        Self {
            folder,
            environment: vec![("SHELF_PID", pid)],
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the source's config.
    fn config(&self, config: &Value) -> String {
        let path = self.path("config.json");
        fs::write(&path, config.to_string()).unwrap();
        path.display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-omni"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("RUST_LOG")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    fn begin(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Done {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs with the test connector.
    fn run_with_connector(&self, arguments: &[&str]) -> Done {
        let program = program();
        self.run(&[arguments, &["--", &program], &SERVE].concat())
    }

    fn sync(&self, config: &Value, more: &[&str]) -> Done {
        let config = self.config(config);
        self.run_with_connector(&[&["sync", "--json", "--config", &config], more].concat())
    }

    /// Returns the process id that the connector wrote.
    fn connector_pid(&self) -> Option<String> {
        fs::read_to_string(self.path("pid"))
            .ok()
            .filter(|pid| !pid.is_empty())
    }
}

const SERVE: [&str; 4] = ["--ignored", "--exact", "serve", "--nocapture"];

fn program() -> String {
    env::current_exe().unwrap().display().to_string()
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Done {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("{error} in {:?}, beside {:?}", self.stdout, self.stderr)
        })
    }

    /// Asserts the exit code and returns the JSON.
    #[track_caller]
    fn ended(&self, code: i32) -> Value {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        self.json()
    }
}

/// Returns whether the process runs. A zombie does not count.
fn lives(pid: &str) -> bool {
    let state = Command::new("ps")
        .args(["-o", "stat=", "-p", pid.trim()])
        .output();
    let state = String::from_utf8(state.unwrap().stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

#[track_caller]
fn soon<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{what} did not come"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

fn interrupt(child: &Child) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", child.id())])
        .status();
    assert!(sent.unwrap().success());
}

fn books() -> Value {
    json!({ "documents": { "alpha": "the first book", "beta": "the second book" }, "skips": ["gamma"],
        "checkpoint": "c1" })
}

#[test]
fn the_first_run_is_full_and_the_second_incremental_and_stores_nothing() {
    let desk = Desk::new();
    let first = desk.sync(&books(), &[]).ended(0);
    for (key, value) in [
        ("status", json!("completed")),
        ("error", json!(null)),
        ("mode", json!("full")),
        ("connector", json!({ "id": "shelf", "version": "1.2.3" })),
        ("scanned", json!(3)),
        ("created", json!(2)),
        ("updated", json!(0)),
        ("unchanged", json!(0)),
        ("deleted", json!(0)),
        ("skipped", json!(1)),
        ("skip_reasons", json!({ "torn pages": 1 })),
        (
            "skips",
            json!([{ "item": "gamma", "reason": "torn pages", "detail": null }]),
        ),
        ("deletes_held_back", json!(0)),
        ("refused", json!(0)),
        ("refusals", json!([])),
        ("bytes", json!(29)),
        ("contents_stored", json!(2)),
        ("store", json!(".omni")),
    ] {
        assert_eq!(first[key], value, "{key}");
    }
    assert_eq!(first["source"]["name"], "Shelf");
    assert_eq!(first["source"]["type"], "local_files");
    assert!(first["seconds"].as_f64().unwrap() > 0.0);
    assert!(first["documents_per_second"].as_f64().unwrap() > 0.0);

    let done = desk.sync(&books(), &[]);
    let second = done.ended(0);
    assert_eq!(second["mode"], "incremental");
    assert_eq!(
        (&second["created"], &second["unchanged"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(second["contents_stored"], 0);
    assert!(
        done.stderr
            .contains("incremental run of `Shelf`: what has changed since"),
        "{}",
        done.stderr
    );

    let third = desk.sync(&books(), &["--full"]).ended(0);
    assert_eq!(third["mode"], "full");
}

#[test]
fn people_read_a_summary_without_colours_in_a_pipe() {
    let desk = Desk::new();
    let config = desk.config(&books());
    let sync = || desk.run_with_connector(&["sync", "--config", &config]);
    let first = sync().stdout;
    for line in [
        "full run completed in ",
        "  created             2\n",
        "  skipped             1\n",
        "        1  torn pages\n",
        "           gamma\n",
        "  stored              2 new\n",
        "search it: cargo omni search \"some words\"\n",
    ] {
        assert!(first.contains(line), "{line:?} is not in\n{first}");
    }
    let second = sync();
    assert!(
        second.stdout.contains("nothing changed: no content stored"),
        "{}",
        second.stdout
    );
    for text in [first, second.stdout, second.stderr] {
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}

#[test]
fn settings_can_come_from_the_command_line() {
    let desk = Desk::new();
    let arguments = [
        "sync",
        "--json",
        "--set",
        "documents.a=one",
        "--set",
        "documents.b=two",
        "--source-type",
        "file_system",
        "--name",
        "Mine",
    ];
    let done = desk.run_with_connector(&arguments).ended(0);
    assert_eq!(done["created"], 2);
    assert_eq!(done["source"]["name"], "Mine");
    assert_eq!(done["source"]["type"], "file_system");
    let done = desk
        .run_with_connector(&["sync", "--json", "--source-type", "jira"])
        .ended(2);
    assert_eq!(done["error"], "connector `shelf` serves no `jira`");
    assert_eq!(done["help"], "it serves `local_files`, `file_system`");
}

#[test]
fn a_refused_config_is_a_failed_run_with_the_connectors_message() {
    let desk = Desk::new();
    let done = desk
        .run_with_connector(&["sync", "--json", "--set", "shelves=3"])
        .ended(1);
    assert_eq!(done["status"], "failed");
    let error = done["error"].as_str().unwrap();
    assert!(
        error.contains("shelves") && !error.contains("status="),
        "its words, and not what they were wrapped in: {error}"
    );
}

#[test]
fn a_failed_run_is_reported_with_its_effects() {
    let desk = Desk::new();
    let config = json!({ "documents": { "a": "x" }, "fail": "the shelf is empty" });
    let done = desk.sync(&config, &[]).ended(1);
    assert_eq!(done["status"], "failed");
    assert_eq!(done["error"], "the shelf is empty");
    assert_eq!(done["created"], 1);
}

#[test]
fn a_connector_that_exits_during_a_run_fails_the_run() {
    let desk = Desk::new();
    let done = desk
        .sync(&json!({ "checkpoint": "c", "exit": 9 }), &[])
        .ended(1);
    assert_eq!(done["status"], "failed");
    let error = done["error"].as_str().unwrap();
    assert!(
        error.contains("ended with exit code 9 in the middle of the run"),
        "{error}"
    );
}

#[test]
fn the_connector_ends_with_the_command() {
    let desk = Desk::new();
    desk.sync(&books(), &[]).ended(0);
    assert!(!lives(&desk.connector_pid().unwrap()));
}

#[test]
fn a_connector_that_dies_at_start_is_reported_with_its_last_lines() {
    let desk = Desk::new().with("SHELF_START", "die");
    let done = desk.run_with_connector(&["sync"]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert!(
        done.stderr
            .contains("ended with exit code 7 before it registered; its last lines:"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.contains("  | the shelf has fallen down\n"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr
            .contains("help: all that it printed is in `.omni/connector.log`"),
        "{}",
        done.stderr
    );
    let log = fs::read_to_string(desk.path(".omni/connector.log")).unwrap();
    assert!(log.contains("the shelf has fallen down"), "{log}");
}

#[test]
fn a_connector_that_does_not_register_is_ended_with_all_its_processes() {
    let desk = Desk::new();
    let pid = desk.path("pid").display().to_string();
    // A child of the connector that ignores SIGTERM.
    let stubborn = "trap '' TERM; while :; do sleep 1; done";
    let script = format!("sh -c \"{stubborn}\" & echo $! > {pid}; wait");
    let done = desk
        .run(&["sync", "--json", "--wait", "1", "--", "sh", "-c", &script])
        .ended(3);
    assert_eq!(
        done["error"],
        "`sh` did not register within 1 s and printed nothing"
    );
    assert!(!lives(&desk.connector_pid().unwrap()));
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let desk = Desk::new();
    let done = desk
        .run(&["sync", "--json", "--", "./no-such-program"])
        .ended(3);
    let error = done["error"].as_str().unwrap();
    assert!(
        error.starts_with("`./no-such-program` cannot be started: "),
        "{error}"
    );
    let done = desk.run(&["sync", "--json"]).ended(2);
    assert_eq!(
        done["error"],
        "no connector is named, and this folder is not in a package"
    );
    let done = desk
        .run(&["sync", "--json", "--set", "word", "--", "true"])
        .ended(2);
    assert_eq!(done["error"], "`word` is not a setting");
}

#[test]
fn without_a_name_the_package_of_the_folder_is_taken() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("src/inner")).unwrap();
    let manifest = "[package]\nname = \"acme\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(desk.path("Cargo.toml"), manifest).unwrap();
    fs::write(desk.path("src/lib.rs"), "").unwrap();
    for command in ["sync", "dev"] {
        let mut command = desk.command(&[command, "--json"]);
        let done = command.current_dir(desk.path("src/inner")).output();
        let done: Done = done.unwrap().into();
        // It is found, and is not a connector.
        assert_eq!(done.ended(2)["error"], "package `acme` has no program");
    }
}

#[test]
fn a_port_in_use_is_reported_with_a_solution() {
    let desk = Desk::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for command in [
        &["manager", "--json", "--port", &port][..],
        &["sync", "--json", "--port", &port, "--", "true"],
    ] {
        let done = desk.run(command).ended(1);
        let error = done["error"].as_str().unwrap();
        assert!(
            error.contains(&format!("cannot listen on 127.0.0.1:{port}")),
            "{error}"
        );
        assert_eq!(
            done["help"],
            "choose a free port with `--port`, or stop what listens there"
        );
    }
}

#[test]
fn an_unknown_package_is_reported_with_the_existing_ones() {
    let desk = Desk::new();
    fs::write(
        desk.path("Cargo.toml"),
        "[package]\nname = \"omni-acme\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
    )
    .unwrap();
    fs::create_dir(desk.path("src")).unwrap();
    fs::write(desk.path("src/main.rs"), "fn main() { nonsense }\n").unwrap();
    let done = desk.run(&["sync", "--json", "acmee"]).ended(2);
    assert_eq!(done["error"], "no package `acmee` in this workspace");
    assert_eq!(done["help"], "did you mean `omni-acme`?");

    let done = desk.run(&["sync", "--json", "acme"]);
    assert_eq!(done.ended(3)["error"], "`omni-acme` does not build");
    assert!(
        done.stderr.contains("cannot find value `nonsense`"),
        "cargo's own words: {}",
        done.stderr
    );

    fs::write(
        desk.path("src/main.rs"),
        "fn main() { println!(\"{{\\\"connector_id\\\":\\\"acme\\\"}}\") }\n",
    )
    .unwrap();
    let done = desk.run(&["manifest", "acme"]);
    assert_eq!(
        (done.code, &*done.stdout),
        (0, "{\n  \"connector_id\": \"acme\"\n}\n"),
        "{}",
        done.stderr
    );
}

#[test]
fn an_interrupted_run_is_resumed_by_the_next_command() {
    let desk = Desk::new();
    let config =
        desk.config(&json!({ "documents": { "a": "x" }, "checkpoint": "c", "wait": true }));
    let program = program();
    let arguments = [
        &["sync", "--json", "--config", &config, "--", &program],
        &SERVE[..],
    ]
    .concat();
    let child = desk.begin(&arguments);
    // At this moment the command may not know yet that the run has begun.
    let pid = soon("the run", || desk.connector_pid());
    interrupt(&child);
    let done = Done::from(child.wait_with_output().unwrap()).ended(130);
    assert_eq!(done["status"], "interrupted");
    assert!(!lives(&pid), "the connector is left behind");
    assert_eq!(
        done["created"], 2,
        "what the connector held was handed over"
    );

    let again = desk.run(&arguments);
    let done_again = again.ended(0);
    assert_eq!(done_again["status"], "completed");
    assert_eq!(done_again["run_id"], done["run_id"]);
    assert!(
        again.stderr.contains("going on where it was interrupted"),
        "{}",
        again.stderr
    );
}

/// This connector remembers nothing of it.
#[test]
fn what_failed_before_an_interrupt_is_named_when_the_run_has_gone_on() {
    let desk = Desk::new();
    let config = desk.config(&json!({
        "documents": { "a": "x" }, "failures": ["always"], "lost": ["once"], "late": ["late"], "checkpoint": "c", "wait": true,
    }));
    let program = program();
    let arguments = [
        &[
            "sync", "--json", "--strict", "--config", &config, "--", &program,
        ],
        &SERVE[..],
    ]
    .concat();
    let child = desk.begin(&arguments);
    soon("the failures", || {
        let log = fs::read_to_string(desk.path(".omni/connector.log")).ok()?;
        log.contains("item=\"late\"").then_some(())
    });
    interrupt(&child);
    let done = Done::from(child.wait_with_output().unwrap()).ended(130);
    assert_eq!(done["failed"], 3, "{done}");

    let done = desk.run(&arguments).ended(4);
    assert_eq!(done["status"], "completed");
    assert_eq!(done["failed"], 2, "{done}");
    let failed = [&done["failures"][0]["item"], &done["failures"][1]["item"]];
    assert_eq!(failed, ["once", "always"], "{done}");
}

/// The run begins after the interrupt. Its end is shown as that of any other run.
#[test]
fn an_interrupt_while_a_run_begins_shows_how_it_ended() {
    let desk = Desk::new();
    let config = desk.config(&json!({ "documents": { "a": "x" }, "wait": true, "glance": true }));
    let program = program();
    let arguments = [
        &["sync", "--json", "--config", &config, "--", &program],
        &SERVE[..],
    ]
    .concat();
    let child = desk.begin(&arguments);
    let pid = soon("the look at the settings", || desk.connector_pid());
    interrupt(&child);
    let done = Done::from(child.wait_with_output().unwrap()).ended(130);
    assert_eq!(done["status"], "interrupted", "{done}");
    assert!(done["run_id"].is_string(), "{done}");
    assert!(!lives(&pid), "the connector is left behind");
    let again = desk.run(&arguments).ended(0);
    assert_eq!(again["run_id"], done["run_id"], "the same run goes on");
}

#[test]
fn a_second_interrupt_kills_a_slow_connector() {
    let desk = Desk::new();
    let pid = desk.path("pid").display().to_string();
    let script = format!("trap '' TERM; echo $$ > {pid}; while :; do sleep 1; done");
    let child = desk
        .command(&["sync", "--", "sh", "-c", &script])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let connector = soon("the connector", || desk.connector_pid());
    interrupt(&child);
    // The connector ignores the first signal; the second may come at any time after it.
    thread::sleep(Duration::from_millis(200));
    assert!(lives(&connector));
    let start = Instant::now();
    interrupt(&child);
    assert_eq!(Done::from(child.wait_with_output().unwrap()).code, 130);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "the grace was waited for"
    );
    assert!(!lives(&connector));
}

#[test]
fn a_store_is_used_by_one_command_at_a_time() {
    let desk = Desk::new();
    let mut manager = desk
        .command(&["manager", "--port", "0", "--json"])
        .stderr(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    soon("the store", || {
        desk.path(".omni/manager.sqlite3").is_file().then_some(())
    });
    let done = desk.sync(&books(), &[]).ended(1);
    assert_eq!(
        done["error"],
        "the store `.omni` is used by another `cargo omni`"
    );
    interrupt(&manager);
    assert_eq!(manager.wait().unwrap().code(), Some(0));
    desk.sync(&books(), &[]).ended(0);
}

/// Returns a port that only who names it gets, for as long as the socket is there.
fn reserved_port() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port.to_string())
}

#[test]
fn a_running_connector_is_used_by_its_url_and_keeps_running() {
    let desk = Desk::new();
    let [(_manager, manager), (_connector, port)] = [reserved_port(), reserved_port()];
    let mut connector = Command::new(program())
        .args(SERVE)
        .env(
            "CONNECTOR_MANAGER_URL",
            format!("http://127.0.0.1:{manager}"),
        )
        .env("CONNECTOR_HOST_NAME", "127.0.0.1")
        .env("PORT", &port)
        .env("SHELF_PID", desk.path("pid"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let url = format!("http://127.0.0.1:{port}/");
    soon("the connector", || {
        (desk.run(&["manifest", "--url", &url]).code == 0).then_some(())
    });
    let manifest = desk.run(&["manifest", "--url", &url]).json();
    assert_eq!(manifest["connector_id"], "shelf");

    let config = desk.config(&books());
    let done = desk
        .run(&[
            "sync", "--json", "--config", &config, "--url", &url, "--port", &manager,
        ])
        .ended(0);
    assert_eq!(done["created"], 2);
    assert!(connector.try_wait().unwrap().is_none());
    connector.kill().unwrap();
    connector.wait().unwrap();

    let done = desk
        .run(&["sync", "--json", "--url", &url, "--port", &manager])
        .ended(3);
    let error = done["error"].as_str().unwrap();
    assert!(
        error.starts_with(&format!(
            "no connector answers at http://127.0.0.1:{port}: "
        )),
        "{error}"
    );
    assert!(
        done["help"]
            .as_str()
            .unwrap()
            .contains("CONNECTOR_MANAGER_URL")
    );
}

#[test]
fn synced_documents_are_found_by_words_and_operators_without_any_process() {
    let desk = Desk::new();
    desk.sync(&books(), &[]).ended(0);
    let found = desk
        .run(&["search", "--json", "second", "letter:B"])
        .ended(0);
    assert_eq!(found["query"], "second letter:B");
    assert_eq!(
        (&found["as"], &found["total"], &found["ignored"]),
        (&json!(null), &json!(1), &json!([]))
    );
    let hit = &found["hits"][0];
    assert_eq!(hit["title"], "Book beta");
    assert_eq!(hit["path"], "shelf/beta");
    assert_eq!(hit["document_id"], "beta");
    assert_eq!(hit["source"]["name"], "Shelf");
    let matched = json!([{ "text": "the ", "is_match": false }, { "text": "second", "is_match": true },
        { "text": " book", "is_match": false }]);
    assert_eq!(hit["snippet"], matched);

    let page = desk
        .run(&["search", "book", "--limit", "1", "--as", "ann@example.com"])
        .stdout;
    assert!(
        page.contains("Book ") && page.ends_with("1 of 2 documents\n"),
        "{page}"
    );
    let nothing = desk.run(&["search", "nowhere"]);
    assert_eq!((nothing.code, &*nothing.stdout), (0, "nothing found\n"));
    let odd = desk.run(&["search", "after:tomorrow"]);
    assert!(
        odd.stderr
            .contains("warning: `after:tomorrow` means nothing"),
        "{}",
        odd.stderr
    );
}

#[test]
fn operators_of_a_connector_outlive_a_sync_of_another() {
    let desk = Desk::new();
    desk.sync(&books(), &[]).ended(0);
    let desk = desk.with("SHELF_START", "plain");
    desk.sync(&json!({}), &[]).ended(0);
    assert_eq!(
        desk.run(&["search", "--json", "letter:b"]).ended(0)["total"],
        1
    );
}

#[test]
fn a_connector_that_forgets_its_run_fails_it() {
    let desk = Desk::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = runtime.block_on(forgetful_connector());
    let done = desk
        .run(&["sync", "--json", "--port", "0", "--url", &url])
        .ended(1);
    let error = "the connector does not work on the run any more and has not said how it ended";
    assert_eq!(
        (&done["status"], &done["error"]),
        (&json!("failed"), &json!(error))
    );
    assert_eq!(
        (&done["skipped"], &done["skips"]),
        (&json!(null), &json!(null)),
        "it gives no report"
    );
}

/// Starts a connector without SDK that accepts a run, then forgets it and never reports.
async fn forgetful_connector() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let manifest = json!({ "name": "forgetful", "display_name": "Forgetful", "version": "1", "sync_modes": ["full"],
        "connector_id": "forgetful", "connector_url": url, "source_types": ["web"] });
    let router = Router::new()
        .route("/health", get(async || "ok"))
        .route("/manifest", get(async || Json(manifest)))
        .route("/sync", post(async || Json(json!({ "status": "started" }))))
        .route(
            "/sync/{id}",
            get(async || Json(json!({ "running": false }))),
        );
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[test]
fn a_search_without_a_store_explains_how_to_create_one() {
    let desk = Desk::new();
    let done = desk.run(&["search", "--json", "word"]).ended(1);
    assert_eq!(done["error"], "there is no store in `.omni`");
    assert!(done["help"].as_str().unwrap().contains("cargo omni sync"));
    assert!(
        !Path::new(&desk.path(".omni")).exists(),
        "looking must not make one"
    );
}

#[test]
fn an_action_is_called_and_its_answer_is_shown() {
    let desk = Desk::new();
    let echoed = desk.run_with_connector(&[
        "call",
        "--json",
        "echo",
        "a.b=1",
        "c=x",
        "--params",
        "{\"d\":2}",
    ]);
    let echoed = echoed.ended(0);
    assert_eq!(echoed["status"], 200);
    assert_eq!(
        echoed["result"],
        json!({ "a": { "b": 1 }, "c": "x", "d": 2 })
    );

    let shown = desk.run_with_connector(&["call", "echo", "c=x"]);
    assert_eq!(
        (shown.code, &*shown.stdout),
        (0, "{\n  \"c\": \"x\"\n}\n"),
        "{}",
        shown.stderr
    );

    let refused = desk
        .run_with_connector(&["call", "--json", "refuse"])
        .ended(1);
    assert_eq!(
        (&refused["status"], &refused["error"]),
        (&json!(400), &json!("the shelf is locked"))
    );

    let unknown = desk.run_with_connector(&["call", "--json", "fly"]).ended(1);
    assert_eq!(
        unknown["help"],
        "there are `echo`, `file`, `refuse`, `say`, `print`"
    );
}

#[test]
fn a_returned_file_is_saved_at_the_given_path_and_not_with_json() {
    let desk = Desk::new();
    let refused = desk
        .run_with_connector(&["call", "--json", "file"])
        .ended(1);
    assert_eq!(refused["help"], "write it with `-o a.png`");
    let piped = desk.run_with_connector(&["call", "file"]);
    assert_eq!(
        (piped.code, &*piped.stdout),
        (0, "not text"),
        "{}",
        piped.stderr
    );
    let written = desk
        .run_with_connector(&["call", "--json", "file", "-o", "b.png"])
        .ended(0);
    assert_eq!(
        (&written["file"], &written["bytes"]),
        (&json!("b.png"), &json!(8))
    );
    assert_eq!(fs::read(desk.path("b.png")).unwrap(), b"not text");
}

#[test]
fn a_wrong_argument_is_a_usage_error() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["sing"]).code, 2);
    assert_eq!(desk.run(&["sync", "--limit", "3"]).code, 2);
    let help = desk.run(&["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Exit codes:"), "{}", help.stdout);
}
