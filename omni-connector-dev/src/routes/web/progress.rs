//! `GET /sync/{id}/progress` (`protocol.md` §3.9): streams a run's state every second until the run
//! ends.

use std::convert::Infallible;

use axum::{
    extract::State,
    response::sse::{Event, Sse},
};
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::time::sleep;

use crate::{
    routes::body::Id,
    rules,
    shared::Shared,
    store::runs::{Run, RunStatus},
};

#[derive(Serialize)]
struct Standing {
    sync_run_id: String,
    source_id: String,
    status: RunStatus,
    documents_scanned: i32,
    documents_processed: i32,
    documents_updated: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    started_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<String>,
}

impl From<Run> for Standing {
    fn from(run: Run) -> Self {
        Self {
            sync_run_id: run.id,
            source_id: run.source_id,
            status: run.status,
            documents_scanned: run.documents_scanned,
            documents_processed: run.documents_processed,
            documents_updated: run.documents_updated,
            error_message: run.error_message,
            started_at: run.started_at.to_string(),
            completed_at: run.completed_at.map(|time| time.to_string()),
        }
    }
}

enum Next {
    Now,
    Later,
    Over,
}

/// Streams a run's progress. The stream of an unknown run is empty.
pub(super) async fn stream(
    State(shared): State<Shared>,
    Id(id): Id,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(stream::unfold(Next::Now, move |next| {
        let (shared, id) = (shared.clone(), id.clone());
        async move {
            match next {
                Next::Now => {}
                Next::Later => sleep(shared.options.progress_interval).await,
                Next::Over => return None,
            }
            let run = rules::progress(&shared, &id).await.ok().flatten()?.run;
            let next = if run.is_running() {
                Next::Later
            } else {
                Next::Over
            };
            let event = Event::default().json_data(Standing::from(run)).ok()?;
            Some((Ok(event), next))
        }
    }))
}
