//! Tests that every route promptly refuses invalid input and that the manager survives.

use std::time::{Duration, Instant};

use omni_connector::HttpClient;
use omni_connector_dev::{Manager, Options};
use reqwest::{Method, StatusCode};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// Routes that read a JSON body.
const JSON_ROUTES: [(&str, &str); 16] = [
    ("POST", "/sdk/register"),
    ("POST", "/sdk/events"),
    ("POST", "/sdk/events/batch"),
    ("POST", "/sdk/content"),
    ("POST", "/sdk/sync/create"),
    ("POST", "/sdk/sync/cancel"),
    ("POST", "/sdk/sync/r/scanned"),
    ("POST", "/sdk/sync/r/updated"),
    ("POST", "/sdk/sync/r/fail"),
    ("POST", "/sdk/webhook/notify"),
    ("POST", "/sync"),
    ("POST", "/action"),
    ("POST", "/resource"),
    ("POST", "/prompt"),
    ("POST", "/skill"),
    ("POST", "/oauth/credential-ready"),
];

/// Routes that take any JSON.
const FREE_ROUTES: [(&str, &str); 2] = [
    ("PUT", "/sdk/sync/r/checkpoint"),
    ("PUT", "/sdk/source/s/connector-state"),
];

/// Routes that read no body.
const PLAIN_ROUTES: [(&str, &str); 21] = [
    ("POST", "/sdk/sync/r/heartbeat"),
    ("POST", "/sdk/sync/r/complete"),
    ("GET", "/sdk/source/s"),
    ("GET", "/sdk/source/s/sync-config"),
    ("GET", "/sdk/source/s/user-email"),
    ("GET", "/sdk/credentials/s"),
    ("GET", "/sdk/sources/by-type/t"),
    ("GET", "/sdk/connector-configs/p"),
    ("POST", "/sync/s"),
    ("POST", "/sync/r/cancel"),
    ("GET", "/sync/r/progress"),
    ("GET", "/schedules"),
    ("GET", "/sources"),
    ("GET", "/sources/active"),
    ("GET", "/sources/s"),
    ("GET", "/connectors"),
    ("GET", "/actions"),
    ("GET", "/resources"),
    ("GET", "/prompts"),
    ("GET", "/skills"),
    ("POST", "/remote-mcp/s/refresh"),
];

struct World {
    manager: Manager,
    http: HttpClient,
}

impl World {
    async fn start() -> Self {
        let mut options = Options::default();
        options.runs.tick = None;
        Self {
            manager: Manager::start(options).await.unwrap(),
            http: HttpClient::new(),
        }
    }

    /// Sends a request and returns the status, within a limit for busy machines.
    async fn send(&self, route: (&str, &str), content_type: &str, body: Vec<u8>) -> StatusCode {
        let url = format!("{}{}", self.manager.url(), route.1);
        let method: Method = route.0.parse().unwrap();
        let began = Instant::now();
        let request = self.http.request(method, url).body(body);
        let answer = request.header("content-type", content_type).send().await;
        let status = answer
            .unwrap_or_else(|error| panic!("{route:?}: {error}"))
            .status();
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{route:?}: {:?}",
            began.elapsed()
        );
        status
    }
}

fn nonsense() -> Vec<(&'static str, Vec<u8>)> {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(1 << 20));
    vec![
        ("nothing", Vec::new()),
        ("a number", b"1".to_vec()),
        ("a text", b"\"x\"".to_vec()),
        ("null", b"null".to_vec()),
        ("an empty list", b"[]".to_vec()),
        ("a list of nulls", b"[null,null,null]".to_vec()),
        ("an empty object", b"{}".to_vec()),
        (
            "a doubled key",
            b"{\"source_id\":\"a\",\"source_id\":\"b\"}".to_vec(),
        ),
        ("half an object", b"{\"source_id\":".to_vec()),
        ("no UTF-8", b"{\"source_id\":\"\xff\xfe\"}".to_vec()),
        ("a deep list", deep.into_bytes()),
        ("a long text", long.into_bytes()),
    ]
}

