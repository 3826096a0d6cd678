//! A proxy between a connector and its manager, or a connector and its source, that breaks chosen calls. It uses plain
//! sockets towards the connector, since an HTTP server would refuse to send invalid answers.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::{JoinHandle, JoinSet},
};

use super::{
    fault::Fault,
    journal::{Entry, Journal, Side},
    wire::{Answer, Call, read_call, write_answer},
};

/// How long connections are refused.
const AWAY: Duration = Duration::from_millis(30);

/// Selects the fault for the `n`th call of a route, counted from 0.
pub type Plan = Box<dyn Fn(&str, usize) -> Option<Fault> + Send + Sync>;

/// A running proxy. Dropping it stops it.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    server: JoinHandle<()>,
}

struct State {
    target: String,
    /// Its own URL, which replaces the target's in answers of a source.
    own: Option<String>,
    route_of: fn(&Call) -> String,
    side: Side,
    plan: Plan,
    journal: Journal,
    http: reqwest::Client,
    calls: Mutex<HashMap<String, usize>>,
    faults: AtomicUsize,
    /// Closes the listener for a while.
    away: Notify,
}

/// The reply to the client.
enum Reply {
    /// The answer, and the number of body bytes to send.
    Answer(Answer, usize),
    Reset,
    Silence,
}

impl Proxy {
    /// Starts a proxy in front of the manager at `manager`.
    ///
    /// # Errors
    /// Returns an error if no port is available.
    pub async fn to_manager(manager: &str, plan: Plan, journal: Journal) -> Result<Self> {
        let route_of = |call: &Call| route_of(&call.path).to_owned();
        Self::start(manager, Side::Manager, route_of, plan, journal).await
    }

    /// Starts a proxy in front of the source at `source`. Its own URL replaces the source's in every answer, so that
    /// links lead through it.
    ///
    /// # Errors
    /// Returns an error if no port is available.
    pub async fn to_source(source: &str, plan: Plan, journal: Journal) -> Result<Self> {
        let route_of = |call: &Call| {
            let path = call.path.split('?').next().unwrap_or_default();
            format!("{} {path}", call.method)
        };
        let source = source.trim_end_matches('/');
        Self::start(source, Side::Source, route_of, plan, journal).await
    }

