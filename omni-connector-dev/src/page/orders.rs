//! What a person asks for in the pane of the runs: a run to begin or to stop, another checkpoint, an end of the process.

use axum::response::Response;
use omni_connector::SyncType;

use super::{frame::Pane, sent::Sent};
use crate::{
    rules::{self, ManualRun, ModeReason, Only, Refusal, StartedRun},
    runs,
    store::{bounds::parse_since, runs::TriggerType},
    workbench::Order,
};

/// Starts a run: of the mode that was chosen, else the one that fits.
pub(super) async fn begin(sent: Sent) -> Response {
    let begun = async {
        let id = &sent.source()?.source.id;
        let since = sent.fields.filled("since").map(parse_since).transpose();
        let only = Only {
            first: sent.number("first", "The number of documents")?,
            matching: sent.fields.filled("matching").map(str::to_owned),
            since: since.map_err(Refusal::BadRequest)?,
        };
        match sent.fields.filled("mode") {
            Some("realtime") if only == Only::default() => {
                let shared = &sent.page.shared;
                let run =
                    runs::trigger(shared, id, SyncType::Realtime, TriggerType::Manual).await?;
                let why = ModeReason::Asked;
                Ok(StartedRun { run, why })
            }
            mode => {
                let request = ManualRun {
                    full: mode == Some("full"),
                    only,
                };
                rules::sync_manually(&sent.page.shared, id, request).await
            }
        }
    }
    .await;
    let StartedRun { run, why } = match begun {
        Ok(begun) => begun,
        Err(refusal) => return sent.end_at(Pane::Sync, Err(refusal)),
    };
    let to = sent.frame.link(Pane::Sync.path(), &[("run", &run.id)]);
    let done = match why {
        ModeReason::NotAccepted => {
            Err(Refusal::Conflict(run.error_message.unwrap_or_else(|| {
                "The connector did not take the run.".to_owned()
            })))
        }
        ModeReason::Resumed { .. } => Ok("Going on with the run that was interrupted.".to_owned()),
        _ => Ok(String::new()),
    };
    sent.end(&to, done)
}

/// Stops a run.
pub(super) async fn cancel(sent: Sent) -> Response {
    let done = runs::cancel(&sent.page.shared, sent.field("run")).await;
    let done = done.map(|()| String::new()).map_err(Refusal::from);
    sent.end_at(Pane::Sync, done)
}

/// Tries one item that failed again.
pub(super) async fn try_again(sent: Sent) -> Response {
    let begun = async {
        let id = &sent.source()?.source.id;
        rules::try_again(&sent.page.shared, id, sent.field("run"), sent.field("item")).await
    }
    .await;
    match begun {
        Ok(run) => {
            let to = sent.frame.link(Pane::Sync.path(), &[("run", &run.id)]);
            sent.end_with(&to, &[("run", &run.id)], Ok(String::new()))
        }
        Err(refusal) => sent.end_at(Pane::Sync, Err(refusal)),
    }
}

/// Makes a checkpoint that a run had saved the one of the source, and starts a run from it if that was asked for.
pub(super) async fn rewind(sent: Sent) -> Response {
    let done = async {
        let saved = sent.field("saved");
        let saved = saved.parse().map_err(|_| {
            Refusal::BadRequest(format!("`{saved}` is not the number of a saved checkpoint"))
        })?;
        let (shared, id) = (&sent.page.shared, &sent.source()?.source.id);
        if sent.fields.filled("now").is_some() {
            return Ok(Some(rules::resume_from(shared, id, saved).await?));
        }
        rules::rewind(shared, id, saved).await?;
        Ok(None)
    }
    .await;
    match done {
        Ok(None) => {
            let text = "Rewound. The next run goes on from this checkpoint.";
            sent.end_at(Pane::Sync, Ok(text.to_owned()))
        }
        Ok(Some(run)) => {
            let to = sent.frame.link(Pane::Sync.path(), &[("run", &run.id)]);
            let text = "Rewound. A run goes on from this checkpoint.";
            sent.end_with(&to, &[("run", &run.id)], Ok(text.to_owned()))
        }
        Err(refusal) => sent.end_at(Pane::Sync, Err(refusal)),
    }
}

/// Writes the checkpoint of the source anew.
pub(super) async fn set_checkpoint(sent: Sent) -> Response {
    let done = async {
        let id = &sent.source()?.source.id;
        let checkpoint = sent.json("checkpoint", "The source keeps its checkpoint: the new one is")?;
        rules::set_checkpoint(&sent.page.shared, id, checkpoint).await?;
        Ok("Saved. The next run goes on from this checkpoint; one that the connector cannot read fails that run with its reason.".to_owned())
    }
    .await;
    sent.end_at(Pane::Sync, done)
}

/// Dismisses a doubt with a reason, or has it count again.
pub(super) async fn dismiss(sent: Sent) -> Response {
    let done = async {
        let reason = sent.field("reason").trim().to_owned();
        let is_withdrawn = sent.fields.filled("withdraw").is_some();
        if reason.is_empty() && !is_withdrawn {
            let text = "A doubt is dismissed with a reason.";
            return Err(Refusal::BadRequest(text.to_owned()));
        }
        let reason = (!is_withdrawn).then_some(reason);
        let (page, id) = (&sent.page, &sent.source()?.source.id);
        rules::dismiss(&page.shared, id, sent.field("text"), reason).await?;
        page.memory(|memory| memory.doubts = None);
        let done = if is_withdrawn {
            "The doubt counts again."
        } else {
            "Dismissed."
        };
        Ok(done.to_owned())
    }
    .await;
    sent.end_at(Pane::Sync, done)
}

/// Passes an order on to the development command.
pub(super) async fn order(sent: Sent) -> Response {
    let order = match sent.field("order") {
        "kill" => Some(Order::Kill),
        "restart" => Some(Order::Restart),
        "watch" => Some(Order::Watch(true)),
        "pause" => Some(Order::Watch(false)),
        "check" => Some(Order::Check),
        _ => None,
    };
    let is_passed = order.is_some_and(|order| sent.page.shared.workbench.order(order));
    let done = if is_passed {
        Ok(String::new())
    } else {
        Err(unmanaged())
    };
    let pane = match order {
        Some(Order::Check) => Pane::Contract,
        _ => Pane::Sync,
    };
    sent.end_at(pane, done)
}

pub(super) fn unmanaged() -> Refusal {
    Refusal::Conflict(
        "The connector was not started by `cargo omni dev`, so it cannot be ended or checked from here."
            .to_owned(),
    )
}