#[tokio::test]
async fn an_invalid_body_is_refused_by_every_route() {
    let world = World::start().await;
    for route in JSON_ROUTES {
        for (what, body) in nonsense() {
            // A counter accepts an empty object, or a list of its fields.
            let is_counter = route.1.ends_with("scanned") || route.1.ends_with("updated");
            let status = world.send(route, "application/json", body).await;
            let refused = [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY];
            let is_fine = is_counter && status == StatusCode::OK;
            assert!(
                is_fine || refused.contains(&status),
                "{route:?} took {what}: {status}"
            );
        }
        let status = world.send(route, "text/plain", b"{}".to_vec()).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{route:?}");
    }
    for route in FREE_ROUTES {
        for (what, body) in nonsense() {
            let is_json = serde_json::from_slice::<serde_json::Value>(&body).is_ok();
            let status = world.send(route, "application/json", body).await;
            let expected = if is_json {
                StatusCode::OK
            } else {
                StatusCode::BAD_REQUEST
            };
            assert_eq!(status, expected, "{route:?} took {what}");
        }
    }
    assert_eq!(
        world.send(("GET", "/health"), "", Vec::new()).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_too_large_for_every_route() {
    let world = World::start().await;
    for route in JSON_ROUTES.into_iter().chain(FREE_ROUTES) {
        let status = world
            .send(route, "application/json", vec![b' '; (64 << 20) + 1])
            .await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{route:?}");
    }
    assert_eq!(
        world.send(("GET", "/health"), "", Vec::new()).await,
        StatusCode::OK
    );
}

/// Sends a head without its body and returns the status.
async fn status_of_a_head(manager: &Manager, route: (&str, &str), content_type: &str) -> String {
    let address = manager.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "{} {} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {content_type}\r\ncontent-length: 100000000000\r\n\r\n",
        route.0, route.1
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut line = String::new();
    let mut stream = BufReader::new(stream);
    let read = stream.read_line(&mut line);
    let answered = timeout(Duration::from_secs(10), read).await;
    assert!(answered.is_ok(), "{route:?}: no answer");
    line.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_body_announced_beyond_the_limit_is_refused_before_it_is_read() {
    let world = World::start().await;
    for route in JSON_ROUTES.into_iter().chain(FREE_ROUTES) {
        let status = status_of_a_head(&world.manager, route, "application/json").await;
        assert_eq!(status, "413", "{route:?}");
        // The content type is checked first (`protocol.md` §3.1).
        let status = status_of_a_head(&world.manager, route, "text/plain").await;
        assert_eq!(status, "415", "{route:?}");
    }
    for route in ["/sdk/extract-text", "/sdk/extract-content"] {
        let form = "multipart/form-data; boundary=x";
        let status = status_of_a_head(&world.manager, ("POST", route), form).await;
        assert_eq!(status, "413", "{route}");
    }
    assert_eq!(
        world.send(("GET", "/health"), "", Vec::new()).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_unread_body_changes_nothing() {
    let world = World::start().await;
    for route in PLAIN_ROUTES {
        let without = world.send(route, "application/json", Vec::new()).await;
        let with = world.send(route, "image/png", vec![0xff; 1 << 20]).await;
        assert_eq!(without, with, "{route:?}");
    }
}

#[tokio::test]
async fn an_id_is_never_interpreted() {
    let world = World::start().await;
    for id in [
        "..%2F..%2Fetc%2Fpasswd",
        "'%20OR%20'1'='1",
        "%25",
        "*",
        "a%0d%0ab",
        &"x".repeat(5000),
    ] {
        for (route, expected) in [
            (format!("/sdk/source/{id}"), StatusCode::NOT_FOUND),
            (format!("/sdk/credentials/{id}"), StatusCode::NOT_FOUND),
            (format!("/sources/{id}"), StatusCode::NOT_FOUND),
            (format!("/sdk/sources/by-type/{id}"), StatusCode::OK),
        ] {
            let status = world.send(("GET", &route), "", Vec::new()).await;
            assert_eq!(status, expected, "{route}");
        }
        let route = format!("/sdk/sync/{id}/heartbeat");
        let status = world.send(("POST", &route), "", Vec::new()).await;
        assert_eq!(status, StatusCode::OK, "{route}");
    }
}
