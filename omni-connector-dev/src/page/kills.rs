//! A kill that a person plans: after some documents, at the next checkpoint, or at a random instant of a run.

use std::time::Duration;

use axum::response::Response;
use maud::{Markup, html};
use tokio::time::sleep;

use super::{
    frame::{Frame, Pane},
    orders::unmanaged,
    sent::Sent,
    show::counted,
};
use crate::{
    rules::Refusal,
    shared::Shared,
    store::{
        StoreError,
        runs::{self, RunStatus},
    },
    workbench::{Bench, Fact, Moment, Order, PlannedKill},
};

/// The span of a random kill, if no run of the source has completed.
const SPAN: Duration = Duration::from_secs(5);
/// The time between two looks for a run.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Plans a kill, withdraws it, or kills now.
pub(super) async fn kill(sent: Sent) -> Response {
    let done = try_kill(&sent).await;
    sent.end_at(Pane::Sync, done)
}

async fn try_kill(sent: &Sent) -> Result<String, Refusal> {
    let shared = &sent.page.shared;
    let at = match sent.field("at") {
        "now" => {
            let is_passed = shared.workbench.order(Order::Kill);
            let done = || "The connector is killed.".to_owned();
            return is_passed.then(done).ok_or_else(unmanaged);
        }
        "never" => {
            let is_accepted = shared.workbench.plan_kill(None);
            let done = || "The planned kill is withdrawn.".to_owned();
            return is_accepted.then(done).ok_or_else(unmanaged);
        }
        "documents" => {
            let number = sent.number("documents", "The number of documents")?;
            Moment::Documents(number.unwrap_or(1))
        }
        "checkpoint" => Moment::Checkpoint,
        "random" => Moment::After(random(shared, &sent.source()?.source.id).await?),
        other => {
            return Err(Refusal::BadRequest(format!(
                "`{other}` is not a moment; they are `now`, `documents`, `checkpoint`, `random` and `never`"
            )));
        }
    };
    let kill = PlannedKill {
        source_id: sent.source()?.source.id.clone(),
        at,
    };
    if !shared.workbench.plan_kill(Some(kill.clone())) {
        return Err(unmanaged());
    }
    if let Moment::After(after) = at {
        tokio::spawn(wait_for(shared.clone(), kill.clone(), after));
    }
    Ok(format!("The connector dies {}.", words(at)))
}

/// Draws an instant within the time that the last completed run took.
async fn random(shared: &Shared, source_id: &str) -> Result<Duration, StoreError> {
    let id = source_id.to_owned();
    let latest = shared.store.read(move |db| runs::latest(db, Some(&id), 20));
    let latest = latest.await?;
    let completed = latest
        .into_iter()
        .find(|run| run.status == RunStatus::Completed);
    let took = completed.and_then(|run| Some(run.completed_at? - run.started_at));
    let span = took.and_then(|took| took.try_into().ok()).unwrap_or(SPAN);
    // An id ends with 80 random bits.
    let drawn = ulid::Ulid::generate().random() % 1000;
    Ok(span.mul_f64(f64::from(u32::try_from(drawn).unwrap_or_default()) / 1000.0))
}

/// Waits for a run of the source, then for the instant; for the next run if this one ends before. Ends as well if the plan is
/// changed.
async fn wait_for(shared: Shared, kill: PlannedKill, after: Duration) {
    let mut met = None;
    while shared.workbench.bench().kill.as_ref() == Some(&kill) {
        let Ok(running) = shared.store.read(runs::running).await else {
            return;
        };
        let run = running
            .into_iter()
            .find(|run| run.source_id == kill.source_id);
        match (run, &met) {
            (Some(run), Some(known)) if run.id == *known => {
                shared.workbench.kill_if_due(&kill.source_id, Fact::Passed);
                return;
            }
            (Some(run), _) => {
                met = Some(run.id);
                sleep(after).await;
            }
            (None, _) => sleep(POLL_INTERVAL).await,
        }
    }
}

fn words(at: Moment) -> String {
    match at {
        Moment::Documents(number) => format!("after {} of a run", counted(number, "document")),
        Moment::Checkpoint => "at the next checkpoint of a run".to_owned(),
        Moment::After(_) => "at a random instant of a run".to_owned(),
    }
}

/// Renders the form that plans a kill, or the planned one.
pub(super) fn form(frame: &Frame, bench: &Bench) -> Markup {
    let action = frame.link("/dev/sync/kill", &[]);
    html! {
        form.joined id="kill-at" method="post" action=(action) {
            @if let Some(kill) = &bench.kill {
                span.chip.bad { "dies " (words(kill.at)) }
                button name="at" value="never" { "Withdraw" }
            } @else {
                select name="at" aria-label="When the connector is killed" {
                    option value="documents" { "after documents" }
                    option value="checkpoint" { "at the next checkpoint" }
                    option value="random" { "at a random instant" }
                }
                input.narrow type="number" name="documents" value="10" min="1" aria-label="Documents before the kill";
                button title="Plans a crash in this or the next run, which is then resumed" { "Kill at …" }
            }
        }
    }
}
