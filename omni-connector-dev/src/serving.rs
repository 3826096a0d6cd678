//! Serves a fake or a tape on a port of its own, for as long as somebody holds it.

use std::{
    net::TcpListener,
    sync::{Arc, Weak},
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::Request,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};

/// What a fake answers to a request.
pub(crate) type Answer<T> = fn(&T, &Method, &Uri, &HeaderMap, &[u8]) -> Response;

/// Starts to serve, and gives the URL. It ends with the last other holder of `shared`.
pub(crate) fn serve<T: Send + Sync + 'static>(shared: Arc<T>, answer: Answer<T>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener
        .set_nonblocking(true)
        .expect("a socket can be asked not to block");
    let address = listener.local_addr().expect("a listener has an address");
    let weak = Arc::downgrade(&shared);
    let fake = weak.clone();
    let app = Router::new().fallback(move |request| handle(fake, answer, request));
    drop(shared);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime starts");
        runtime.block_on(async move {
            let listener =
                tokio::net::TcpListener::from_std(listener).expect("the listener is one");
            let server = axum::serve(listener, app);
            let ended = async {
                while weak.strong_count() > 0 {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            };
            tokio::select! { _ = server => {}, () = ended => {} }
        });
    });
    format!("http://{address}")
}

async fn handle<T>(shared: Weak<T>, answer: Answer<T>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 64 << 20)
        .await
        .unwrap_or_default();
    match shared.upgrade() {
        Some(shared) => answer(&shared, &head.method, &head.uri, &head.headers, &body),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the test is over").into_response(),
    }
}
