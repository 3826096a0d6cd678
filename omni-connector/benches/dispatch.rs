//! Measures the cost of dispatching an action, reading its arguments and answering. The comparison is a bare axum
//! handler for the same JSON: `cargo bench -p omni-connector --bench dispatch`.
//!
//! Each server is a separate process with one worker thread. The load is the same closed loop over loopback, in turns,
//! so that noise affects both alike. The output is the best round of each and their ratio.

use std::{
    env,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Json, Router, routing::post};
use omni_connector::{ServerConfig, prelude::*, wire::ActionRequest};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const CONNECTIONS: usize = 16;
const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 6;

#[derive(Deserialize, Serialize, JsonSchema)]
struct Query {
    /// Words to find
    words: String,
    /// How many
    limit: u32,
    /// Where
    folder: Option<String>,
    /// Labels
    labels: Vec<String>,
}

#[connector(name = "bench", source_types = [Web])]
struct Bench;

#[connector]
impl Bench {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    /// Repeat the query.
    #[action(read)]
    async fn repeat(&self, Args(query): Args<Query>) -> Result<Query> {
        Ok(query)
    }
}

async fn bare(Json(request): Json<ActionRequest>) -> Json<Value> {
    let query: Query = serde_json::from_value(request.params).expect("the load sends a query");
    let result = serde_json::to_value(query).expect("a query is JSON");
    Json(json!({ "status": "success", "result": result }))
}

fn main() -> Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build()?;
    let arguments: Vec<String> = env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("ours") => runtime.block_on(serve_ours(arguments[2].parse()?)),
        Some("bare") => runtime.block_on(serve_bare(arguments[2].parse()?)),
        _ => runtime.block_on(compare()),
    }
}

async fn serve_ours(port: u16) -> Result<()> {
    let mut config = ServerConfig::loopback("http://127.0.0.1:9");
    config.port = port;
    omni_connector::serve_with_config(Bench, config).await
}

async fn serve_bare(port: u16) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let router = Router::new().route("/action", post(bare));
    Ok(axum::serve(listener, router).await?)
}

/// A server that is stopped when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    async fn start(kind: &str) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let child = Command::new(env::current_exe()?)
            .args([kind, &address.port().to_string()])
            .env("RUST_LOG", "off")
            .stdout(Stdio::null())
            .spawn()?;
        let server = Self { child, address };
        for _ in 0..200 {
            if TcpStream::connect(address).await.is_ok() {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        bail!("server `{kind}` does not listen")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn compare() -> Result<()> {
    let (ours, bare) = (Server::start("ours").await?, Server::start("bare").await?);
    let request = request().into();
    let (mut best_ours, mut best_bare) = (0.0_f64, 0.0_f64);
    for round in 0..ROUNDS {
        // The second candidate finds a warmer machine, so they take turns.
        let order = if round % 2 == 0 {
            [&ours, &bare]
        } else {
            [&bare, &ours]
        };
        for server in order {
            let rate = load(server.address, &request).await?;
            let best = if server.address == ours.address {
                &mut best_ours
            } else {
                &mut best_bare
            };
            *best = best.max(rate);
        }
    }
    println!("| requests a second, {CONNECTIONS} connections | against a bare handler |");
    println!("|---|---|");
    println!(
        "| action `repeat`: {best_ours:.0}, bare axum handler: {best_bare:.0} | {:.3} × |",
        best_ours / best_bare
    );
    Ok(())
}

/// Returns the manager's request, with credentials and the source.
fn request() -> Vec<u8> {
    let body = body();
    let length = body.len();
    format!(
        "POST /action HTTP/1.1\r\nhost: connector\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn body() -> String {
    let time = "+002026-08-01T09:00:00.000000000Z";
    json!({
        "action": "repeat",
        "params": { "words": "roadmap", "limit": 20, "folder": "plans", "labels": ["a", "b", "c"] },
        "actor_email": "ada@example.com",
        "credentials": {
            "id": "K1", "source_id": "S1", "user_id": null, "provider": "github", "auth_type": "api_key",
            "principal_email": null, "credentials": { "api_key": "k" }, "config": {}, "expires_at": null,
            "last_validated_at": null, "created_at": time, "updated_at": time,
        },
        "source": {
            "id": "S1", "name": "Team wiki", "source_type": "web", "integration_type": "connector",
            "config": { "root_url": "https://wiki.example.com" }, "is_active": true, "is_deleted": false,
            "scope": "org", "user_filter_mode": "all", "user_whitelist": null, "user_blacklist": null,
            "connector_state": null, "checkpoint": null, "sync_interval_seconds": 3600, "created_at": time,
            "updated_at": time, "created_by": "U1",
        },
    })
    .to_string()
}

/// Measures requests a second. The load sends encoded bytes and looks only for the end of an answer. A whole HTTP
/// client takes longer than either server, and would hide the difference.
async fn load(address: SocketAddr, request: &Arc<[u8]>) -> Result<f64> {
    let end = Instant::now() + ROUND;
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(ask_until(end, address, Arc::clone(request))))
        .collect();
    let mut answered = 0;
    for connection in connections {
        answered += connection.await??;
    }
    Ok(f64::from(answered) / ROUND.as_secs_f64())
}

/// Returns the number of answers on one connection.
async fn ask_until(end: Instant, address: SocketAddr, request: Arc<[u8]>) -> Result<u32> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut answer, mut answered) = (Vec::with_capacity(4096), 0);
    while Instant::now() < end {
        stream.write_all(&request).await?;
        answer.clear();
        while !is_whole(&answer)? {
            ensure!(
                stream.read_buf(&mut answer).await? > 0,
                "the server hung up"
            );
        }
        answered += 1;
    }
    Ok(answered)
}

/// Returns whether the answer is complete. A refusal ends the benchmark.
fn is_whole(answer: &[u8]) -> Result<bool> {
    let Some(head) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(false);
    };
    let text = std::str::from_utf8(&answer[..head])?;
    ensure!(text.starts_with("HTTP/1.1 200"), "a server answers {text}");
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.context("an answer without a length")?.parse()?;
    Ok(answer.len() >= head + 4 + length)
}
