//! Checks all output of the connector for the values of its credentials.

use anyhow::Result;
use omni_connector::SyncType;
use serde_json::Value;

use super::{
    Conformance, Failure, Verdict,
    victim::Victim,
    world::{Attempt, World},
};
use crate::testing::{fault::Fault, journal::Side, setup::client, wire::Answer};

/// Searches for the credentials in all output of the connector, in a successful run and in failing ones.
pub(super) async fn secrets(suite: &Conformance) -> Result<Verdict> {
    let mut canaries = Vec::new();
    collect(
        suite.credentials.as_ref().unwrap_or(&Value::Null),
        &mut canaries,
    );
    if canaries.is_empty() {
        return Ok(Verdict::LeftOut(
            "there are no credentials with texts of six characters or more".to_owned(),
        ));
    }
    let echo =
        serde_json::json!({ "error": format!("{canaries:?} is not known here") }).to_string();
    let faults = [
        ("a good run", None),
        (
            "a source that refuses the credential",
            Some(Fault::Answer(401, None)),
        ),
        (
            "a source that repeats the credential in a refusal",
            Some(Fault::Replace(std::sync::Arc::new(move |_| Answer {
                status: 403,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: echo.clone().into_bytes(),
            }))),
        ),
    ];
    let suite = suite.clone().env("OMNI_HTTP_RECORD", "1");
    for (name, fault) in faults {
        let fault = fault.clone();
        let breaks =
            move |side: Side, _: &str, _: usize| fault.clone().filter(|_| side == Side::Source);
        let world = World::start(&suite, Victim::default(), breaks).await?;
        let ended = world.attempt(SyncType::Full).await?;
        if let Attempt::Hangs(message) = ended {
            let failure = Failure::new("a run hangs").fact("after", name);
            return Ok(Verdict::Failed(failure.fact("then", message)));
        }
        let report = match &ended {
            Attempt::Ended(ended) => serde_json::to_string(&ended.report)?,
            _ => String::new(),
        };
        let metrics = answer(&world, "metrics").await?;
        let tape = answer(&world, "dev/tape").await?;
        let requests = match &ended {
            Attempt::Ended(ended) => {
                let run = &ended.progress.run.id;
                answer(&world, &format!("sync/{run}/requests/0")).await?
            }
            _ => String::new(),
        };
        let sent = world
            .journal
            .entries()
            .into_iter()
            .filter(|entry| entry.side == Side::Manager);
        let sent: String = sent
            .map(|entry| String::from_utf8_lossy(&entry.request).into_owned())
            .collect();
        let places = [
            ("the log", world.setup.output()),
            ("the metrics", metrics),
            ("the tape of the run", tape),
            ("the requests that the page shows", requests),
            ("the error of the run", ended.error()),
            ("the report of the run", report),
            ("the documents", world.setup.documents().await.to_string()),
            ("what was sent to the manager", sent),
        ];
        for (place, text) in places {
            if canaries.iter().any(|canary| text.contains(canary)) {
                let failure = Failure::new(format!("a credential is in {place}"))
                    .fact("after", name)
                    .help("keep credentials in `SecretString`, and never write `expose()` into a text");
                return Ok(Verdict::Failed(failure));
            }
        }
    }
    Ok(Verdict::Passed(format!(
        "{} credentials stay where they are",
        canaries.len()
    )))
}

/// Returns the answer of the connector's process to a `GET`.
async fn answer(world: &World, path: &str) -> Result<String> {
    let url = format!("{}/{path}", world.setup.url());
    Ok(client().get(url).send().await?.text().await?)
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 6 => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        _ => {}
    }
}
