//! Drives one MCP server behind the test connector, through the development manager.

use std::{
    collections::BTreeSet,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use omni_connector::{AuthType, HttpClient, SyncType};
use omni_connector_dev::{Manager, Options};
use rmcp::{
    ServiceExt,
    transport::{
        StreamableHttpClientTransport, TokioChildProcess,
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::{
    Paths,
    report::Report,
    servers::{Reach, Server},
};

const PATIENCE: Duration = Duration::from_mins(1);

/// The server's own lists, read without a connector.
struct Listed {
    tools: BTreeSet<String>,
    resources: BTreeSet<String>,
    prompts: BTreeSet<String>,
}

pub(crate) async fn server(paths: &Paths, server: &Server, report: &mut Report) -> Result<()> {
    let spec = match &server.reach {
        Reach::Stdio(command) => json!(command).to_string(),
        Reach::Http(_, url) => url.clone(),
    };
    let _listening = listening(server).await?;
    let listed = listed(server)
        .await
        .with_context(|| format!("{} cannot be asked", server.name))?;
    let manager = Manager::start(Options::default()).await?;
    let cache = tempfile::tempdir()?;
    let _connector = connector(paths, &manager, &spec, &server.env, cache.path())?;
    let source = manager
        .source("interop", "github", json!({ "unrelated": true }))
        .await?;
    manager
        .put_credential(
            &source.id,
            None,
            "github",
            AuthType::BearerToken,
            json!({ "token": "one" }),
        )
        .await?;
    manager
        .registration("mcp_test", PATIENCE)
        .await
        .context("the connector does not register")?;
    manager.sync(&source.id, SyncType::Full).await?;
    let api = Api {
        http: HttpClient::builder().timeout(PATIENCE).build()?,
        base: manager.url(),
        source: source.id.clone(),
    };
    let manifest = api.catalog().await?;
    tools(&api, server, &listed, &manifest, report).await;
    resources(&api, server, &listed, &manifest, report).await;
    prompts(&api, server, &listed, &manifest, report).await;
    speed(&api, &manager, server, report).await?;
    manager.shutdown().await;
    Ok(())
}

/// Starts a server that listens.
async fn listening(server: &Server) -> Result<Option<Child>> {
    let Reach::Http(command, url) = &server.reach else {
        return Ok(None);
    };
    let child = Command::new(&command[0])
        .args(&command[1..])
        .envs(server.env.iter().map(|(name, value)| (*name, value)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let http = HttpClient::new();
    let deadline = Instant::now() + PATIENCE;
    while http.get(url).send().await.is_err() {
        anyhow::ensure!(Instant::now() < deadline, "{} does not listen", server.name);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(Some(child))
}

async fn listed(server: &Server) -> Result<Listed> {
    let mut client = match &server.reach {
        Reach::Stdio(command) => {
            let mut process = Command::new(&command[0]);
            process
                .args(&command[1..])
                .envs(server.env.iter().map(|(name, value)| (*name, value)));
            let (transport, _) = TokioChildProcess::builder(process)
                .stderr(Stdio::null())
                .spawn()?;
            ().serve(transport).await?
        }
        Reach::Http(_, url) => {
            let config = StreamableHttpClientTransportConfig::with_uri(url.clone());
            let http = HttpClient::builder().build()?;
            ().serve(StreamableHttpClientTransport::with_client(http, config))
                .await?
        }
    };
    let has = client
        .peer_info()
        .map(|info| info.capabilities.clone())
        .unwrap_or_default();
    let tools = client.list_all_tools().await?;
    let mut listed = Listed {
        tools: tools
            .into_iter()
            .map(|tool| tool.name.into_owned())
            .collect(),
        resources: BTreeSet::new(),
        prompts: BTreeSet::new(),
    };
    if has.resources.is_some() {
        let resources = client.list_all_resources().await?;
        listed.resources = resources.into_iter().map(|resource| resource.uri).collect();
    }
    if has.prompts.is_some() {
        let prompts = client.list_all_prompts().await?;
        listed.prompts = prompts.into_iter().map(|prompt| prompt.name).collect();
    }
    client.close().await?;
    Ok(listed)
}

/// Creates the test connector for a server.
fn connector(
    paths: &Paths,
    manager: &Manager,
    spec: &str,
    env: &[(&'static str, String)],
    cache: &std::path::Path,
) -> Result<Child> {
    Command::new(&paths.connector)
        .envs(env.iter().map(|(name, value)| (*name, value)))
        .env("MCP_SERVER", spec)
        .env("CONNECTOR_MANAGER_URL", manager.url())
        .env("CONNECTOR_HOST_NAME", "127.0.0.1")
        .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
        .env("PORT", "0")
        .env("RUST_LOG", "warn")
        .env("CATALOG_CACHE_DIR", cache)
        .kill_on_drop(true)
        .spawn()
        .context("the test connector does not start")
}

/// The manager's API, as the web app and the AI service use it.
struct Api {
    http: reqwest::Client,
    base: String,
    source: String,
}

impl Api {
    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        let url = format!("{}{path}", self.base);
        let answer = self
            .http
            .post(url)
            .json(&body)
            .send()
            .await
            .map_err(|error| error.to_string())?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(format!("{status} {:.300}", String::from_utf8_lossy(&bytes)));
        }
        if let Some(name) = headers.get("x-file-name") {
            let name = name.to_str().unwrap_or_default();
            return Ok(json!({ "file": name, "bytes": bytes.len() }));
        }
        serde_json::from_slice(&bytes).map_err(|error| format!("no JSON: {error}"))
    }

    async fn action(&self, action: &str, params: &Value) -> Result<Value, String> {
        let call = json!({ "source_id": self.source, "action": action, "params": params });
        self.post("/action", call).await
    }

    /// Waits until the registered manifest holds the server's items.
    async fn catalog(&self) -> Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let connectors: Value = self
                .http
                .get(format!("{}/connectors", self.base))
                .send()
                .await?
                .json()
                .await?;
            let manifest = &connectors[0]["manifest"];
            if manifest["mcp_catalog_loaded"] == true {
                return Ok(manifest.clone());
            }
            anyhow::ensure!(Instant::now() < deadline, "no catalog is registered");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn names(list: &Value, key: &str) -> BTreeSet<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|item| item[key].as_str().map(str::to_owned))
        .collect()
}

fn all_of(wanted: &BTreeSet<String>, found: &BTreeSet<String>) -> Result<(), String> {
    let missing: Vec<_> = wanted.difference(found).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("{missing:?} are missing"))
    }
}

async fn tools(api: &Api, server: &Server, listed: &Listed, manifest: &Value, report: &mut Report) {
    let registered = names(&manifest["actions"], "name");
    report.check(
        "every tool is registered",
        all_of(&listed.tools, &registered),
    );
    let called = server
        .calls
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    report.check("every tool is called", all_of(&listed.tools, &called));
    let mut works = BTreeSet::new();
    for (name, params) in &server.calls {
        let answer = api.action(name, params).await;
        if report.check(format_args!("tool {name}"), answer.map(drop)) {
            works.insert(*name);
        }
    }
    report.cell(
        "tools",
        format_args!("{}/{}", works.len(), listed.tools.len()),
    );
}

async fn resources(
    api: &Api,
    server: &Server,
    listed: &Listed,
    manifest: &Value,
    report: &mut Report,
) {
    let registered = names(&manifest["resources"], "uri_template");
    report.check(
        "every resource is registered",
        all_of(&listed.resources, &registered),
    );
    let all = listed
        .resources
        .iter()
        .map(String::as_str)
        .chain(server.resources.iter().copied());
    let (mut works, mut count) = (0, 0);
    for uri in all {
        count += 1;
        let answer = api
            .post("/resource", json!({ "source_id": api.source, "uri": uri }))
            .await;
        let answer = answer.and_then(|answer| {
            let first = &answer["contents"][0];
            let is_there = first["text"].is_string() || first["blob"].is_string();
            is_there
                .then_some(())
                .ok_or_else(|| format!("no contents: {answer:.200}"))
        });
        works += usize::from(report.check(format_args!("resource {uri}"), answer));
    }
    if count > 0 {
        report.cell("resources", format_args!("{works}/{count}"));
    }
}

async fn prompts(
    api: &Api,
    server: &Server,
    listed: &Listed,
    manifest: &Value,
    report: &mut Report,
) {
    report.check(
        "every prompt is registered",
        all_of(&listed.prompts, &names(&manifest["prompts"], "name")),
    );
    let called = server
        .prompts
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    report.check(
        "every prompt is asked for",
        all_of(&listed.prompts, &called),
    );
    let (mut works, mut skills) = (0, 0);
    for (name, arguments) in &server.prompts {
        let asked = json!({ "source_id": api.source, "name": name, "arguments": arguments });
        let answer = api.post("/prompt", asked).await.and_then(|answer| {
            let is_there = answer["messages"][0]["content"]["type"].is_string();
            is_there
                .then_some(())
                .ok_or_else(|| format!("no messages: {answer:.200}"))
        });
        works += usize::from(report.check(format_args!("prompt {name}"), answer));
        let asked = json!({ "source_id": api.source, "skill_id": format!("mcp:{name}"), "arguments": arguments });
        let answer = api.post("/skill", asked).await.and_then(|answer| {
            let content = answer["content"].as_str().unwrap_or_default();
            (!content.is_empty())
                .then_some(())
                .ok_or_else(|| format!("no text: {answer:.200}"))
        });
        skills += usize::from(report.check(format_args!("skill mcp:{name}"), answer));
    }
    if !server.prompts.is_empty() {
        report.cell("prompts", format_args!("{works}/{}", server.prompts.len()));
        report.cell("skills", format_args!("{skills}/{}", server.prompts.len()));
    }
}

/// Measures calls on a kept connection against one connection for each call. Each new secret opens
/// a new connection.
async fn speed(api: &Api, manager: &Manager, server: &Server, report: &mut Report) -> Result<()> {
    let Some((name, params)) = server.calls.first() else {
        return Ok(());
    };
    let mut kept = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        report.check(
            "a kept connection",
            api.action(name, params).await.map(drop),
        );
        kept.push(started.elapsed());
    }
    let mut fresh = Vec::new();
    for n in 0..5 {
        let secret = json!({ "token": format!("fresh-{n}") });
        manager
            .put_credential(&api.source, None, "github", AuthType::BearerToken, secret)
            .await?;
        let started = Instant::now();
        report.check(
            "a fresh connection",
            api.action(name, params).await.map(drop),
        );
        fresh.push(started.elapsed());
    }
    kept.sort();
    fresh.sort();
    let (kept, fresh) = (kept[kept.len() / 2], fresh[fresh.len() / 2]);
    let ratio = fresh.as_secs_f64() / kept.as_secs_f64();
    report.cell("kept", format_args!("{:.1} ms", kept.as_secs_f64() * 1e3));
    report.cell("fresh", format_args!("{:.1} ms", fresh.as_secs_f64() * 1e3));
    report.cell("faster", format_args!("{ratio:.0} ×"));
    if matches!(server.reach, Reach::Stdio(_)) && server.is_instant {
        let enough = ratio >= 20.0;
        let result = enough
            .then_some(())
            .ok_or_else(|| format!("only {ratio:.1} times as fast"));
        report.check("a kept connection is 20 times as fast over stdio", result);
    }
    Ok(())
}
