//! Measures a connector against a bare client of the same server, one after the other: `tests/web/bench`,
//! `tests/imap/bench` and `tests/nextcloud/bench` call it. The manager only counts, so the connector's own work and the server
//! are measured.
//!
//! Usage: `rates CONNECTOR SMALL LARGE CREDENTIAL [AFTER…] [-- CLIENT…]…`. `SMALL` and `LARGE` are sources as JSON, `CREDENTIAL`
//! is a credential or `null`. Each `CLIENT` is a command that reads everything that `SMALL` has. `LARGE` is read once, for the memory
//! and the checkpoint. With `AFTER`, two incremental runs of `LARGE` follow, and the command `AFTER… N` runs after each run: N is
//! 0 after the full one. It can count requests and change the source.

use std::{
    env,
    error::Error,
    fs, mem,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::to_bytes,
    extract::{DefaultBodyLimit, Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::timeout,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The number of times that connector and client take turns. The median counts.
const ROUNDS: usize = 3;
const PATIENCE: Duration = Duration::from_mins(30);

/// What the manager saw of a run.
#[derive(Default)]
struct Seen {
    documents: usize,
    checkpoint: Vec<u8>,
    failure: Option<String>,
}

#[derive(Default)]
struct Manager {
    source: Value,
    credential: Value,
    seen: Mutex<Seen>,
    registered: Notify,
    ended: Notify,
}

/// What a run cost.
struct Cost {
    documents: usize,
    seconds: f64,
    /// The largest resident set, in bytes.
    memory: usize,
    checkpoint: Vec<u8>,
}

impl Cost {
    #[allow(clippy::cast_precision_loss, reason = "a rate is rounded anyway")]
    fn rate(&self) -> f64 {
        self.documents as f64 / self.seconds
    }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let mut commands = arguments.split(|it| it == "--");
    let Some([connector, small, large, credential, after @ ..]) = commands.next() else {
        return Err("usage: rates CONNECTOR SMALL LARGE CREDENTIAL [AFTER…] [-- CLIENT…]…".into());
    };
    let clients: Vec<_> = commands.collect();
    let credential: Value = serde_json::from_str(credential)?;
    let small: Value = serde_json::from_str(small)?;
    let (mut rates, mut memory) = (Vec::new(), Vec::new());
    let mut ratios = vec![Vec::new(); clients.len()];
    let mut documents = 0;
    for _ in 0..ROUNDS {
        let ours = run(connector, &small, &credential, "full").await?;
        documents = ours.documents;
        eprintln!("{documents} documents in {:.1} s", ours.seconds);
        rates.push(ours.rate());
        memory.push(ours.memory);
        for (client, ratios) in clients.iter().zip(&mut ratios) {
            let begun = Instant::now();
            call(client)?;
            let theirs = begun.elapsed().as_secs_f64();
            eprintln!("{} took {theirs:.1} s", client[0]);
            ratios.push(theirs / ours.seconds);
        }
    }
    let mut source: Value = serde_json::from_str(large)?;
    let large = run(connector, &source, &credential, "full").await?;
    memory.sort_unstable();
    let small = memory[ROUNDS / 2].max(1);
    println!("documents a second, {documents}     {:.0}", median(rates));
    println!(
        "documents a second, {}    {:.0}",
        large.documents,
        large.rate()
    );
    for (client, ratios) in clients.iter().zip(ratios) {
        println!("speed ÷ {:<19}{:.2}", client[0], median(ratios));
    }
    println!(
        "memory                     {} MB, {} MB: {}.{:02} times",
        small >> 20,
        large.memory >> 20,
        large.memory / small,
        large.memory * 100 / small % 100
    );
    let bytes = large.checkpoint.len();
    println!(
        "checkpoint                    {bytes} bytes: {}.{} a document",
        bytes / large.documents.max(1),
        bytes * 10 / large.documents.max(1) % 10
    );
    if after.is_empty() {
        return Ok(());
    }
    let mut checkpoint = large.checkpoint;
    for number in 0..=2 {
        if number > 0 {
            source["checkpoint"] = serde_json::from_slice(&checkpoint)?;
            let again = run(connector, &source, &credential, "incremental").await?;
            println!(
                "run {number} after it             {} documents sent, {:.2} s",
                again.documents, again.seconds
            );
            checkpoint = again.checkpoint;
        }
        call(&[after, &[number.to_string()]].concat())?;
    }
    Ok(())
}

/// Runs a command to its end.
fn call(command: &[String]) -> Outcome<()> {
    let [name, arguments @ ..] = command else {
        return Err("a command must follow `--`".into());
    };
    let ended = Command::new(name).args(arguments).status()?;
    if ended.success() {
        return Ok(());
    }
    Err(format!(
        "`{}` failed, so its row would say nothing: {ended}",
        command.join(" ")
    )
    .into())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Ends the process when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a sync of a source with a new process.
async fn run(connector: &str, source: &Value, credential: &Value, mode: &str) -> Outcome<Cost> {
    let manager = Arc::new(Manager {
        source: source.clone(),
        credential: credential.clone(),
        ..Manager::default()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(&manager));
    let server = tokio::spawn(async { axum::serve(listener, router).await });
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let process = Command::new(connector)
        .env("CONNECTOR_MANAGER_URL", url)
        .env("CONNECTOR_HOST_NAME", "127.0.0.1")
        .env("OMNI_CONNECTOR_LISTEN", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("RUST_LOG", "warn")
        .stdout(Stdio::null())
        .spawn()?;
    let process = Process(process);
    timeout(PATIENCE, manager.registered.notified()).await?;
    let order = json!({ "sync_run_id": "01K3B7T6JQ3W5R8Z1Y2X4V6N9M", "source_id": manager.source["id"], "sync_mode": mode });
    let begun = Instant::now();
    post(port, "/sync", &order.to_string()).await?;
    timeout(PATIENCE, manager.ended.notified()).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let status = fs::read_to_string(format!("/proc/{}/status", process.0.id()))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|it| it.split_whitespace().next()?.parse::<usize>().ok());
    server.abort();
    let mut seen = manager.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(failure) = &seen.failure {
        return Err(format!("the run failed: {failure}").into());
    }
    Ok(Cost {
        documents: seen.documents,
        seconds,
        memory: peak.ok_or("the system gives no VmHWM")? << 10,
        checkpoint: mem::take(&mut seen.checkpoint),
    })
}

async fn post(port: u16, path: &str, body: &str) -> Outcome<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if answer.starts_with("HTTP/1.1 2") {
        return Ok(());
    }
    Err(format!("the connector refuses the run: {answer}").into())
}

async fn answer(State(manager): State<Arc<Manager>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let Ok(body) = to_bytes(request.into_body(), usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut parts = path.split('/').skip(2);
    let (first, _, third) = (parts.next(), parts.next(), parts.next());
    let mut seen = manager.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let said = match (first, third) {
        (Some("content" | "extract-content"), _) => {
            r#"{"content_id":"01K3B7T6JQ0000000000000000"}"#.into()
        }
        (Some("extract-text"), _) => r#"{"text":"text"}"#.into(),
        (Some("source"), Some("user-email")) => r#"{"email":"ada@example.com"}"#.into(),
        (Some("source"), _) => manager.source.to_string(),
        (Some("credentials"), _) if manager.credential.is_null() => {
            return (StatusCode::NOT_FOUND, r#"{"error":"none"}"#).into_response();
        }
        (Some("credentials"), _) => manager.credential.to_string(),
        (Some("events"), _) => {
            let text = String::from_utf8_lossy(&body);
            seen.documents += text.matches(r#""type":"document_created""#).count();
            seen.documents += text.matches(r#""type":"document_updated""#).count();
            r#"{"status":"ok"}"#.to_owned()
        }
        (_, Some("checkpoint")) => {
            seen.checkpoint = body.to_vec();
            r#"{"status":"ok"}"#.to_owned()
        }
        (_, Some("complete")) => {
            manager.ended.notify_one();
            r#"{"status":"ok"}"#.to_owned()
        }
        (_, Some("fail")) => {
            seen.failure = Some(String::from_utf8_lossy(&body).into_owned());
            manager.ended.notify_one();
            r#"{"status":"ok"}"#.to_owned()
        }
        (Some("register"), _) => {
            manager.registered.notify_one();
            r#"{"status":"ok"}"#.to_owned()
        }
        _ => r#"{"status":"ok"}"#.to_owned(),
    };
    ([(CONTENT_TYPE, "application/json")], said).into_response()
}
