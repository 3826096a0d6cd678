//! The scripted peer: a server that records every call, and answers by its role or as a row says.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use omni_connector_dev::testing::wire::{Answer, Call, read_call, write_answer};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::{
    ask::Subject,
    row::{Called, Names, Reply},
    shape::differ,
};

/// Limit of "soon" on a busy machine.
const SOON: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(20);

/// The default answers of a party of the protocol.
pub(crate) trait Role: Send + 'static {
    /// Returns the default answer to a call.
    fn answer(&mut self, call: &Seen) -> Answer;

    /// Returns a URL to call before answering, which must answer 200.
    fn look_at(&self, _call: &Seen) -> Option<String> {
        None
    }
}

/// A received call.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `POST /sdk/events`
    pub(crate) call: String,
    /// The JSON, or the raw string.
    pub(crate) body: Value,
}

/// A running peer. Dropping it stops it.
pub(crate) struct Peer<R> {
    pub(crate) url: String,
    state: Arc<Mutex<State<R>>>,
    server: JoinHandle<()>,
}

struct State<R> {
    pub(crate) role: R,
    answers: BTreeMap<String, VecDeque<Reply>>,
    seen: Vec<Seen>,
    /// The party to call before an answer.
    subject: Option<Subject>,
}

impl<R> Drop for Peer<R> {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl<R: Role> Peer<R> {
    /// Listens on `host`, a name under which the party under test reaches this machine.
    pub(crate) async fn start(host: &str, role: R) -> Result<Self> {
        let is_local = host == "127.0.0.1";
        let listen = if is_local { "127.0.0.1:0" } else { "0.0.0.0:0" };
        let listener = TcpListener::bind(listen).await?;
        let url = format!("http://{host}:{}", listener.local_addr()?.port());
        let state = Arc::new(Mutex::new(State {
            role,
            answers: BTreeMap::new(),
            seen: Vec::new(),
            subject: None,
        }));
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { url, state, server })
    }

    fn state(&self) -> MutexGuard<'_, State<R>> {
        lock(&self.state)
    }

    pub(crate) fn role<T>(&self, with: impl FnOnce(&mut R) -> T) -> T {
        with(&mut self.state().role)
    }

    pub(crate) fn set_subject(&self, subject: Subject) {
        self.state().subject = Some(subject);
    }

    /// Forgets earlier calls and sets the answers for the next row.
    pub(crate) fn begin(&self, answers: BTreeMap<String, VecDeque<Reply>>) {
        let mut state = self.state();
        state.seen.clear();
        state.answers = answers;
    }

    /// Returns the calls since the start of the row.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// Waits until these calls have come in this order.
    pub(crate) async fn was_called(&self, expected: &[Called], names: &Names) -> Result<()> {
        let begun = Instant::now();
        loop {
            match in_order(&self.seen(), expected, names)? {
                None => return Ok(()),
                Some(difference) if begun.elapsed() > SOON => bail!("{difference}"),
                Some(_) => tokio::time::sleep(GLANCE).await,
            }
        }
    }
}

/// Returns why the calls differ from the expected order, or `None`.
fn in_order(seen: &[Seen], expected: &[Called], names: &Names) -> Result<Option<String>> {
    let mut rest = seen;
    for expected in expected {
        let call = names.text(&expected.call)?;
        let shape = expected
            .body
            .as_ref()
            .map(|shape| names.value(shape))
            .transpose()?;
        let fits = |seen: &Seen| {
            seen.call == call
                && shape
                    .as_ref()
                    .is_none_or(|shape| differ(shape, &seen.body).is_none())
        };
        let Some(at) = rest.iter().position(fits) else {
            let like_it = rest.iter().filter(|seen| seen.call == call);
            let differences: Vec<_> = like_it
                .filter_map(|seen| differ(shape.as_ref()?, &seen.body))
                .collect();
            let calls: Vec<_> = seen.iter().map(|seen| seen.call.as_str()).collect();
            return Ok(Some(format!(
                "the other side was not called `{call}` as it must be ({}); it was called {calls:?}",
                differences.join("; ")
            )));
        };
        rest = &rest[at + 1..];
    }
    Ok(None)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve<R: Role>(listener: TcpListener, state: Arc<Mutex<State<R>>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(converse(stream, Arc::clone(&state)));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse<R: Role>(mut stream: TcpStream, state: Arc<Mutex<State<R>>>) -> Result<()> {
    let mut buffer = Vec::new();
    while let Some(call) = read_call(&mut stream, &mut buffer).await? {
        let Some(answer) = answer(&state, call).await? else {
            return Ok(());
        };
        write_answer(&mut stream, &answer, answer.body.len()).await?;
    }
    Ok(())
}

/// Returns the answer, or `None` to close the connection without one.
async fn answer<R: Role>(state: &Mutex<State<R>>, call: Call) -> Result<Option<Answer>> {
    let seen = Seen {
        call: format!("{} {}", call.method, call.path),
        body: serde_json::from_slice(&call.body)
            .unwrap_or_else(|_| String::from_utf8_lossy(&call.body).into_owned().into()),
    };
    let (reply, looked_at, subject) = {
        let mut state = lock(state);
        state.seen.push(seen.clone());
        let reply = state
            .answers
            .get_mut(&seen.call)
            .and_then(VecDeque::pop_front);
        (reply, state.role.look_at(&seen), state.subject.clone())
    };
    let Some(reply) = reply else {
        if let Some(url) = looked_at
            && !is_there(&url).await
        {
            return Ok(Some(json(
                400,
                &serde_json::json!({ "error": "Connector health check failed" }),
            )));
        }
        return Ok(Some(lock(state).role.answer(&seen)));
    };
    if let (Some(first), Some(subject)) = (&reply.first, subject) {
        let mut names = Names::default();
        names.set("RUN", seen.body["sync_run_id"].as_str().unwrap_or_default());
        subject.ask(first, &mut names).await?;
    }
    tokio::time::sleep(Duration::from_millis(reply.late_ms)).await;
    if reply.close {
        return Ok(None);
    }
    let mut answer = match (&reply.json, &reply.text) {
        (Some(body), _) => json(200, body),
        (None, Some(text)) => Answer {
            status: 200,
            headers: Vec::new(),
            body: text.clone().into_bytes(),
        },
        // Only the status or the delay differs.
        (None, None) if reply.status.is_none() => lock(state).role.answer(&seen),
        (None, None) => Answer {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
        },
    };
    answer.status = reply.status.unwrap_or(answer.status);
    answer.headers.extend(reply.headers);
    Ok(Some(answer))
}

async fn is_there(url: &str) -> bool {
    let http = omni_connector::HttpClient::builder().no_proxy().build();
    let Ok(http) = http else { return false };
    http.get(url)
        .send()
        .await
        .is_ok_and(|answer| answer.status().is_success())
}

/// Builds a JSON answer.
pub(crate) fn json(status: u16, body: &Value) -> Answer {
    Answer {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    }
}
