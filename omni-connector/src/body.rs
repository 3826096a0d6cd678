//! Reads the body of a request within a limit.

use std::{future::poll_fn, pin::Pin, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header,
};
use tokio::time::timeout;

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It is longer than the limit.
    #[error("the body is longer than {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The connection broke off.
    #[error("the body breaks off: {0}")]
    BrokenOff(axum::Error),
}

/// How long a refused client may keep sending. Closing the connection at once would lose the answer.
const LINGER: Duration = Duration::from_secs(30);
/// The longest pause between two pieces of such a client's data.
const SILENCE: Duration = Duration::from_secs(5);

/// Reads a body of at most `limit` bytes. A body whose announced length is greater is refused unread.
///
/// The rest of a refused body is read and discarded in the background, for at most half a minute, so that the client gets the answer.
///
/// # Errors
/// [`BodyError`]: the body is too long, or the connection broke off.
pub async fn read_body(request: Request, limit: usize) -> Result<Vec<u8>, BodyError> {
    let announced = request.body().size_hint().lower();
    let asks_first = request.headers().contains_key(header::EXPECT);
    let mut body = request.into_body();
    if announced > limit as u64 {
        // A client that sent `Expect: 100-continue` does not send a refused body.
        if !asks_first {
            tokio::spawn(timeout(LINGER, drain(body)));
        }
        return Err(BodyError::TooLong { limit });
    }
    let mut bytes = Vec::new();
    // Reserve everything at once, since a growing buffer is copied. The system commits only the pages that are used.
    let _ = bytes.try_reserve_exact(usize::try_from(announced).unwrap_or_default());
    while let Some(data) = next(&mut body).await {
        let data = data.map_err(BodyError::BrokenOff)?;
        if bytes.len() + data.len() > limit {
            tokio::spawn(timeout(LINGER, drain(body)));
            return Err(BodyError::TooLong { limit });
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// Reads and discards the rest of a body.
async fn drain(mut body: Body) {
    while let Ok(Some(Ok(_))) = timeout(SILENCE, next(&mut body)).await {}
}

async fn next(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
    // Trailers are not data.
    Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
}
