//! Sends every recorded call of the manager to a connector. Its answer must have the recorded effect at the manager.

use std::sync::Arc;

use axum::response::Response;
use omni_connector::{
    ActionCall, ActionResponse, BoxFuture, Connector, ServiceCredential, Skill, Source, SourceType,
    SyncContext, SyncType, async_trait,
};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Entry, Verdicts, load, recorded};
use crate::support::{Manager, Scripted, Served, serve};

/// A connector that reports the input of its author's functions.
struct Witness {
    runs: UnboundedSender<Value>,
}

#[async_trait]
impl Connector for Witness {
    type Config = Value;
    type Credentials = Value;
    type State = Value;

    fn name(&self) -> &'static str {
        "witness"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn source_types(&self) -> Vec<SourceType> {
        vec![SourceType::Web]
    }

    fn sync_modes(&self) -> Vec<SyncType> {
        vec![SyncType::Full, SyncType::Incremental, SyncType::Realtime]
    }

    fn skills(&self) -> Vec<Skill> {
        vec![Skill {
            id: "acme-live".to_owned(),
            title: "Live".to_owned(),
            description: None,
            source_types: Vec::new(),
            content: Some("live text".to_owned()),
            mcp_prompt: None,
        }]
    }

    async fn sync(
        &self,
        source: Source,
        _: Option<ServiceCredential>,
        checkpoint: Option<Value>,
        ctx: SyncContext,
    ) -> anyhow::Result<()> {
        let format = &time::format_description::well_known::Rfc3339;
        let last_sync_at = ctx
            .last_sync_at()
            .map(|time| time.format(format))
            .transpose()?;
        self.runs.send(json!({
            "run": ctx.sync_run_id(), "source": source.id, "mode": ctx.sync_mode(), "resume": ctx.is_resume(),
            "last_sync_at": last_sync_at, "checkpoint": checkpoint,
        }))?;
        ctx.cancelled().await;
        Ok(())
    }

    fn call_action(&self, call: ActionCall) -> BoxFuture<'_, anyhow::Result<Response>> {
        Box::pin(async move {
            Ok(match call.action.as_str() {
                "succeed" => ActionResponse::success(json!({ "items": [1, "é"] })),
                "refuse" => ActionResponse::error("query is required"),
                _ => ActionResponse::success(json!({
                    "action": call.action, "params": call.params, "credentials": call.credentials,
                    "source": call.source, "actor_email": call.actor_email,
                })),
            }
            .into_response())
        })
    }
}

struct World {
    manager: Manager,
    served: Served,
    runs: UnboundedReceiver<Value>,
    /// Complete bodies, for recordings that omit fields.
    whole_action: Value,
    whole_notice: Value,
}

type Verdict = Result<(), String>;

fn equal(what: &str, expected: &Value, actual: &Value) -> Verdict {
    if expected == actual {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected}, got {actual}"))
    }
}

impl World {
    async fn start() -> Self {
        let manager = Manager::start().await;
        let (sender, runs) = unbounded_channel();
        let served = serve(Witness { runs: sender }, &manager).await;
        let body_of = |file, name| {
            let entry = load(file).into_iter().find(|entry| entry.name == name);
            entry.unwrap().request["body"].clone()
        };
        Self {
            manager,
            served,
            runs,
            whole_action: body_of("action", "dispatch > POST /action"),
            whole_notice: body_of(
                "oauth-credential-ready",
                "connector answers 204 > POST /oauth/credential-ready",
            ),
        }
    }

    async fn call(&mut self, entry: &Entry) -> Verdict {
        let (method, path) = (entry.method(), entry.path());
        match (method, path) {
            ("GET", "/health") => {
                let (status, body) = self.served.get(path).await;
                equal(
                    "the answer",
                    &json!([200, "healthy"]),
                    &json!([status, body["status"]]),
                )
            }
            ("GET", _) if path.starts_with("/sync/") => self.probe(path).await,
            // A URL that ends with a slash produces this route.
            ("GET", "//health") => equal(
                "the status",
                &json!(404),
                &json!(self.served.get(path).await.0),
            ),
            ("POST", "/sync") => self.sync(&entry.request["body"]).await,
            ("POST", "/cancel") => self.cancel(&entry.request["body"]).await,
            ("POST", "/action") => self.action(&entry.request["body"]).await,
            ("POST", "/resource" | "/prompt" | "/skill") => self.answer_of_mcp(entry).await,
            ("POST", "/oauth/credential-ready") => {
                let notice = whole(&entry.request["body"], &self.whole_notice);
                let (status, body) = self.served.post(path, notice.to_string()).await;
                match status {
                    200 | 204 => Ok(()),
                    _ => Err(format!("{status} {body}")),
                }
            }
            _ => Err("no such call".to_owned()),
        }
    }

