//! The emulation, the way to it, the second client, and the connector with its manager.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Stdio,
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
pub(crate) struct Helper {
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
    pub(crate) async fn ask(&mut self, what: &str, with: Value) -> Result<Value> {
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
pub(crate) struct World {
    _emulation: Child,
    _relay: Helper,
    relay: String,
    pub(crate) second: Helper,
    pub(crate) setup: Setup,
}

impl World {
    pub(crate) async fn start(cache: &Path, scripts: &Path) -> Result<Self> {
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
    pub(crate) async fn has_all(&mut self) -> Result<()> {
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

    pub(crate) async fn sync(&self, mode: SyncType) -> Result<Ended> {
        let ended = self.setup.run(mode).await;
        let run = &ended.progress.run;
        ensure!(ended.is_completed(), "the run: {:?}", run.error_message);
        Ok(ended)
    }

    /// Makes a change, syncs, and compares.
    pub(crate) async fn follows(&mut self, what: &str, with: Value, mode: SyncType) -> Result<()> {
        self.second.ask(what, with).await?;
        let ended = self.sync(mode).await?;
        ensure!(ended.failures() == 0, "{:?}", ended.report());
        self.has_all().await
    }

    /// Calls a tool of GitHub's own MCP server, and returns the JSON in its text.
    pub(crate) async fn tool(&self, name: &str, params: Value) -> Result<Value> {
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

    pub(crate) async fn judged(&self) -> Result<Value> {
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