    async fn start(
        target: &str,
        side: Side,
        route_of: fn(&Call) -> String,
        plan: Plan,
        journal: Journal,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut http = omni_connector::HttpClient::builder()
            .no_proxy()
            .no_gzip()
            .no_deflate()
            .redirect(reqwest::redirect::Policy::none());
        if target.starts_with("http://") {
            http = http.tls_certs_only([]);
        }
        let http = http.build()?;
        let state = Arc::new(State {
            target: target.to_owned(),
            own: (side == Side::Source).then(|| format!("http://{address}")),
            route_of,
            side,
            plan,
            journal,
            http,
            calls: Mutex::default(),
            faults: AtomicUsize::new(0),
            away: Notify::new(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self {
            address,
            state,
            server,
        })
    }

    /// Returns the proxy's URL for connectors.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the calls of each route so far.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        self.state.calls().clone().into_iter().collect()
    }

    /// Returns how many calls a fault hit so far.
    pub fn faults(&self) -> usize {
        self.state.faults.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .field("target", &self.state.target)
            .finish_non_exhaustive()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl State {
    fn calls(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of a call among those of its route.
    fn number(&self, route: &str) -> usize {
        let mut calls = self.calls();
        let count = calls.entry(route.to_owned()).or_default();
        *count += 1;
        *count - 1
    }

    async fn reply(&self, call: Call) -> Reply {
        let since = Instant::now();
        let route = (self.route_of)(&call);
        let number = self.number(&route);
        let fault = (self.plan)(&route, number);
        if fault.is_some() {
            self.faults.fetch_add(1, Ordering::Relaxed);
        }
        let (path, request) = (call.path.clone(), call.body.clone());
        let reply = self.broken(call, fault).await;
        let (status, answer) = match &reply {
            Reply::Answer(answer, _) => (answer.status, answer.body.clone()),
            Reply::Reset | Reply::Silence => (0, Vec::new()),
        };
        self.journal.lock().push(Entry {
            side: self.side,
            route,
            number,
            path,
            request,
            status,
            answer,
            since,
            at: Instant::now(),
        });
        reply
    }

    async fn broken(&self, call: Call, fault: Option<Fault>) -> Reply {
        match fault {
            None => self.whole(call).await,
            Some(Fault::Refused) => {
                self.away.notify_one();
                Reply::Reset
            }
            Some(Fault::ResetBefore) => Reply::Reset,
            Some(Fault::ResetAfter) => {
                let _ = self.forward(call).await;
                Reply::Reset
            }
            Some(Fault::Truncated) => match self.forward(call).await {
                Ok(answer) => {
                    let half = answer.body.len() / 2;
                    Reply::Answer(answer, half)
                }
                Err(_) => Reply::Reset,
            },
            Some(Fault::Stalled) => {
                let _ = self.forward(call).await;
                Reply::Silence
            }
            Some(Fault::Answer(status, wait)) => {
                let headers = wait.map(|wait| ("retry-after".to_owned(), wait.header()));
                whole(
                    status,
                    headers.into_iter().collect(),
                    r#"{"error":"a fault"}"#,
                )
            }
            Some(Fault::Html) => {
                let html = ("content-type".to_owned(), "text/html".to_owned());
                whole(200, vec![html], "<html><body>Please sign in</body></html>")
            }
            Some(Fault::Late(late)) => {
                tokio::time::sleep(late).await;
                self.whole(call).await
            }
            Some(Fault::Replace(replace)) => match self.forward(call).await {
                Ok(answer) => {
                    let answer = replace(answer);
                    let length = answer.body.len();
                    Reply::Answer(answer, length)
                }
                Err(_) => Reply::Reset,
            },
            Some(Fault::AnswerThenDo(action)) => {
                let reply = self.whole(call).await;
                action();
                reply
            }
            Some(Fault::DoBefore(action)) => {
                action();
                Reply::Reset
            }
            Some(Fault::DoAfter(action)) => {
                let _ = self.forward(call).await;
                action();
                Reply::Reset
            }
        }
    }

    async fn whole(&self, call: Call) -> Reply {
        match self.forward(call).await {
            Ok(answer) => {
                let length = answer.body.len();
                Reply::Answer(answer, length)
            }
            // An absent manager looks like a dead connection.
            Err(_) => Reply::Reset,
        }
    }

    async fn forward(&self, call: Call) -> Result<Answer> {
        let url = format!("{}{}", self.target, call.path);
        let mut request = self.http.request(call.method.parse()?, url);
        for (name, value) in &call.headers {
            if !OF_A_CONNECTION.contains(&name.as_str()) && name != "host" {
                request = request.header(name, value);
            }
        }
        let answer = request.body(call.body).send().await?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter().filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            let is_kept = !OF_A_CONNECTION.contains(&name.as_str());
            is_kept.then(|| (name.as_str().to_owned(), self.own_links(value)))
        });
        let headers = headers.collect();
        let body = answer.bytes().await?.to_vec();
        let body = match String::from_utf8(body) {
            Ok(text) => self.own_links(&text).into_bytes(),
            Err(error) => error.into_bytes(),
        };
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    /// Replaces the source's links by links through the proxy.
    fn own_links(&self, text: &str) -> String {
        match &self.own {
            Some(own) => text.replace(&self.target, own),
            None => text.to_owned(),
        }
    }
}

/// Headers of a single connection, and those that the proxy writes itself.
const OF_A_CONNECTION: [&str; 6] = [
    "connection",
    "content-length",
    "keep-alive",
    "transfer-encoding",
    "te",
    "upgrade",
];

fn whole(status: u16, headers: Vec<(String, String)>, body: &str) -> Reply {
    let body = body.as_bytes().to_vec();
    let length = body.len();
    let answer = Answer {
        status,
        headers,
        body,
    };
    Reply::Answer(answer, length)
}

/// Returns a route's name: its path without ids.
pub fn route_of(path: &str) -> &str {
    let mut segments = path.trim_start_matches("/sdk/").splitn(3, '/');
    match (segments.next(), segments.next(), segments.next()) {
        (Some("sync"), Some(_), Some(call)) => call,
        (Some(route @ ("source" | "credentials")), Some(_), None) => route,
        _ => path.trim_start_matches("/sdk/"),
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let Some(open) = &listener else {
            tokio::time::sleep(AWAY).await;
            listener = TcpListener::bind(address).await.ok();
            continue;
        };
        tokio::select! {
            accepted = open.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(converse(stream, Arc::clone(&state)));
            },
            Some(_) = connections.join_next() => {}
            () = state.away.notified() => listener = None,
        }
    }
}

/// Answers the calls of one connection until it ends.
async fn converse(mut stream: TcpStream, state: Arc<State>) -> Result<()> {
    let mut buffer = Vec::new();
    while let Some(call) = read_call(&mut stream, &mut buffer).await? {
        match state.reply(call).await {
            Reply::Answer(answer, length) => {
                let is_whole = length == answer.body.len();
                write_answer(&mut stream, &answer, length).await?;
                if !is_whole {
                    return Ok(());
                }
            }
            Reply::Reset => {
                stream.set_zero_linger()?;
                return Ok(());
            }
            Reply::Silence => {
                // Waits until the client gives up.
                let _ = stream.read(&mut [0]).await;
                return Ok(());
            }
        }
    }
    Ok(())
}
