//! Fake connectors and a fake token endpoint, which answer the manager as recorded, byte for byte.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};

use crate::exchange::{Entry, bytes};

/// Recorded ports: two connectors, a token endpoint, and one on which nothing listens.
const PORTS: [u16; 4] = [4001, 4002, 4003, 4009];
pub(crate) const UNREACHABLE: usize = 3;

/// A received call of the manager.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Returns the run that the call names.
    pub(crate) fn run(&self) -> Option<String> {
        match self.json()["sync_run_id"].as_str() {
            Some(id) => Some(id.to_owned()),
            None => self.path.strip_prefix("/sync/").map(str::to_owned),
        }
    }
}

#[derive(Default)]
struct State {
    script: VecDeque<Entry>,
    /// The latest scripted answer of each path, for repeated calls.
    repeated: HashMap<(String, String), Value>,
    /// Scripted answers by run, used in order.
    by_run: HashMap<String, VecDeque<Entry>>,
    seen: Vec<Seen>,
    unhealthy: HashSet<u16>,
    /// A call to the manager that ends a run before the next answer.
    end_run: Option<(&'static str, Value)>,
    manager_url: String,
}

/// All fakes together.
#[derive(Clone)]
pub(crate) struct Wire {
    state: Arc<Mutex<State>>,
    ports: [u16; 4],
    _servers: Arc<Vec<Server>>,
    /// Bound and never listening, so that nobody else gets the port.
    _unreachable: Arc<TcpSocket>,
}

struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Wire {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let mut ports = [0; 4];
        let mut servers = Vec::new();
        for port in &mut ports[..UNREACHABLE] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            *port = listener.local_addr().unwrap().port();
            servers.push(serve(listener, Arc::clone(&state)));
        }
        let unreachable = TcpSocket::new_v4().unwrap();
        unreachable.set_reuseaddr(true).unwrap();
        unreachable.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        ports[UNREACHABLE] = unreachable.local_addr().unwrap().port();
        Self {
            state,
            ports,
            _servers: Arc::new(servers),
            _unreachable: Arc::new(unreachable),
        }
    }

    /// Replaces recorded addresses by those of this run.
    pub(crate) fn with_ports(&self, text: &str) -> String {
        PORTS
            .iter()
            .zip(self.ports)
            .fold(text.to_owned(), |text, (recorded, port)| {
                text.replace(
                    &format!("127.0.0.1:{recorded}"),
                    &format!("127.0.0.1:{port}"),
                )
            })
    }

    pub(crate) fn url(&self, fake: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[fake])
    }

    /// Listens on the unreachable port until the return value is dropped.
    pub(crate) async fn listen_for_a_moment(&self) -> impl Drop + use<> {
        let address = ("127.0.0.1", self.ports[UNREACHABLE]);
        serve(
            TcpListener::bind(address).await.unwrap(),
            Arc::clone(&self.state),
        )
    }

    pub(crate) fn set_manager(&self, url: String) {
        self.state.lock().unwrap().manager_url = url;
    }

    pub(crate) fn set_healthy(&self, fake: usize, healthy: bool) {
        let mut state = self.state.lock().unwrap();
        if healthy {
            state.unhealthy.remove(&self.ports[fake]);
        } else {
            state.unhealthy.insert(self.ports[fake]);
        }
    }

    /// Ends the run of the next call through `route`, before the call is answered. Health checks do
    /// not count.
    pub(crate) fn end_run(&self, route: &'static str, body: Value) {
        self.state.lock().unwrap().end_run = Some((route, body));
    }

    /// Scripts the answers to the calls of the next exchange.
    pub(crate) fn script(&self, calls: &[Entry]) {
        let mut state = self.state.lock().unwrap();
        state.script = calls.iter().cloned().collect();
        state.repeated.clear();
        state.seen.clear();
    }

    /// Scripts the answers to calls about a run, in order.
    pub(crate) fn script_run(&self, run: &str, calls: Vec<Entry>) {
        let mut state = self.state.lock().unwrap();
        state.by_run.insert(run.to_owned(), calls.into());
    }

    /// Returns how many scripted calls about a run are left.
    pub(crate) fn left_of_run(&self, run: &str) -> usize {
        let state = self.state.lock().unwrap();
        state.by_run.get(run).map_or(0, VecDeque::len)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }
}

fn serve(listener: TcpListener, state: Arc<Mutex<State>>) -> Server {
    let port = listener.local_addr().unwrap().port();
    Server(tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, port, Arc::clone(&state)));
        }
    }))
}

