//! Invalid input: every route of a connector promptly answers with the protocol's status. The
//! process survives, and refused input must not raise its memory.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use omni_connector::HttpClient;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    connector::Served,
    report::{Outcome, Report},
};

const MEGABYTE: usize = 1 << 20;
/// The largest accepted body.
const LIMIT: usize = 64 * MEGABYTE;
/// Limit of "at once" for a debug build on a busy machine. The slowest answer is printed.
const AT_ONCE: Duration = Duration::from_secs(10);
/// How much small requests may add to the peak memory of the process, in kilobytes.
const FLAT: u64 = 24 * 1024;

/// Routes that read a body, and the status for a valid one.
const ROUTES: [(&str, u16); 6] = [
    ("/sync", 404),
    ("/cancel", 404),
    ("/action", 200),
    ("/resource", 404),
    ("/prompt", 404),
    ("/skill", 200),
];

/// Returns a valid body for the route. Its source and run do not exist, so nothing starts.
fn good(route: &str) -> Value {
    let credential = json!({
        "id": "K", "source_id": "S", "user_id": null, "provider": "notion", "auth_type": "api_key",
        "principal_email": null, "credentials": { "api_key": "key" }, "config": {}, "expires_at": null,
        "last_validated_at": null, "created_at": "2026-08-01T00:00:00Z", "updated_at": "2026-08-01T00:00:00Z",
    });
    let mcp = json!({ "credentials": {}, "config": {} });
    match route {
        "/sync" => {
            json!({ "sync_run_id": "R", "source_id": "S", "sync_mode": "full", "checkpoint": {} })
        }
        "/cancel" => json!({ "sync_run_id": "R" }),
        "/action" => json!({
            "action": "validate_connection", "params": {}, "credentials": credential, "source": null, "actor_email": null
        }),
        "/resource" => json!({ "uri": "acme://1", "credentials": mcp }),
        "/prompt" => json!({ "name": "p", "arguments": {}, "credentials": mcp }),
        _ => json!({ "skill_id": "my-help", "arguments": {}, "credentials": mcp }),
    }
}

/// Returns a required field of the route, and a field that accepts any JSON.
fn fields(route: &str) -> (&'static str, &'static str) {
    match route {
        "/sync" => ("sync_run_id", "checkpoint"),
        "/cancel" => ("sync_run_id", "anything"),
        "/action" => ("action", "params"),
        "/resource" => ("uri", "anything"),
        "/prompt" => ("name", "arguments"),
        _ => ("skill_id", "arguments"),
    }
}

/// A body and its allowed statuses.
struct Input {
    name: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
    statuses: Vec<u16>,
}

/// Returns the valid body with `field` set to raw JSON.
fn with(route: &str, field: &str, text: &str) -> Vec<u8> {
    let mut body = good(route);
    body[field] = "\u{0}here\u{0}".into();
    body.to_string()
        .replacen("\"\\u0000here\\u0000\"", text, 1)
        .into_bytes()
}