    /// Checks a sync: accepted, received by the author unchanged, active, and cancelled.
    async fn sync(&mut self, body: &Value) -> Verdict {
        let of_source = json!({ "of": "the source" });
        self.manager.change_source("id", body["source_id"].clone());
        self.manager.change_source("checkpoint", of_source.clone());
        let (status, answer) = self.served.post("/sync", body.to_string()).await;
        equal(
            "the answer",
            &json!([200, { "status": "started" }]),
            &json!([status, answer]),
        )?;
        let seen = self.runs.recv().await.unwrap();
        let is_resume = body["is_resume"] == true;
        let sent = Some(&body["checkpoint"]).filter(|checkpoint| !checkpoint.is_null());
        let checkpoint = match sent {
            // A full run that is not a resume starts over (`protocol.md` §5.3).
            _ if body["sync_mode"] == "full" && !is_resume => Value::Null,
            Some(sent) => sent.clone(),
            None => of_source,
        };
        let run = &body["sync_run_id"];
        let expected = json!({
            "run": run, "source": body["source_id"], "mode": body["sync_mode"], "resume": is_resume,
            "last_sync_at": body["last_sync_at"], "checkpoint": checkpoint,
        });
        equal("what the author saw", &expected, &seen)?;
        let path = format!("/sync/{}", run.as_str().unwrap());
        let (_, alive) = self.served.get(&path).await;
        equal("the probe", &json!({ "running": true }), &alive)?;
        let cancel = json!({ "sync_run_id": run }).to_string();
        let (status, cancelled) = self.served.post("/cancel", cancel).await;
        equal(
            "the cancel",
            &json!([200, { "status": "cancelled" }]),
            &json!([status, cancelled]),
        )?;
        let (_, gone) = self.served.get(&path).await;
        equal("the probe", &json!({ "running": false }), &gone)
    }

    /// Checks a probe of an unknown run, whose answer makes the manager resume it.
    async fn probe(&self, path: &str) -> Verdict {
        let (status, body) = self.served.get(path).await;
        equal(
            "the answer",
            &json!([200, { "running": false }]),
            &json!([status, body]),
        )
    }

    async fn cancel(&self, body: &Value) -> Verdict {
        let (status, answer) = self.served.post("/cancel", body.to_string()).await;
        equal(
            "the answer",
            &json!([404, { "status": "not_found" }]),
            &json!([status, answer]),
        )
    }

    async fn action(&self, body: &Value) -> Verdict {
        let body = whole(body, &self.whole_action);
        let (status, answer) = self.served.post("/action", body.to_string()).await;
        equal("the status", &json!(200), &json!(status))?;
        equal("what the author saw", &body, &answer["result"])
    }

    async fn answer_of_mcp(&self, entry: &Entry) -> Verdict {
        let (status, answer) = self
            .served
            .post(entry.path(), entry.request["body"].to_string())
            .await;
        if entry.status() == 200 && entry.response["body"].is_object() {
            let expected = json!([200, entry.response["body"]]);
            return equal("the answer", &expected, &json!([status, answer]));
        }
        // The recorded connector answered with a fault here. Ours answers with a refusal, or with the skill.
        match status {
            200 => Ok(()),
            404 if answer["error"].is_string() => Ok(()),
            _ => Err(format!("{status} {answer}")),
        }
    }
}

/// Completes a body with the fields that the recording omits, from a complete one.
fn whole(body: &Value, example: &Value) -> Value {
    let mut body = body.clone();
    for (key, value) in body.as_object_mut().unwrap() {
        if value == "$omitted" {
            *value = example[key].clone();
        }
    }
    body
}

#[tokio::test]
async fn every_recorded_call_of_the_manager_is_read_and_answered() {
    let mut world = World::start().await;
    let mut verdicts = Verdicts::default();
    for entry in recorded("manager->connector") {
        let verdict = world.call(&entry).await;
        verdicts.add(&entry, verdict);
    }
    verdicts.close(
        "calls of the manager",
        &[
            ("resource-prompt-skill", "resource"),
            ("resource-prompt-skill", "prompt"),
            ("resource-prompt-skill", "skill from a prompt"),
            ("trigger", "answer 307 to another path > POST /sync2"),
        ],
    );
}

