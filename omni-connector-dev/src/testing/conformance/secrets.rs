//! Checks all output of the connector for the values of its credentials, in every spelling.

#[cfg(feature = "cli")]
use anyhow::Context;
use anyhow::{Result, ensure};
use omni_connector::{SyncType, hide_secrets, http::segment};
use serde_json::Value;

use super::{
    Conformance, Failure, Verdict,
    victim::Victim,
    world::{Attempt, World},
};
use crate::{
    shown::Shown,
    testing::{fault::Fault, journal::Side, setup::client, wire::Answer},
};

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
        let mut places = vec![
            ("the log".to_owned(), world.setup.output()),
            ("the metrics".to_owned(), metrics),
            ("the tape of the run".to_owned(), tape),
            ("the requests that the page shows".to_owned(), requests),
            ("the error of the run".to_owned(), ended.error()),
            ("the report of the run".to_owned(), report),
            (
                "the documents".to_owned(),
                world.setup.documents().await.to_string(),
            ),
            ("what was sent to the manager".to_owned(), sent),
        ];
        if let Attempt::Ended(ended) = &ended {
            places.extend(shown(&world, &ended.progress.run.id).await?);
        }
        for (place, text) in places {
            if has_any(&text, &canaries) {
                let failure = Failure::new(format!("a credential is in {place}"))
                    .fact("after", name)
                    .help("keep credentials in `SecretString`, and never write `expose()` into a text");
                return Ok(Verdict::Failed(failure));
            }
        }
    }
    let page = if cfg!(feature = "cli") {
        ", also on the development page"
    } else {
        " (left out: the development page, which the feature `cli` of omni-connector-dev has)"
    };
    Ok(Verdict::Passed(format!(
        "{} credentials stay where they are{page}",
        canaries.len()
    )))
}

/// Returns whether a text has a credential, in any spelling.
fn has_any(text: &str, canaries: &[String]) -> bool {
    const FOUND: &str = "\u{0}found\u{0}";
    hide_secrets(text, canaries.iter().map(String::as_str), FOUND).contains(FOUND)
}

/// Returns what the manager shows of a run to people and to their programs, by its path.
async fn shown(world: &World, run: &str) -> Result<Vec<(String, String)>> {
    let documents = world.setup.documents().await;
    let document = documents.ids().first().map(|id| segment(id));
    let action = world.setup.manifest.actions.first();
    let shown = Shown {
        source: &world.setup.source.id,
        runs: [run, run],
        document: document.as_deref().unwrap_or("none"),
        word: "a",
        action: action.map_or("none", |action| &action.name),
        call: None,
    };
    #[cfg(feature = "cli")]
    let (cookie, pages) = (admitted(&world.setup.manager.page()).await?, shown.pages());
    #[cfg(not(feature = "cli"))]
    let (cookie, pages) = (String::new(), Vec::new());
    let browser = Browser {
        url: world.setup.manager.url(),
        cookie,
    };
    let paths = shown.answers().into_iter().chain(pages);
    let mut found = Vec::new();
    for path in paths {
        for accept in ["text/html", "application/json"] {
            let text = browser.get(&path, accept).await?;
            found.push((format!("`{path}` of the development manager"), text));
        }
    }
    Ok(found)
}

/// Opens an address that the manager prints. Returns the cookie.
#[cfg(feature = "cli")]
async fn admitted(page: &str) -> Result<String> {
    let http = omni_connector::HttpClient::builder()
        .no_proxy()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let answer = http.get(page).send().await?;
    let cookie = answer.headers().get(reqwest::header::SET_COOKIE);
    let cookie = cookie.and_then(|cookie| cookie.to_str().ok()?.split(';').next());
    let cookie = cookie.context("the page admits no browser")?;
    Ok(cookie.to_owned())
}

/// A browser without scripts.
struct Browser {
    url: String,
    cookie: String,
}

impl Browser {
    async fn get(&self, path: &str, accept: &str) -> Result<String> {
        let answer = client()
            .get(format!("{}{path}", self.url))
            .header("cookie", &self.cookie)
            .header("accept", accept)
            .send()
            .await?;
        ensure!(
            answer.status() != 403 && answer.status() != 401,
            "`{path}` is closed"
        );
        Ok(answer.text().await?)
    }
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
