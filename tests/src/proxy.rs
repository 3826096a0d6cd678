//! A proxy between connector and manager that breaks chosen calls. Uses plain sockets towards the
//! connector, since an HTTP library refuses to send invalid answers.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::{JoinHandle, JoinSet},
};

use crate::{
    fault::Fault,
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
    manager: String,
    plan: Plan,
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
    pub async fn start(manager: &str, plan: Plan) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let http = omni_connector::HttpClient::builder().no_proxy().build()?;
        let state = Arc::new(State {
            manager: manager.to_owned(),
            plan,
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

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl State {
    fn calls(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault_of(&self, path: &str) -> Option<Fault> {
        let route = route_of(path);
        let number = {
            let mut calls = self.calls();
            let count = calls.entry(route.to_owned()).or_default();
            *count += 1;
            *count - 1
        };
        let fault = (self.plan)(route, number)?;
        self.faults.fetch_add(1, Ordering::Relaxed);
        Some(fault)
    }

    async fn reply(&self, call: Call) -> Reply {
        let fault = self.fault_of(&call.path);
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
        let url = format!("{}{}", self.manager, call.path);
        let mut request = self.http.request(call.method.parse()?, url);
        if let Some(content_type) = call.headers.get("content-type") {
            request = request.header("content-type", content_type);
        }
        let answer = request.body(call.body).send().await?;
        let status = answer.status().as_u16();
        let header = |name: &str| {
            let value = answer.headers().get(name)?;
            Some((name.to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers = ["content-type", "retry-after"]
            .into_iter()
            .filter_map(header);
        let headers = headers.collect();
        Ok(Answer {
            status,
            headers,
            body: answer.bytes().await?.to_vec(),
        })
    }
}

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
