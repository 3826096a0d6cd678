//! Checks of unusual pages, and of tokens that are repeated or forgotten.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use omni_connector::SyncType;
use serde_json::Value;

use super::{
    Check, Conformance, Failure, Verdict, causes,
    changed::Tried,
    shifted::shifted,
    undisturbed::undisturbed,
    victim::Victim,
    world::{Attempt, State, World},
};
use crate::testing::{
    fault::{Action, Fault},
    journal::{Entry, Side},
    source::Change,
    wire::Answer,
};

/// The calls beyond those of five undisturbed runs after which a walk counts as endless.
const ENDLESS: usize = 100;
/// The time between two looks at the number of calls.
const LOOK: Duration = Duration::from_millis(50);
/// The longest time for a walk whose token is repeated.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn walks(suite: &Conformance) -> Result<Verdict> {
    let (expected, calls) = match undisturbed(suite).await? {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let mut tried = Tried::default();
    let failure = match odd_pages(suite, &expected, &mut tried).await? {
        None => full_pages(suite, &mut tried).await?,
        failure => failure,
    };
    let failure = match failure {
        None => shifted(suite, &expected, &calls, &mut tried).await?,
        failure => failure,
    };
    let failure = match failure {
        None => repeated_tokens(suite, &expected, &calls, &mut tried).await?,
        failure => failure,
    };
    let failure = match failure {
        None => forgotten_tokens(suite, &expected, &calls, &mut tried).await?,
        failure => failure,
    };
    tried.left_out.dedup();
    Ok(failure.map_or_else(|| tried.verdict(), Verdict::Failed))
}

/// Tests a first page that is shorter than others.
async fn odd_pages(
    suite: &Conformance,
    expected: &State,
    tried: &mut Tried,
) -> Result<Option<Failure>> {
    for (change, page, what, help) in [
        (
            Change::UnevenPages,
            "a short page",
            "a page that is shorter than asked for ends the walk",
            "go on until the source says that there is no next page",
        ),
        (
            Change::EmptyPage,
            "an empty page",
            "a page without items ends the walk, though there is a next page",
            "go on while the source gives a token or a link, whatever a page holds",
        ),
    ] {
        let world = World::calm(suite).await?;
        if let Err(unable) = world.change(&change) {
            tried.left_out.push(unable.to_string());
            continue;
        }
        let ended = world.run(SyncType::Full).await?;
        let found = world.state().await?;
        if !ended.is_completed() || !found.differences(expected).is_empty() {
            let failure = Failure::new(what);
            let failure = match ended.message() {
                Some(error) => failure.fact("error", error),
                None => failure,
            };
            let calls = world.journal.entries();
            let failure = causes::explained(failure, &calls, expected, &found).help(help);
            return Ok(Some(failure.store(world.keep(Check::Walks, page).await)));
        }
        tried.done.push(page.to_owned());
    }
    Ok(None)
}

/// Tests lists whose last page is full. Such a list must bring what a list with one item fewer brings.
async fn full_pages(suite: &Conformance, tried: &mut Tried) -> Result<Option<Failure>> {
    for pages in [1, 3] {
        let change = Change::FillPages(pages);
        let (fewer, full) = (World::calm(suite).await?, World::calm(suite).await?);
        let able = fewer.change(&change).and_then(|()| full.change(&change));
        if let Err(unable) = able.and_then(|()| fewer.change(&Change::Remove(0))) {
            tried.left_out.push(unable.to_string());
            return Ok(None);
        }
        if !fewer.attempt(SyncType::Full).await?.is_completed() {
            let why = "a run with fewer items does not complete";
            tried.left_out.push(format!("{change}: {why}"));
            continue;
        }
        let ended = full.attempt(SyncType::Full).await?;
        let (expected, found) = (fewer.state().await?, full.state().await?);
        let lost = missing(&found, &expected);
        if !ended.is_completed() || !lost.is_empty() {
            let failure = Failure::new("a list whose last page is full is not read to its end")
                .fact("pages", pages.to_string())
                .fact("error", ended.error())
                .fact("missing", lost.join("\n"))
                .help("take the end of a list from the source's token, link or total, not from the length of a page");
            let store = full.keep(Check::Walks, "full pages").await;
            return Ok(Some(failure.store(store)));
        }
        tried.done.push(format!("{pages} full pages"));
    }
    Ok(None)
}