/// Returns the recorded effect of an answer like this one on a run: its status, and the message that people read.
fn consequence(answer: &(u16, Value), mode: &str) -> Option<(Value, String)> {
    let mut asked = Value::Null;
    for entry in load("trigger") {
        if entry.direction == "client->manager" {
            asked = entry.effect["run"].clone();
            continue;
        }
        let body = &entry.request["body"];
        let is_like_it = entry.path() == "/sync"
            && entry.status() == u64::from(answer.0)
            && (body["sync_mode"] == "realtime") == (mode == "realtime")
            && entry.response["body"]["status"].is_string() == answer.1["status"].is_string()
            // The answer did not affect a run that had ended before it.
            && asked["status"] != "completed";
        if is_like_it {
            let text = asked["error_message"].as_str().unwrap_or_default();
            return Some((asked["status"].clone(), text.to_owned()));
        }
    }
    None
}

#[tokio::test]
async fn every_answer_to_a_start_has_its_recorded_effect() {
    let manager = Manager::start().await;
    let mut endless = Scripted::new(async |ctx, _| {
        ctx.cancelled().await;
        Ok(())
    });
    endless.modes.push(SyncType::Realtime);
    let served = serve(endless, &manager).await;
    let without_realtime = Manager::start().await;
    let other = serve(Scripted::new(async |_, _| Ok(())), &without_realtime).await;

    let start =
        async |what, run: &str, mode, meant| (what, mode, served.start(run, mode).await, meant);
    let mut rows = vec![
        start("started", "R1", "full", "running").await,
        start("started again", "R1", "full", "running").await,
        start("the slot is taken", "R2", "incremental", "failed").await,
        start("realtime beside it", "R3", "realtime", "running").await,
        start("the realtime slot is taken", "R4", "realtime", "failed").await,
    ];
    let answer = other.start("R5", "realtime").await;
    rows.push(("no realtime", "realtime", answer, "cancelled"));
    manager.change_source("id", json!("S2"));
    for mode in ["full", "realtime"] {
        rows.push(start("no such source", "R6", mode, "failed").await);
    }
    manager.change_source("id", json!("S1"));
    manager.change_source("config", json!({}));
    for mode in ["full", "realtime"] {
        rows.push(start("a bad config", "R7", mode, "failed").await);
    }
    manager.change_source("is_active", json!(false));
    rows.push(start("switched off", "R8", "full", "failed").await);

    for (what, mode, answer, meant) in &rows {
        let (status, text) = consequence(answer, mode)
            .unwrap_or_else(|| panic!("{what}, {mode}: nothing like {answer:?} was recorded"));
        assert_eq!(status, *meant, "{what}, {mode}: {answer:?}");
        if status == "failed" {
            // People read status and body, so a body without a message would not help them.
            assert!(text.contains("\"message\""), "{text}");
            assert!(
                answer.1["message"]
                    .as_str()
                    .is_some_and(|text| text.len() > 10),
                "{what}: {answer:?}"
            );
        }
        println!("{what:<28} {mode:<9} {} → {meant}", answer.0);
    }
    println!(
        "{} answers to a start have their recorded consequence",
        rows.len()
    );
}

#[tokio::test]
async fn answers_of_actions_equal_the_recorded_ones() {
    let world = World::start().await;
    for (name, action) in [
        ("relay: JSON success > POST /action", "succeed"),
        ("relay: error 400 > POST /action", "refuse"),
    ] {
        let entry = load("action")
            .into_iter()
            .find(|entry| entry.name == name)
            .unwrap();
        let body = json!({ "action": action, "params": {}, "credentials": null, "source": null, "actor_email": null });
        let (status, answer) = world.served.post("/action", body.to_string()).await;
        assert_eq!(
            json!([status, answer]),
            json!([entry.status(), entry.response["body"]]),
            "{name}"
        );
    }
    // An unknown action gets the default of the trait.
    let manager = Manager::start().await;
    let served = serve(Scripted::new(async |_, _| Ok(())), &Arc::new(manager)).await;
    let name = "relay: unknown action 404 > POST /action";
    let entry = load("action")
        .into_iter()
        .find(|entry| entry.name == name)
        .unwrap();
    let body = json!({ "action": "list_items", "params": {} }).to_string();
    let (status, answer) = served.post("/action", body).await;
    assert_eq!(
        json!([status, answer]),
        json!([entry.status(), entry.response["body"]]),
        "{name}"
    );
}