fn text(length: usize) -> String {
    format!("\"{}\"", "x".repeat(length))
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

/// Returns the statuses of a refusal. Without an MCP server every request gets 404 (§2.7).
fn refusal(route: &str) -> Vec<u16> {
    match route {
        "/resource" | "/prompt" => vec![400, 404],
        _ => vec![400],
    }
}

fn small(route: &'static str, fine: u16) -> Vec<Input> {
    let (needed, free) = fields(route);
    let refused = |name, body: Vec<u8>| Input {
        name,
        content_type: "application/json",
        body,
        statuses: refusal(route),
    };
    let taken = |name, content_type, body: Vec<u8>| Input {
        name,
        content_type,
        body,
        statuses: vec![fine],
    };
    let good_body = good(route).to_string().into_bytes();
    let mut doubled = good_body.clone();
    doubled.truncate(doubled.len() - 1);
    doubled.extend(format!(",\"{needed}\":\"twice\"}}").into_bytes());
    // Unknown fields are skipped without recursion.
    let skipped = |name, body| Input {
        statuses: vec![400, fine],
        ..refused(name, body)
    };
    let mut inputs = vec![
        refused("an empty body", Vec::new()),
        refused("a number", b"7".to_vec()),
        refused("a text", b"\"x\"".to_vec()),
        refused("null", b"null".to_vec()),
        refused("an empty list", b"[]".to_vec()),
        refused("an empty object", b"{}".to_vec()),
        refused("half of it", good_body[..good_body.len() / 2].to_vec()),
        refused(
            "no UTF-8",
            with(route, needed, "\"\u{1}\"")
                .into_iter()
                .map(|b| if b == 1 { 0xff } else { b })
                .collect(),
        ),
        refused("a lone surrogate", with(route, needed, "\"\\ud800\"")),
        refused("null for what is needed", with(route, needed, "null")),
        refused("a number for what is needed", with(route, needed, "7")),
        refused(
            "an object for what is needed",
            with(route, needed, "{\"a\":1}"),
        ),
        refused("a key twice", doubled),
        refused("10,000 levels", nested(10_000).into_bytes()),
        skipped(
            "10,000 levels where anything may stand",
            with(route, free, &nested(10_000)),
        ),
        refused(
            "10,000 levels that never end",
            "{\"a\":".repeat(10_000).into_bytes(),
        ),
        taken("text/plain", "text/plain", good_body.clone()),
        taken(
            "a form's type",
            "multipart/form-data; boundary=x",
            good_body.clone(),
        ),
        taken("no type", "", good_body.clone()),
        taken(
            "an unknown field of 1 MB",
            "application/json",
            with(route, "unknown", &text(MEGABYTE)),
        ),
        taken(
            "an unknown field of 100,000 items",
            "application/json",
            with(route, "unknown", &format!("[{}0]", "0,".repeat(100_000))),
        ),
    ];
    inputs.extend(typed(route));
    inputs
}

/// Returns values that only some fields of some routes refuse.
fn typed(route: &str) -> Vec<Input> {
    let needed = fields(route).0;
    let input = |name, body, status| Input {
        name,
        content_type: "application/json",
        body,
        statuses: vec![status],
    };
    let refused = |name, field, text| input(name, with(route, field, text), 400);
    match route {
        "/sync" => vec![
            refused("an unknown mode", "sync_mode", "\"delta\""),
            refused("a mode of null", "sync_mode", "null"),
            refused("a time that is none", "last_sync_at", "\"yesterday\""),
            refused("a resume that is none", "is_resume", "\"yes\""),
            // Longer than any id of the manager.
            input("an id of 1 MB", with(route, needed, &text(MEGABYTE)), 400),
        ],
        "/action" => {
            let mut credential = good(route)["credentials"].clone();
            credential["auth_type"] = "magic".into();
            let credential = credential.to_string();
            vec![
                refused("a credential that is none", "credentials", "{\"id\":7}"),
                refused("an unknown kind of credential", "credentials", &credential),
                refused("a source that is none", "source", "[7]"),
                refused("an actor that is none", "actor_email", "7"),
                input("a name of 1 MB", with(route, needed, &text(MEGABYTE)), 404),
            ]
        }
        _ => Vec::new(),
    }
}

fn large(route: &'static str, fine: u16) -> Vec<Input> {
    let free = fields(route).1;
    let json = |name, body, status| Input {
        name,
        content_type: "application/json",
        body,
        statuses: vec![status],
    };
    // The arguments of a skill are an object, never a string.
    let taken = if route == "/skill" { 400 } else { fine };
    let room = LIMIT - good(route).to_string().len() - 64;
    let mut beyond = vec![b' '; LIMIT];
    beyond.extend(good(route).to_string().into_bytes());
    vec![
        json(
            "64 MB where anything may stand",
            with(route, free, &text(room)),
            taken,
        ),
        json("64 MB of blanks, and it", beyond, 413),
    ]
}

struct Sender<'a> {
    served: &'a mut Served,
    http: HttpClient,
    report: Report,
    slowest: (Duration, String),
}