async fn answer(mut stream: TcpStream, port: u16, state: Arc<Mutex<State>>) {
    let Some(seen) = read(&mut stream).await else {
        return;
    };
    if seen.path != "/health" {
        let end = state.lock().unwrap().end_run.take();
        if let (Some((route, body)), Some(run)) = (end, seen.run()) {
            let manager = state.lock().unwrap().manager_url.clone();
            let url = format!("{manager}/sdk/sync/{run}/{route}");
            omni_connector::HttpClient::new()
                .post(url)
                .json(&body)
                .send()
                .await
                .unwrap();
        }
    }
    let response = state.lock().unwrap().respond(seen, port);
    if response["delay_seconds"].is_number() {
        // The late answer comes after the manager has closed the connection.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        return;
    }
    if response["transport"].is_string() {
        return;
    }
    let _ = stream.write_all(&write(&response)).await;
    let _ = stream.shutdown().await;
}

impl State {
    fn respond(&mut self, seen: Seen, port: u16) -> Value {
        let is_recorded_of_any = seen.path == "/health" && !self.unhealthy.is_empty();
        let unscripted = self.unscripted(&seen, port);
        let scripted = self.scripted(&seen);
        self.seen.push(seen);
        match scripted {
            // The recording does not say which of the two connectors was unhealthy.
            Some(response) if !is_recorded_of_any => response,
            _ => unscripted,
        }
    }

    fn scripted(&mut self, seen: &Seen) -> Option<Value> {
        if let Some(calls) = seen.run().and_then(|run| self.by_run.get_mut(&run)) {
            let is_next = calls
                .front()
                .is_some_and(|call| call.method() == seen.method && call.path() == seen.path);
            let next = if is_next { calls.pop_front() } else { None };
            return next.map(|call| call.response);
        }
        let key = (seen.method.clone(), seen.path.clone());
        let next = self
            .script
            .iter()
            .position(|call| call.method() == seen.method && call.path() == seen.path);
        match next.and_then(|index| self.script.remove(index)) {
            Some(call) => {
                self.repeated.insert(key, call.response.clone());
                Some(call.response)
            }
            None => self.repeated.get(&key).cloned(),
        }
    }

    /// Returns the answer to an unrecorded call.
    fn unscripted(&self, seen: &Seen, port: u16) -> Value {
        match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", "/health") if self.unhealthy.contains(&port) => {
                json!({ "status": 500, "body": {} })
            }
            ("GET", "/health") => {
                json!({ "status": 200, "body": { "status": "healthy", "service": "acme-connector" } })
            }
            ("GET", path) if path.starts_with("/sync/") => {
                json!({ "status": 200, "body": { "running": true } })
            }
            ("POST", "/sync") => json!({ "status": 200, "body": { "status": "started" } }),
            ("POST", "/cancel") => json!({ "status": 200, "body": { "status": "cancelled" } }),
            ("POST", "/action") => {
                json!({ "status": 200, "body": { "status": "success", "result": { "ok": true } } })
            }
            ("POST", "/oauth/credential-ready") => json!({ "status": 204 }),
            _ => json!({ "status": 404, "body": { "error": "no such route" } }),
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?;
    let mut lines = head.lines();
    let mut request = lines.next()?.split(' ');
    let (method, path) = (request.next()?.to_owned(), request.next()?.to_owned());
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = match headers.get("content-length") {
        Some(text) => text.parse().ok()?,
        None => 0,
    };
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen {
        method,
        path,
        headers,
        body,
    })
}

/// Encodes a recorded response for the wire. Header values are recorded byte by byte.
fn write(response: &Value) -> Vec<u8> {
    let body = match &response["body"] {
        Value::Null => Vec::new(),
        body if body.is_string() || body["$base64"].is_string() => bytes(body),
        json => match response["text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => json.to_string().into_bytes(),
        },
    };
    let mut head = format!("HTTP/1.1 {} Recorded\r\n", response["status"]).into_bytes();
    let mut header = |name: &str, value: &str| {
        head.extend(name.bytes());
        head.extend(b": ");
        head.extend(value.chars().map(|c| u8::try_from(u32::from(c)).unwrap()));
        head.extend(b"\r\n");
    };
    let headers = response["headers"].as_object();
    for (name, value) in headers.into_iter().flatten() {
        header(name, value.as_str().unwrap());
    }
    if headers.is_none() && (response["body"].is_object() || response["body"].is_array()) {
        header("content-type", "application/json");
    }
    if headers.is_none_or(|headers| !headers.contains_key("connection")) {
        header("connection", "close");
    }
    if response["status"] != 204 {
        header("content-length", &body.len().to_string());
    }
    head.extend(b"\r\n");
    head.extend(body);
    head
}

/// Waits until `holds` returns true, with a limit for busy machines.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1500 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never came: {what}");
}