/// Tests a killed run whose token is refused when it is resumed.
async fn forgotten_tokens(
    suite: &Conformance,
    expected: &State,
    calls: &[Entry],
    tried: &mut Tried,
) -> Result<Option<Failure>> {
    for (path, _) in lists_with_tokens(suite) {
        let route = format!("GET {path}");
        if calls.iter().filter(|entry| entry.route == route).count() < 3 {
            continue;
        }
        let victim = Victim::default();
        let (forget, kill) = (victim.change(&Change::ForgetTokens), victim.kill());
        let both: Action = Arc::new(move || {
            forget();
            kill();
        });
        let (broken, hit) = (route.clone(), AtomicBool::new(false));
        let breaks = move |side: Side, route: &str, number: usize| {
            let is_third = side == Side::Source && route == broken && number == 2;
            let is_new = is_third && !hit.swap(true, Ordering::Relaxed);
            is_new.then(|| Fault::DoBefore(both.clone()))
        };
        let world = World::start(suite, victim.clone(), breaks).await?;
        world.arm(false);
        world.run(SyncType::Full).await?;
        world.arm(true);
        let resumed = world.attempt(SyncType::Full).await?;
        if let Some(Err(unable)) = &*victim.changed() {
            tried.left_out.push(unable.to_string());
            return Ok(None);
        }
        let failed = |what: &str| {
            Failure::new(what).fact(
                "broken",
                format!("`{path}` refuses a token of the run that was killed"),
            )
        };
        let lost = missing(&world.state().await?, expected);
        world.arm(false);
        let failure = if let Attempt::Hangs(message) = resumed {
            Some(
                failed("a token that the source no longer knows makes a run hang")
                    .fact("then", message),
            )
        } else if !lost.is_empty() {
            let what = "a token that the source no longer knows is taken for the end of the list";
            Some(failed(what).fact("deleted", lost.join("\n")))
        } else {
            let next = world.attempt(SyncType::Full).await?;
            let left = missing(&world.state().await?, expected);
            let what = "no run succeeds after the source has forgotten a token";
            (!next.is_completed() || !left.is_empty()).then(|| {
                failed(what)
                    .fact("error", next.error())
                    .fact("missing", left.join("\n"))
            })
        };
        if let Some(failure) = failure {
            let help = "fail the run, or begin the walk anew; the next run must not need the token";
            let store = world.keep(Check::Walks, "forgotten").await;
            return Ok(Some(failure.help(help).store(store)));
        }
        tried.done.push("a token that is forgotten".to_owned());
    }
    Ok(None)
}

/// Lists the documents that a state lacks.
pub(super) fn missing(found: &State, expected: &State) -> Vec<String> {
    let mut lines = found.documents.differences(&expected.documents);
    lines.retain(|line| line.ends_with("is missing"));
    lines
}

/// Tests a list that gives the same token for ever.
async fn repeated_tokens(
    suite: &Conformance,
    expected: &State,
    calls: &[Entry],
    tried: &mut Tried,
) -> Result<Option<Failure>> {
    for (path, pointer) in lists_with_tokens(suite) {
        let route = format!("GET {path}");
        if calls.iter().filter(|entry| entry.route == route).count() < 3 {
            tried
                .left_out
                .push(format!("`{path}` has fewer than three pages"));
            continue;
        }
        let route_of_list = route.clone();
        let first: Arc<Mutex<Option<Value>>> = Arc::default();
        let breaks = move |side: Side, route: &str, _: usize| {
            let is_list = side == Side::Source && route == route_of_list;
            let (pointer, first) = (pointer.clone(), Arc::clone(&first));
            is_list
                .then(|| Fault::Replace(Arc::new(move |answer| repeated(answer, &pointer, &first))))
        };
        let world = World::start(suite, Victim::default(), breaks).await?;
        world.arm(false);
        world.run(SyncType::Full).await?;
        world.arm(true);
        let failed = |what: &str| {
            Failure::new(what).fact("broken", format!("`{path}` gives the same token for ever"))
        };
        // An endless walk need not be waited for.
        let most = world.journal.len() + calls.len() * 5 + ENDLESS;
        let endless = async {
            while world.journal.len() < most {
                tokio::time::sleep(LOOK).await;
            }
            Attempt::Hangs(format!("the run made {most} calls, and goes on"))
        };
        let attempt = tokio::select! {
            attempt = world.attempt_within(SyncType::Full, PATIENCE) => attempt?,
            attempt = endless => attempt,
        };
        let failure = match attempt {
            Attempt::Hangs(message) => Some(
                failed("a token that is repeated makes the walk endless").fact("then", message),
            ),
            Attempt::Ended(_) | Attempt::Refused(_) => {
                let lost = world
                    .state()
                    .await?
                    .documents
                    .differences(&expected.documents);
                let is_lost = lost.iter().any(|line| line.ends_with("is missing"));
                is_lost.then(|| {
                    failed("a walk that came to no end deletes documents")
                        .fact("deleted", lost.join("\n"))
                })
            }
        };
        if let Some(failure) = failure {
            return Ok(Some(
                failure
                    .help("remember the tokens of a walk, as `Pages` does, and fail when one comes again")
                    .store(world.keep(Check::Walks, "token").await),
            ));
        }
        tried.done.push("a repeated token".to_owned());
    }
    Ok(None)
}

/// Returns the paths of lists with tokens, and where the answers have them.
fn lists_with_tokens(suite: &Conformance) -> Vec<(String, String)> {
    suite
        .source
        .as_ref()
        .map(|start| start().next_pages())
        .unwrap_or_default()
}

/// Returns the answer with the token of the first answer that had one.
fn repeated(mut answer: Answer, pointer: &str, first: &Mutex<Option<Value>>) -> Answer {
    let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else {
        return answer;
    };
    let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
    let token = match (&*first, body.pointer(pointer)) {
        (Some(token), _) => token.clone(),
        (None, Some(token)) => {
            *first = Some(token.clone());
            return answer;
        }
        (None, None) => return answer,
    };
    if let Some((parent, key)) = pointer.rsplit_once('/')
        && let Some(parent) = body.pointer_mut(parent)
    {
        parent[key] = token;
    }
    answer.body = body.to_string().into_bytes();
    answer
}
