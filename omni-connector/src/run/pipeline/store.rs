//! Stores contents with several tasks. Each takes the next content when it has stored one.

use axum::http::StatusCode;
use tokio::time::Instant;

use super::shared::{Job, Kind, Owner, Shared, StoredBody};
use crate::{
    manager::ManagerError,
    run::{RunError, Stage, content::Contents},
    wire::ConnectorEvent,
};

/// Stores contents of one kind, for as long as it is polled.
pub(super) async fn store(shared: &Shared, contents: &Contents, kind: Kind) {
    loop {
        let Job { body, owner } = shared.next_job(kind).await;
        let bytes = body.len();
        let outcome = contents.store(body).await;
        let was_sent = matches!(outcome, Ok((_, true)));
        let stored = StoredBody { bytes, was_sent };
        on_stored(shared, owner, outcome.map(|(id, _)| id), stored);
    }
}

fn on_stored(
    shared: &Shared,
    owner: Owner,
    outcome: Result<String, ManagerError>,
    stored: StoredBody,
) {
    // An error that is not about this document ends the run.
    if let Err(error) = &outcome
        && stage_of(error).is_none()
    {
        shared.close(error.clone().into());
    }
    match owner {
        Owner::Caller(answer) => {
            shared.settle_content(stored);
            let _ = answer.send(outcome.map_err(RunError::from));
        }
        Owner::Event { place, mut waiting } => match outcome {
            Ok(id) => {
                if let ConnectorEvent::DocumentCreated { content_id, .. }
                | ConnectorEvent::DocumentUpdated { content_id, .. } = &mut *waiting.event
                {
                    *content_id = id;
                }
                waiting.since = Instant::now();
                shared.settle(place, waiting, stored);
            }
            Err(error) => {
                if let Some(stage) = stage_of(&error) {
                    let failure = shared.failure(&waiting.event, stage, &error.to_string());
                    waiting.receipt.refused(waiting.event.subject(), &failure);
                    shared.leave_out(place, failure, waiting.weight + stored.bytes);
                }
            }
        },
    }
}

/// Returns the stage at which a document failed when its content was refused. Returns `None` when the error is not
/// about the document.
fn stage_of(error: &ManagerError) -> Option<Stage> {
    let ManagerError::Refused { status, route, .. } = error else {
        return None;
    };
    let is_extraction = route.contains("extract");
    match *status {
        // An extraction that fails with 500 on every attempt fails because of this file.
        StatusCode::INTERNAL_SERVER_ERROR if is_extraction => Some(Stage::Extract),
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNPROCESSABLE_ENTITY => Some(if is_extraction {
            Stage::Extract
        } else {
            Stage::Store
        }),
        _ => None,
    }
}
