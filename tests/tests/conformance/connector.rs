//! Tests the connector (`protocol.md` §2): a connector process driven by a scripted manager. Both
//! connectors must pass the same rows.

use std::{
    collections::{BTreeMap, VecDeque},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{
    ask::Subject,
    peer::Peer,
    process::Process,
    report::{Outcome, Report},
    roles::ScriptedManager,
    row::{Names, Reply, Row, Step, read},
};

/// A running connector and its manager.
pub(crate) struct Served {
    pub(crate) manager: Peer<ScriptedManager>,
    pub(crate) subject: Subject,
    pub(crate) process: Process,
}

impl Served {
    /// Starts `binary` and waits for its registration.
    pub(crate) async fn start(binary: &str, watches: bool) -> Result<Self> {
        let manager = Peer::start("127.0.0.1", ScriptedManager::default()).await?;
        let mut process = Process::connector(binary, &manager.url, watches)?;
        loop {
            let manifest = manager.role(|role| role.manifest.clone());
            if let Some(url) = manifest
                .as_ref()
                .and_then(|manifest| manifest["connector_url"].as_str())
            {
                let subject = Subject::new(url)?;
                manager.set_subject(subject.clone());
                return Ok(Self {
                    manager,
                    subject,
                    process,
                });
            }
            if !process.is_alive() {
                bail!("{binary} ended before it registered");
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Checks a row.
    async fn hold(&self, row: &Row) -> Result<()> {
        let mut names = Names::default();
        for name in ["SOURCE", "RUN", "RUN_2", "UNKNOWN"] {
            names.set(name, ulid::Ulid::generate().to_string());
        }
        names.set("CONNECTOR_URL", &self.subject.url);
        names.set("MANAGER_URL", &self.manager.url);
        let outcome = self.walk(row, &mut names).await;
        for run in ["RUN", "RUN_2"] {
            let cancel: Step = serde_json::from_value(json!({
                "call": "POST /cancel", "json": { "sync_run_id": format!("${run}") }, "status": [200, 404]
            }))?;
            self.subject
                .ask(&cancel, &mut names)
                .await
                .context("cleaning up")?;
        }
        outcome
    }

    async fn walk(&self, row: &Row, names: &mut Names) -> Result<()> {
        let mut answers: BTreeMap<String, VecDeque<Reply>> = BTreeMap::new();
        for (call, replies) in &row.answers {
            let replies = replies.iter().map(|reply| names.reply(reply));
            answers.insert(names.text(call)?, replies.collect::<Result<_>>()?);
        }
        self.manager.begin(answers);
        let source = names.text("$SOURCE")?;
        let fields = row.source.clone().unwrap_or_default();
        let secret = row
            .secret
            .clone()
            .unwrap_or_else(|| json!({ "api_key": "key" }));
        self.manager.role(|role| {
            role.put_source(&source, &fields);
            if !secret.is_null() {
                role.put_credential(&source, &secret);
            }
        });
        for step in &row.before {
            self.subject
                .ask_until(step, names)
                .await
                .context("before")?;
        }
        self.subject.ask(&row.ask, names).await?;
        self.manager.was_called(&row.called, names).await?;
        for step in &row.after {
            self.subject.ask_until(step, names).await.context("after")?;
        }
        let seen = self.manager.seen();
        for call in &row.not_called {
            let call = names.text(call)?;
            if seen.iter().any(|seen| seen.call == call) {
                bail!("the manager was called `{call}`");
            }
        }
        for call in &row.once {
            let call = names.text(call)?;
            let times = seen.iter().filter(|seen| seen.call == call).count();
            if times != 1 {
                bail!("the manager was called `{call}` {times} times");
            }
        }
        Ok(())
    }

    async fn outcome(&self, row: &Row) -> Outcome {
        match self.hold(row).await {
            Ok(()) => Outcome::Holds,
            Err(error) => Outcome::Broken(format!("{error:#}")),
        }
    }
}

async fn suite(binary: &str, name: &str) -> Result<()> {
    let usual = Served::start(binary, false).await?;
    let watching = Served::start(binary, true).await?;
    let mut report = Report::default();
    for row in read("connector.json", include_str!("rows/connector.json"))? {
        let served = match row.of.as_deref() {
            None => &usual,
            Some("watching") => &watching,
            Some(other) => bail!("there is no connector `{other}`"),
        };
        report.add(&row.section, &row.name, served.outcome(&row).await);
    }
    report.close(name);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_that_starts_runs_keeps_the_protocol() {
    let hooked = env!("CARGO_BIN_EXE_hooked");
    let served = Served::start(hooked, false).await.unwrap();
    let mut report = Report::default();
    for row in read("webhook.json", include_str!("rows/webhook.json")).unwrap() {
        report.add(&row.section, &row.name, served.outcome(&row).await);
    }
    report.close("a connector with runs of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_without_macros_keeps_the_protocol() {
    suite(env!("CARGO_BIN_EXE_by_hand"), "a connector written by hand")
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_annotated_connector_keeps_the_protocol() {
    suite(env!("CARGO_BIN_EXE_annotated"), "an annotated connector")
        .await
        .unwrap();
}

#[test]
fn an_annotated_connector_prints_the_schemas_of_its_types() {
    let printed = Command::new(env!("CARGO_BIN_EXE_annotated"))
        .arg("schemas")
        .output()
        .unwrap();
    let schemas: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let config = &schemas["config"]["properties"]["api_url"];
    assert_eq!(config["type"], "string", "{schemas}");
    let secret = &schemas["credentials"]["properties"]["api_key"];
    assert_eq!(secret["format"], "password", "{schemas}");
    assert_eq!(schemas["state"], Value::Null, "it has no schema");
}
