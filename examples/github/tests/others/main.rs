//! Runs `examples/github` against a GitHub that nobody here wrote, while a second client changes things. See
//! `tests/github/README.md`.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::{Duration, Instant},
};

use omni_connector::{AuthType, prelude::*};
use omni_connector_dev::testing::{Ended, Setup, free_port};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

const TOKEN: &str = "token-of-ann";
const API: &str = "http://github.test/api/v3";
const PATIENCE: Duration = Duration::from_mins(1);

/// A process whose first line of output says that it is ready, and which answers lines with lines.
struct Helper {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Helper {
    fn start(command: &mut Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{command:?} does not start"))?;
        let input = process.stdin.take().context("no input")?;
        let output = process.stdout.take().context("no output")?;
        Ok(Self {
            _process: process,
            input,
            output: BufReader::new(output).lines(),
        })
    }

    async fn line(&mut self) -> Result<String> {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await;
        line.context("it does not answer")??.context("it ended")
    }

    /// Asks the second client for a change, or for a list.
    async fn ask(&mut self, what: &str, with: Value) -> Result<Value> {
        let line = format!("{}\n", json!({ "do": what, "with": with }));
        self.input.write_all(line.as_bytes()).await?;
        let mut answer: Value = serde_json::from_str(&self.line().await?)?;
        if let Some(error) = answer["error"].as_str() {
            bail!("PyGithub cannot `{what}`: {error}");
        }
        Ok(answer["ok"].take())
    }
}

/// A document by `PyGithub`'s account.
#[derive(Deserialize)]
struct Expected {
    title: String,
    texts: Vec<String>,
    group: Option<String>,
    attributes: BTreeMap<String, Value>,
}

/// The emulation, the way to it, the second client, and the connector with its manager.
struct World {
    _emulation: Child,
    _relay: Helper,
    relay: String,
    second: Helper,
    setup: Setup,
}

impl World {
    async fn start(cache: &Path, scripts: &Path) -> Result<Self> {
        let (port, relay_port) = (free_port()?, free_port()?);
        let relay = format!("http://127.0.0.1:{relay_port}");
        let emulation = Command::new(cache.join("node_modules/.bin/emulate"))
            .args(["start", "--service", "github", "--base-url", API])
            .args(["--port", &port.to_string(), "--seed"])
            .arg(scripts.join("seed.json"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let python = cache.join("py/bin/python");
        let schema = cache.join("package/schema");
        let mut relaying = Helper::start(
            Command::new(&python)
                .arg(scripts.join("relay.py"))
                .args([relay_port.to_string(), port.to_string()])
                .arg(schema.join("api.github.com.json"))
                .arg(schema.join("schema.docs.graphql")),
        )?;
        ensure!(relaying.line().await? == "ready");
        listens(&format!("http://127.0.0.1:{port}/")).await?;
        let second = Helper::start(
            Command::new(&python)
                .arg(scripts.join("second.py"))
                .env("TOKEN", TOKEN)
                .env("http_proxy", &relay),
        )?;
        let server = json!([
            cache.join("py/bin/github-mcp-server"),
            "stdio",
            "--toolsets",
            "all"
        ]);
        let setup = Setup::of(env!("CARGO_BIN_EXE_github"))
            .config(json!({ "api_url": API }))
            .credentials(json!({ "token": TOKEN }))
            .auth_type(AuthType::BearerToken)
            .env("GITHUB_MCP_COMMAND", server.to_string())
            .env("http_proxy", &relay)
            .env("https_proxy", &relay)
            .start()
            .await;
        Ok(Self {
            _emulation: emulation,
            _relay: relaying,
            relay,
            second,
            setup,
        })
    }

    /// Compares Omni's documents and groups with everything that `PyGithub` lists.
    async fn has_all(&mut self) -> Result<()> {
        let expected = self.second.ask("documents", json!({})).await?;
        let mut expected: BTreeMap<String, Expected> = serde_json::from_value(expected)?;
        let found = self.setup.documents().await;
        for document in found.iter() {
            let id = &document.id;
            let wanted = expected
                .remove(id)
                .with_context(|| format!("{id} is not at GitHub"))?;
            ensure!(document.title == wanted.title, "{id}: {}", document.title);
            for text in &wanted.texts {
                let has_it = document.text.contains(text);
                ensure!(has_it, "{id} lacks `{text}`: {}", document.text);
            }
            let readers = document.permissions.as_ref().context("no readers")?;
            ensure!(
                readers["public"] == wanted.group.is_none()
                    && readers["groups"] == json!(Vec::from_iter(&wanted.group)),
                "{id}: {readers}"
            );
            for (key, wanted) in &wanted.attributes {
                let has = document.attribute(key).unwrap_or(&Value::Null);
                ensure!(has == wanted, "{id}: `{key}` is {has}, not {wanted}");
            }
        }
        let missing: Vec<_> = expected.keys().collect();
        ensure!(missing.is_empty(), "{missing:?} are missing");
        let groups = self.second.ask("members", json!({})).await?;
        let groups: BTreeMap<String, Vec<String>> = serde_json::from_value(groups)?;
        for (group, wanted) in groups {
            let has = self.setup.members(&group).await;
            ensure!(has == wanted, "{group}: {has:?}, not {wanted:?}");
        }
        Ok(())
    }

    async fn sync(&self, mode: SyncType) -> Result<Ended> {
        let ended = self.setup.run(mode).await;
        let run = &ended.progress.run;
        ensure!(ended.is_completed(), "the run: {:?}", run.error_message);
        Ok(ended)
    }

    /// Makes a change, syncs, and compares.
    async fn follows(&mut self, what: &str, with: Value, mode: SyncType) -> Result<()> {
        self.second.ask(what, with).await?;
        let ended = self.sync(mode).await?;
        ensure!(ended.failures() == 0, "{:?}", ended.report);
        self.has_all().await
    }

    /// Calls a tool of GitHub's own MCP server, and returns the JSON in its text.
    async fn tool(&self, name: &str, params: Value) -> Result<Value> {
        let answer = self.setup.answer(name, params, None).await;
        let text = String::from_utf8_lossy(&answer.body);
        ensure!(answer.status.is_success(), "{}: {text}", answer.status);
        let answer: Value = serde_json::from_str(&text)?;
        let result = &answer["result"];
        let text = result["content"]
            .as_str()
            .or_else(|| result["content"][0]["text"].as_str());
        let text = text.or_else(|| result.as_str());
        Ok(match text {
            Some(text) => serde_json::from_str(text)?,
            None => result.clone(),
        })
    }

    async fn judged(&self) -> Result<Value> {
        let http = HttpClient::builder().no_proxy().build()?;
        Ok(http
            .get(format!("{}/judged", self.relay))
            .send()
            .await?
            .json()
            .await?)
    }
}

async fn listens(url: &str) -> Result<()> {
    let http = HttpClient::builder().no_proxy().build()?;
    let end = Instant::now() + PATIENCE;
    while http.get(url).send().await.is_err() {
        ensure!(Instant::now() < end, "{url} does not listen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

#[derive(Default)]
struct Report {
    passed: usize,
    failed: usize,
}

impl Report {
    fn check(&mut self, what: &str, result: Result<()>) {
        match result {
            Ok(()) => {
                println!("ok {what}");
                self.passed += 1;
            }
            Err(error) => {
                println!("FAILED {what}: {error:#}");
                self.failed += 1;
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Some(cache) = env::var_os("GITHUB_OTHERS").map(PathBuf::from) else {
        println!("left out; `tests/github/run` installs what it needs");
        return Ok(ExitCode::SUCCESS);
    };
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/github");
    let mut report = Report::default();
    match World::start(&cache, &scripts).await {
        Ok(mut world) => story(&mut world, &mut report).await,
        Err(error) => report.check("set-up", Err(error)),
    }
    println!("{} passed, {} failed", report.passed, report.failed);
    Ok(if report.failed == 0 && report.passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The changes of the second client, each with what the promise is.
fn changes() -> Vec<(&'static str, &'static str, Value)> {
    let edit = |name: &str, number: u32, changes: Value| json!({ "name": name, "number": number, "changes": changes });
    let set = |name: &str, changes: Value| json!({ "name": name, "changes": changes });
    vec![
        (
            "a new issue arrives",
            "issue",
            json!({ "name": "tea", "title": "Pour", "body": "Slowly." }),
        ),
        (
            "a comment on an old issue arrives",
            "comment",
            json!({ "name": "tea", "number": 1, "body": "Too small." }),
        ),
        (
            "an edited comment arrives",
            "edit_comment",
            json!({ "name": "tea", "number": 1, "body": "Far too small." }),
        ),
        (
            "an issue is closed, and labelled",
            "edit",
            edit("tea", 2, json!({ "state": "closed", "labels": ["warm"] })),
        ),
        (
            "an issue is opened again under another title",
            "edit",
            edit(
                "tea",
                2,
                json!({ "state": "open", "title": "A larger cup", "assignees": ["ann"] }),
            ),
        ),
        (
            "a new README arrives",
            "readme",
            json!({ "name": "tea", "text": "# Tea\n\nWith milk." }),
        ),
        (
            "a renamed repository takes its issues along",
            "set",
            set("tea", json!({ "name": "chai" })),
        ),
        (
            "an issue of the renamed repository arrives",
            "issue",
            json!({ "name": "chai", "title": "Cardamom", "body": "Two pods." }),
        ),
        (
            "a repository that becomes private hides all its documents",
            "set",
            set("chai", json!({ "private": true })),
        ),
        (
            "a new collaborator becomes a reader",
            "invite",
            json!({ "name": "chai", "person": "bob" }),
        ),
        (
            "a collaborator without an address becomes no reader",
            "invite",
            json!({ "name": "chai", "person": "shy" }),
        ),
        (
            "a collaborator who left reads nothing more",
            "remove",
            json!({ "name": "chai", "person": "bob" }),
        ),
        (
            "a repository that becomes public shows all its documents",
            "set",
            set("chai", json!({ "private": false })),
        ),
        (
            "a new private repository arrives with its readers",
            "create",
            json!({ "name": "vault", "private": true, "issues": 2 }),
        ),
        (
            "a repository without issues and README arrives",
            "create",
            json!({ "name": "empty" }),
        ),
        (
            "a deleted repository is gone with its issues",
            "delete",
            json!({ "name": "cups" }),
        ),
    ]
}

async fn story(world: &mut World, report: &mut Report) {
    let first = async |world: &mut World| {
        for (name, private, issues) in [("tea", false, 105), ("cups", false, 3), ("till", true, 2)]
        {
            let made = json!({ "name": name, "private": private, "readme": format!("# {name}\n"), "issues": issues });
            world.second.ask("create", made).await?;
        }
        let ann_and_eve = json!({ "name": "till", "person": "eve" });
        world.follows("invite", ann_and_eve, SyncType::Full).await
    };
    report.check("a full run brings everything", first(world).await);
    for (promise, what, with) in changes() {
        let followed = world.follows(what, with, SyncType::Incremental).await;
        report.check(promise, followed);
    }
    let again = async |world: &mut World| {
        let ended = world.sync(SyncType::Full).await?;
        ensure!(ended.failures() == 0, "{:?}", ended.report);
        world.has_all().await
    };
    report.check("a second full run changes nothing", again(world).await);
    let killed = async |world: &mut World| {
        world.setup.kill_and_restart().await;
        world
            .second
            .ask(
                "issue",
                json!({ "name": "chai", "title": "Late", "body": "After dark." }),
            )
            .await?;
        again(world).await
    };
    report.check("another process goes on", killed(world).await);
    report.check(
        "a tool of the MCP server works for the source",
        tools(world).await,
    );
    report.check("requests are as GitHub describes them", judged(world).await);
}

/// What a tool writes, Omni finds after the next run.
async fn tools(world: &mut World) -> Result<()> {
    let me = world.tool("get_me", json!({})).await?;
    ensure!(me["login"] == "ann", "get_me: {me}");
    let wanted = json!({ "owner": "ann", "repo": "chai", "title": "From a tool", "body": "Written by GitHub's server." });
    let made = world.tool("create_issue", wanted).await?;
    let url = made["url"].as_str().or_else(|| made["html_url"].as_str());
    let number = url.and_then(|url| url.rsplit('/').next());
    let number: u64 = number.with_context(|| made.to_string())?.parse()?;
    let comment = json!({ "owner": "ann", "repo": "chai", "issue_number": number, "body": "And commented on." });
    world.tool("add_issue_comment", comment).await?;
    world.sync(SyncType::Incremental).await?;
    let found = world.setup.documents().await;
    let document = found
        .get(&format!("github:issue:ann/chai#{number}"))
        .context("the issue is not in Omni")?;
    ensure!(document.text.contains("And commented on."));
    world.has_all().await
}

/// Every request of the connector is one that GitHub describes, and none went to another host.
async fn judged(world: &World) -> Result<()> {
    let judged = world.judged().await?;
    let list = |key: &str| judged[key].as_array().cloned().unwrap_or_default();
    println!("   {}", json!(list("operations")));
    for operation in [
        "issues/list-for-repo",
        "repos/list-collaborators",
        "graphql",
    ] {
        let was_asked = list("operations").contains(&json!(operation));
        ensure!(was_asked, "{operation} was never asked: {judged}");
    }
    ensure!(list("problems").is_empty(), "{}", judged["problems"]);
    ensure!(
        list("foreign").is_empty(),
        "requests elsewhere: {}",
        judged["foreign"]
    );
    Ok(())
}
