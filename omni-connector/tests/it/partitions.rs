//! Partitions of a source, processed at once: each with its own state, failures and saves.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use omni_connector::{
    Access, Checkpoint, Document, Inventory, Partitions, SyncContext, Walked, Watermark,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{Instead, Manager, Scripted, Served, serve};

#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    channels: Partitions<String, Channel>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Channel {
    messages: Inventory<u64>,
    since: Watermark<u64>,
    page: u64,
}

/// The work on each channel.
type Plan = Vec<(&'static str, Doing)>;

#[derive(Debug, Clone, Copy)]
enum Doing {
    /// Sends these versions of `{channel}/1`, `{channel}/2` and so on.
    Sends(&'static [u64]),
    /// Sends these versions, and then fails.
    SendsAndFails(&'static [u64]),
}

/// Executes a plan with two channels at once. Records the channels.
async fn go(
    plan: Plan,
    proof: Option<Walked>,
    worked: Arc<Mutex<Vec<String>>>,
    state: Option<Value>,
    ctx: SyncContext,
) -> anyhow::Result<()> {
    let state = state.map(serde_json::from_value).transpose()?;
    let checkpoint = Checkpoint::<Cursor>::new(state, &ctx)?;
    let channels = plan.iter().map(|(name, doing)| ((*name).to_owned(), doing));
    let mut each = ctx.each(&checkpoint.channels, channels).at_once(2);
    if let Some(proof) = proof {
        each = each.whole(proof);
    }
    let worked = &worked;
    each.run(|doing, mut part| async move {
        let name = part.key().clone();
        worked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(name.clone());
        part.page += 1;
        let next = part.since.take(part.ctx(), 7_u64);
        let mut walk = part.messages.walk(part.ctx());
        let (Doing::Sends(versions) | Doing::SendsAndFails(versions)) = *doing;
        for (version, number) in versions.iter().zip(1..) {
            let id = format!("{name}/{number}");
            if !walk.is_current(&id, version) {
                let document = Document::new(&id, Access::groups([&name]));
                walk.upsert(document.text(format!("{id} {version}")), version)
                    .await?;
            }
        }
        next.commit();
        anyhow::ensure!(matches!(doing, Doing::Sends(_)), "the channel answers 503");
        walk.finish(Walked::declared("all versions were sent"))
            .await?;
        Ok(())
    })
    .await?;
    Ok(())
}

struct Ended {
    served: Served,
    manager: Manager,
    worked: Arc<Mutex<Vec<String>>>,
}

impl Ended {
    fn state(&self, channel: &str) -> Value {
        let saves = self.manager.calls("/checkpoint");
        saves.last().unwrap().body["channels"]["states"][channel].clone()
    }

    fn worked(&self) -> Vec<String> {
        let mut worked = self
            .worked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        worked.sort();
        worked
    }

    async fn report(&self) -> Value {
        self.served.get("/sync/R1/report").await.1
    }
}

/// Executes a plan after a checkpoint.
async fn ran(plan: Plan, is_whole: bool, request: Value) -> Ended {
    let manager = Manager::start().await;
    manager.change_source("checkpoint", request["checkpoint"].clone());
    let worked = Arc::default();
    let noted = Arc::clone(&worked);
    let connector = Scripted::new(move |ctx, state| {
        let proof = is_whole.then(|| Walked::declared("the list of channels was read"));
        go(plan.clone(), proof, Arc::clone(&noted), state, ctx)
    });
    let served = serve(connector, &manager).await;
    let (status, answer) = served.post("/sync", request.to_string()).await;
    assert_eq!(status, 200, "{answer}");
    served.ended("R1").await;
    Ended {
        served,
        manager,
        worked,
    }
}

fn request(mode: &str, checkpoint: Value) -> Value {
    json!({ "sync_run_id": "R1", "source_id": "S1", "sync_mode": mode, "checkpoint": checkpoint })
}

fn known() -> Value {
    // The form of a checkpoint before partitions existed.
    json!({ "channels": {
        "a": { "messages": { "a/1": 1 }, "since": 3, "page": 1 },
        "b": { "messages": { "b/1": 1, "b/2": 1 }, "since": 3, "page": 1 },
        "c": { "messages": { "c/1": 1 }, "since": 3, "page": 1 },
    } })
}

#[tokio::test]
async fn a_failed_partition_keeps_its_state_and_the_others_continue() {
    let plan = vec![
        ("a", Doing::Sends(&[1])),
        ("b", Doing::SendsAndFails(&[2])),
        ("c", Doing::Sends(&[2, 1])),
    ];
    let ended = ran(plan, true, request("incremental", known())).await;
    assert_eq!(ended.worked(), ["a", "b", "c"]);
    let mut sent = ended.manager.documents();
    sent.sort();
    assert_eq!(sent, ["b/1", "c/1", "c/2"]);
    let [a, b, c] = ["a", "b", "c"].map(|channel| ended.state(channel));
    assert_eq!((&a["since"], &a["page"]), (&json!(7), &json!(2)));
    assert_eq!((&c["since"], &c["page"]), (&json!(7), &json!(2)));
    assert_eq!(
        (&b["since"], &b["page"]),
        (&json!(3), &json!(1)),
        "the one that failed"
    );
    let report = ended.report().await;
    assert_eq!(report["failed"], 1);
    assert_eq!(report["failures"][0]["item"], "b");
    assert_eq!(report["failures"][0]["cause"], "the channel answers 503");
    assert_eq!(ended.manager.calls("complete").len(), 1);
}

#[tokio::test]
async fn a_run_in_which_every_partition_fails_fails_with_the_first_cause() {
    let plan = vec![
        ("a", Doing::SendsAndFails(&[])),
        ("b", Doing::SendsAndFails(&[])),
    ];
    let ended = ran(plan, false, request("incremental", known())).await;
    let failed = ended.manager.calls("/fail");
    assert_eq!(failed[0].body["error"], "the channel answers 503");
}

#[tokio::test]
async fn a_resumed_full_run_does_not_repeat_completed_partitions() {
    let plan = vec![("a", Doing::Sends(&[1])), ("b", Doing::Sends(&[1, 1]))];
    let mut states = known()["channels"].clone();
    states.as_object_mut().unwrap().remove("c");
    let saved = |run: &str| json!({ "channels": { "partitions": 1, "states": states, "run": run, "done": ["a"] } });
    for (run, expected) in [("R1", vec!["b"]), ("R0", vec!["a", "b"])] {
        let mut request = request("full", saved(run));
        request["is_resume"] = true.into();
        let manager_has = json!({});
        let ended = {
            let manager = Manager::start().await;
            manager.change_source("checkpoint", manager_has);
            let worked = Arc::default();
            let (noted, plan) = (Arc::clone(&worked), plan.clone());
            let connector = Scripted::new(move |ctx, state| {
                go(plan.clone(), None, Arc::clone(&noted), state, ctx)
            });
            let served = serve(connector, &manager).await;
            served.post("/sync", request.to_string()).await;
            served.ended("R1").await;
            Ended {
                served,
                manager,
                worked,
            }
        };
        assert_eq!(ended.worked(), expected, "saved by {run}");
        assert_eq!(ended.manager.calls("complete").len(), 1);
    }
}

#[tokio::test]
async fn a_vanished_partition_is_deleted_only_if_the_list_was_proven_complete() {
    let plan = || vec![("b", Doing::Sends(&[1, 1])), ("c", Doing::Sends(&[1]))];
    let ended = ran(plan(), false, request("incremental", known())).await;
    assert_eq!(ended.manager.documents(), Vec::<String>::new());
    assert!(ended.state("a").is_object());

    let ended = ran(plan(), true, request("incremental", known())).await;
    assert_eq!(ended.manager.documents(), ["a/1"]);
    assert_eq!(
        ended.manager.calls("events")[0].body["events"][0]["type"],
        "document_deleted"
    );
    assert!(ended.state("a").is_null(), "nothing of it is left");
    assert!(ended.state("b").is_object());
}

#[tokio::test]
async fn a_source_whose_partitions_all_vanish_is_held_back() {
    let ended = ran(vec![], true, request("incremental", known())).await;
    assert_eq!(ended.manager.documents(), Vec::<String>::new());
    assert_eq!(ended.report().await["held_back"], 4);
}

#[tokio::test]
async fn a_full_run_forgets_the_versions_of_every_partition_but_keeps_the_ids() {
    // `b/2` was deleted.
    let plan = vec![
        ("a", Doing::Sends(&[1])),
        ("b", Doing::Sends(&[1])),
        ("c", Doing::Sends(&[1])),
    ];
    let ended = ran(plan, true, request("full", known())).await;
    let mut sent = ended.manager.documents();
    sent.sort();
    assert_eq!(sent, ["a/1", "b/1", "b/2", "c/1"]);
    assert_eq!(
        ended.state("a")["page"],
        1,
        "fields of the author begin anew"
    );
    assert_eq!(ended.report().await["deleted"], 1);
}

#[tokio::test]
async fn a_partition_is_saved_while_another_still_waits_for_the_manager() {
    let manager = Manager::start().await;
    let saved_early = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&saved_early);
    // Storing the text of the slow channel takes long.
    manager.instead("/sdk/content", Instead::Wait(Duration::from_secs(8)));
    let looked_at = manager.clone();
    let connector = Scripted::new(move |ctx, _| {
        let (noted, manager) = (Arc::clone(&noted), looked_at.clone());
        async move {
            let checkpoint = Checkpoint::<Cursor>::new(None, &ctx)?;
            let channels = ["slow", "fast"].map(|name| (name.to_owned(), name));
            let (noted, manager) = (&noted, &manager);
            let each = ctx.each(&checkpoint.channels, channels).at_once(2);
            each.run(|name, mut part| async move {
                part.page = 9;
                if name == "slow" {
                    let document = Document::new("slow/1", Access::public()).text("words");
                    part.ctx().upsert(document).await?;
                    // Looks at the saves while the text is being stored.
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    let saves = manager.calls("/checkpoint");
                    *noted.lock().unwrap_or_else(PoisonError::into_inner) =
                        saves.last().map(|save| save.body.clone());
                }
                Ok(())
            })
            .await?;
            Ok(())
        }
    });
    let served = serve(connector, &manager).await;
    served.start("R1", "full").await;
    for _ in 0..30 {
        served.ended("R1").await;
        if !manager.calls("complete").is_empty() {
            break;
        }
    }
    let early = saved_early
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let early = early.expect("nothing was saved while the text was on its way");
    let states = &early["channels"]["states"];
    assert_eq!(
        (&states["fast"]["page"], &states["slow"]["page"]),
        (&json!(9), &json!(0))
    );
    let saves = manager.calls("/checkpoint");
    let last = &saves.last().unwrap().body["channels"]["states"];
    assert_eq!(last["slow"]["page"], 9);
}