impl Sender<'_> {
    async fn send(&mut self, route: &str, input: Input) -> Result<()> {
        let name = format!("POST {route}: {}", input.name);
        let url = format!("{}{route}", self.served.subject.url);
        let mut request = self.http.post(url).body(input.body);
        if !input.content_type.is_empty() {
            request = request.header("content-type", input.content_type);
        }
        let begun = Instant::now();
        let outcome = match request.send().await {
            Err(error) => Outcome::Broken(format!("no answer: {:#}", anyhow::Error::from(error))),
            Ok(answer) => {
                let status = answer.status().as_u16();
                let text = answer.text().await.context("half an answer")?;
                if !input.statuses.contains(&status) {
                    Outcome::Broken(format!(
                        "{status} instead of {:?}: {:.200}",
                        input.statuses, text
                    ))
                } else if status == 400 && serde_json::from_str::<Value>(&text).is_err() {
                    Outcome::Broken(format!("a refusal that is no JSON: {text:.200}"))
                } else if text.len() > 4096 && status == 400 {
                    Outcome::Broken(format!("a refusal of {} bytes", text.len()))
                } else {
                    Outcome::Holds
                }
            }
        };
        self.judge(&name, begun.elapsed(), outcome);
        Ok(())
    }

    /// Sends raw bytes. The answer's first line must contain one of the statuses; an empty list
    /// allows any answer.
    async fn send_raw(&mut self, name: &str, bytes: &[u8], statuses: &[u16]) -> Result<()> {
        let begun = Instant::now();
        let address = self.served.subject.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await?;
        // A closed connection is a valid answer to invalid bytes.
        let _ = stream.write_all(bytes).await;
        if statuses.is_empty() {
            // Ends the request, since an unfinished one is not answered.
            let _ = stream.shutdown().await;
        }
        let mut answer = Vec::new();
        let to_the_end_of_a_line = async {
            while !answer.contains(&b'\n') && stream.read_buf(&mut answer).await? > 0 {}
            Ok::<_, std::io::Error>(())
        };
        let _ = tokio::time::timeout(AT_ONCE, to_the_end_of_a_line).await;
        let answer = String::from_utf8_lossy(&answer);
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse::<u16>().ok());
        let fits = statuses.is_empty() || status.is_some_and(|status| statuses.contains(&status));
        let outcome = if fits {
            Outcome::Holds
        } else {
            Outcome::Broken(format!("{status:?} instead of {statuses:?}"))
        };
        self.judge(name, begun.elapsed(), outcome);
        Ok(())
    }

    fn judge(&mut self, name: &str, took: Duration, outcome: Outcome) {
        if took > self.slowest.0 {
            self.slowest = (took, name.to_owned());
        }
        let outcome = match outcome {
            Outcome::Holds if took > AT_ONCE => Outcome::Broken(format!("took {took:?}")),
            other => other,
        };
        self.report.add("2", name, outcome);
    }

    async fn paths(&mut self) -> Result<()> {
        let long = "x".repeat(5_000);
        for id in [
            "..%2F..%2Fetc%2Fpasswd",
            "%00",
            "%25",
            "*",
            "a%0d%0ab",
            "'%20OR%20'1'='1",
            &long,
        ] {
            let name = format!("GET /sync/{id:.30}");
            let head = format!("GET /sync/{id} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            self.send_raw(&name, head.as_bytes(), &[200]).await?;
            let name = format!("GET /sync/{id:.30}/report");
            let head =
                format!("GET /sync/{id}/report HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            self.send_raw(&name, head.as_bytes(), &[404]).await?;
        }
        for (line, statuses) in [
            // The id is invalid, so no run has it; any status but 200 would make the manager resume
            // the run.
            ("GET /sync/%FF HTTP/1.1", &[200][..]),
            ("GET /sync/../health HTTP/1.1", &[404]),
            ("GET //health HTTP/1.1", &[404]),
            ("GET /health/ HTTP/1.1", &[404]),
            ("GET /sync/a/b/c HTTP/1.1", &[404]),
            ("DELETE /sync/a HTTP/1.1", &[405]),
            ("GET /action HTTP/1.1", &[405]),
            ("PUT /cancel HTTP/1.1", &[405]),
            ("GET /health HTTP/9.9", &[]),
            ("\u{0}\u{1}\u{2}", &[]),
        ] {
            let head = format!("{line}\r\nhost: x\r\nconnection: close\r\n\r\n");
            self.send_raw(line, head.as_bytes(), statuses).await?;
        }
        let head = format!(
            "GET /health HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
            "y".repeat(MEGABYTE)
        );
        self.send_raw("a header of 1 MB", head.as_bytes(), &[])
            .await?;
        let half = b"POST /sync HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{\"sync";
        self.send_raw("a body that breaks off", half, &[]).await?;
        for (route, _) in ROUTES {
            let name = format!("POST {route}: a body that says it is 100 GB");
            let head =
                format!("POST {route} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000000\r\n\r\n");
            // Refused before the body arrives.
            self.send_raw(&name, head.as_bytes(), &[413]).await?;
        }
        Ok(())
    }

    fn is_alive(&mut self) -> Result<()> {
        ensure!(self.served.process.is_alive(), "the process ended");
        Ok(())
    }
}

async fn suite(binary: &str, name: &str) -> Result<()> {
    let mut served = Served::start(binary, false).await?;
    let http = HttpClient::builder().no_proxy().build()?.into();
    let mut sender = Sender {
        served: &mut served,
        http,
        report: Report::default(),
        slowest: (Duration::ZERO, String::new()),
    };
    let mut peaks = vec![sender.served.process.peak_memory()?];
    for (route, fine) in ROUTES {
        for input in small(route, fine) {
            sender.send(route, input).await?;
        }
    }
    sender.paths().await?;
    sender.is_alive()?;
    peaks.push(sender.served.process.peak_memory()?);
    // Twice, to detect memory that is kept.
    for _ in 0..2 {
        for (route, fine) in ROUTES {
            for input in large(route, fine) {
                sender.send(route, input).await?;
            }
        }
        sender.is_alive()?;
        peaks.push(sender.served.process.peak_memory()?);
    }
    let alive = sender
        .http
        .get(format!("{}/health", sender.served.subject.url))
        .send()
        .await?;
    ensure!(
        alive.status() == 200,
        "the process answers {}",
        alive.status()
    );
    let (took, slowest) = &sender.slowest;
    println!("the slowest answer took {took:?}: {slowest}");
    println!(
        "most memory at the start, after small requests, after large ones, after them again: {peaks:?} kB"
    );
    sender.report.close(name);
    let [start, small, once, twice] = peaks[..] else {
        bail!("four looks at the memory");
    };
    ensure!(
        small - start < FLAT,
        "small requests took {} kB",
        small - start
    );
    // The raw body and its decoded form.
    let limit = 4 * (LIMIT as u64 / 1024);
    ensure!(
        once - small < limit,
        "large requests took {} kB",
        once - small
    );
    // The body's arrival decides how often its buffer grows; the memory must be released.
    ensure!(
        twice - once < LIMIT as u64 / 1024,
        "the same again took {} kB more",
        twice - once
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_without_macros_refuses_invalid_input() {
    suite(
        env!("CARGO_BIN_EXE_by_hand"),
        "nonsense to a connector written by hand",
    )
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_annotated_connector_refuses_invalid_input() {
    suite(
        env!("CARGO_BIN_EXE_annotated"),
        "nonsense to an annotated connector",
    )
    .await
    .unwrap();
}
