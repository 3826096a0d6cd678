//! One connection to an MCP server: opened within a time limit, and closed with every process that it started.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::http::{HeaderName, HeaderValue};
use process_wrap::tokio::CommandWrap;
use rmcp::{
    ClientHandler, RoleClient, ServiceError, ServiceExt,
    model::{
        ClientConfig, ClientRequest, Implementation, PingRequest, ProtocolVersion,
        ServerCapabilities, SubscriptionFilter,
    },
    service::{
        ClientCacheConfig, ClientLifecycleMode, ClientServiceExt, NotificationContext, Peer,
        RunningService,
    },
    transport::{
        IntoTransport, StreamableHttpClientTransport,
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use tokio::{
    io::AsyncReadExt,
    process::{ChildStderr, Command},
    sync::{OwnedSemaphorePermit, RwLock, mpsc},
};

use super::{
    failure::{ConnectFailure, is_broken, name, secrets},
    http,
    stdio::Child,
};
use crate::{
    connector::{ActionError, HttpMcpServer, McpServer, StdioMcpServer},
    redact::{Chunks, Secrets},
    transport::HttpClient,
};

/// Time limit after which a child is killed; its remaining processes die with the connector's pipes.
const CLOSE: Duration = Duration::from_secs(8);

/// The timeouts in a row after which a connection is replaced, even if the server answers pings.
const MOST_TIMEOUTS: u32 = 2;

/// How much of standard error is kept for the error message of a failed start.
const KEPT_STDERR: usize = 2000;

/// Receives notifications of changed lists and reports their server.
#[derive(Clone)]
pub(super) struct Listener {
    pub(super) server: McpServer,
    pub(super) changes: mpsc::Sender<McpServer>,
}

impl Listener {
    fn changed(&self) {
        // A full queue is being processed. This change is read with one in the queue, or when the catalog expires.
        let _ = self.changes.try_send(self.server.clone());
    }
}

impl ClientHandler for Listener {
    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed();
    }

    async fn on_prompt_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed();
    }

    async fn on_resource_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed();
    }

    fn get_info(&self) -> ClientConfig {
        let mut info = ClientConfig::default();
        info.protocol_version = ProtocolVersion::LATEST_WITH_INITIALIZE;
        info.client_info = Implementation::new("omni-connector", env!("CARGO_PKG_VERSION"));
        info
    }
}

/// Whether a connection can be used for the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Answers,
    Silent,
    /// The server refuses requests of this session. It may accept those of a new one.
    Refuses,
}

/// An open connection. Dropping it closes it in the background; [`close`](Self::close) waits for that.
pub(super) struct Session {
    running: RwLock<RunningService<RoleClient, Listener>>,
    peer: Peer<RoleClient>,
    /// The number of calls that timed out since the server answered one.
    timeouts: AtomicU32,
    /// Whether the server refused the last call in a way that may concern the session.
    is_refused: AtomicBool,
    /// The permit that counts this connection against the limit.
    _permit: OwnedSemaphorePermit,
}

impl Session {
    /// Starts or contacts the server and negotiates a protocol version, if necessary an older one.
    pub(super) async fn open(
        listener: Listener,
        permit: OwnedSemaphorePermit,
    ) -> Result<Self, ActionError> {
        let running = match connect(&listener, ClientLifecycleMode::Initialize).await {
            // The server supports only versions without that handshake.
            Err(first) if first.is_refusal() => {
                let newest = ClientLifecycleMode::Discover {
                    preferred_versions: vec![ProtocolVersion::LATEST],
                };
                let second = connect(&listener, newest).await;
                second.map_err(|second| first.or(second))
            }
            other => other,
        }
        .map_err(|failure| failure.explain(&listener.server))?;
        let peer = running.peer().clone();
        check_version(&peer, &listener.server)?;
        // A cached answer of a server that is down would look like a fresh one.
        peer.set_response_cache_config(ClientCacheConfig::disabled())
            .await;
        listen(&peer, &listener);
        Ok(Self {
            running: RwLock::new(running),
            peer,
            timeouts: AtomicU32::new(0),
            is_refused: AtomicBool::new(false),
            _permit: permit,
        })
    }

    pub(super) fn is_open(&self) -> bool {
        !self.peer.is_transport_closed()
    }

    /// Records whether the last call was answered in time.
    pub(super) fn answered(&self, in_time: bool) {
        if in_time {
            self.timeouts.store(0, Ordering::Relaxed);
        } else {
            self.timeouts.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records whether the last call was refused with a status, which may concern the session.
    pub(super) fn refused(&self, is_refused: bool) {
        self.is_refused.store(is_refused, Ordering::Relaxed);
    }

    /// Returns the state of the connection. Sends a ping only after a timeout or a refusal, and accepts any answer of the
    /// protocol. After two timeouts in a row pings prove nothing: the part of the server that runs calls may hang.
    pub(super) async fn health(&self, within: Duration) -> Health {
        let timeouts = self.timeouts.load(Ordering::Relaxed);
        let is_refused = self.is_refused.load(Ordering::Relaxed);
        if timeouts == 0 && !is_refused {
            return Health::Answers;
        }
        if timeouts >= MOST_TIMEOUTS {
            return Health::Silent;
        }
        let ping = ClientRequest::PingRequest(PingRequest::default());
        let answer = tokio::time::timeout(within, self.peer.send_request(ping)).await;
        match answer {
            Ok(Ok(_) | Err(ServiceError::McpError(_) | ServiceError::UnexpectedResponse)) => {
                Health::Answers
            }
            Ok(Err(error)) if is_broken(&error) => Health::Silent,
            Ok(Err(_)) => Health::Refuses,
            Err(_) => Health::Silent,
        }
    }

    pub(super) const fn peer(&self) -> &Peer<RoleClient> {
        &self.peer
    }

    pub(super) fn capabilities(&self) -> ServerCapabilities {
        self.peer
            .peer_info()
            .map(|info| info.capabilities.clone())
            .unwrap_or_default()
    }

    /// Returns the running client, which answers the server's own requests during a call.
    pub(super) async fn running(
        &self,
    ) -> tokio::sync::RwLockReadGuard<'_, RunningService<RoleClient, Listener>> {
        self.running.read().await
    }

    /// Cancels running calls and waits until a child process has exited.
    pub(super) async fn close(&self) {
        self.running.read().await.cancellation_token().cancel();
        let mut running = self.running.write().await;
        if !matches!(running.close_with_timeout(CLOSE).await, Ok(Some(_))) {
            tracing::warn!("an MCP server did not end in time");
        }
    }
}

/// Refuses a version from the future, in which requests may mean something else. Unknown older versions work like
/// the known ones.
fn check_version(peer: &Peer<RoleClient>, server: &McpServer) -> Result<(), ActionError> {
    let newest = ProtocolVersion::LATEST;
    let spoken = peer.peer_info().map(|info| info.protocol_version.clone());
    match spoken {
        Some(spoken) if spoken.as_str() > newest.as_str() => Err(ActionError::upstream(format!(
            "{} speaks version {spoken} of the protocol, and this connector none after {newest}\nhelp: have the server speak an older one",
            name(server)
        ))),
        _ => Ok(()),
    }
}

/// Asks a server of a version without unsolicited notifications to send those of changed lists.
fn listen(peer: &Peer<RoleClient>, listener: &Listener) {
    let is_unasked = peer
        .peer_info()
        .is_none_or(|info| info.protocol_version.has_initialize());
    if is_unasked {
        return;
    }
    let (peer, listener) = (peer.clone(), listener.clone());
    tokio::spawn(async move {
        let lists = SubscriptionFilter::builder()
            .tools_list_changed()
            .prompts_list_changed()
            .resources_list_changed()
            .build();
        let Ok(mut subscription) = peer.listen(lists).await else {
            return;
        };
        // The peer would keep the connection; the subscription ends with it.
        drop(peer);
        while let Ok(Some(_)) = subscription.next().await {
            listener.changed();
        }
    });
}

async fn connect(
    listener: &Listener,
    lifecycle: ClientLifecycleMode,
) -> Result<RunningService<RoleClient, Listener>, ConnectFailure> {
    let stderr = Arc::new(Stderr::default());
    match &listener.server {
        McpServer::Stdio(server) => {
            let (transport, pipe) = start(server).map_err(ConnectFailure::Start)?;
            if let Some(pipe) = pipe {
                let secrets = secrets(&listener.server);
                tokio::spawn(Arc::clone(&stderr).read(pipe, server.command.clone(), secrets));
            }
            handshake(listener, transport, lifecycle, stderr).await
        }
        McpServer::Http(server) => {
            let transport = reach(server).map_err(ConnectFailure::Start)?;
            handshake(listener, transport, lifecycle, stderr).await
        }
    }
}

async fn handshake<T, E, A>(
    listener: &Listener,
    transport: T,
    lifecycle: ClientLifecycleMode,
    stderr: Arc<Stderr>,
) -> Result<RunningService<RoleClient, Listener>, ConnectFailure>
where
    T: IntoTransport<RoleClient, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let client = listener.clone();
    let running = match lifecycle {
        ClientLifecycleMode::Initialize => client.serve(transport).await,
        other => client.serve_with_lifecycle(transport, other).await,
    };
    match running {
        Ok(running) => Ok(running),
        Err(error) => {
            // The last output of a crashing server arrives around the end of its standard output.
            tokio::time::sleep(Duration::from_millis(50)).await;
            Err(ConnectFailure::Initialize(Box::new(error), stderr.tail()))
        }
    }
}

fn start(server: &StdioMcpServer) -> Result<(Child, Option<ChildStderr>), String> {
    let mut command = Command::new(&server.command);
    command
        .args(&server.args)
        .envs(&server.env)
        .kill_on_drop(true);
    if let Some(folder) = &server.cwd {
        command.current_dir(folder);
    }
    let mut command = CommandWrap::from(command);
    // Processes that the server starts end with it, and a terminal's Ctrl-C reaches the connector first.
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessGroup::leader());
    Child::start(command).map_err(|error| {
        format!("cannot be started: {error}\nhelp: the command must be on the connector's `PATH`")
    })
}

fn reach(server: &HttpMcpServer) -> Result<StreamableHttpClientTransport<http::Client>, String> {
    let mut headers = HashMap::new();
    for (name, value) in &server.headers {
        let key = HeaderName::try_from(name.as_str())
            .map_err(|_| format!("cannot be asked with a header named `{name}`"))?;
        let mut value = HeaderValue::try_from(value.as_str())
            .map_err(|_| format!("cannot be asked: the value of header `{name}` is none"))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    // A pooled connection stalls if its last answer was not read to its end. Event streams stay open without the pool.
    let client = HttpClient::builder()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::custom(follow))
        .build()
        .map_err(|error| format!("cannot be reached: {error}"))?;
    let config = StreamableHttpClientTransportConfig::with_uri(server.url.clone())
        .custom_headers(headers)
        .max_sse_event_size(http::LONGEST);
    let client = http::Client::new(client);
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

/// Follows a redirect only within the server and only if it keeps the body, because headers carry secrets.
fn follow(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    let keeps_body = matches!(attempt.status().as_u16(), 307 | 308);
    let stays = attempt
        .previous()
        .first()
        .is_some_and(|first| first.origin() == attempt.url().origin());
    if keeps_body && stays && attempt.previous().len() < 5 {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// The end of a child's standard error, which is also logged.
#[derive(Default)]
struct Stderr(Mutex<String>);

impl Stderr {
    async fn read(self: Arc<Self>, mut pipe: ChildStderr, command: String, secrets: Secrets) {
        let mut buffer = [0; 4096];
        let mut chunks = Chunks::new(secrets);
        loop {
            let (text, is_over) = match pipe.read(&mut buffer).await {
                Ok(read @ 1..) => (chunks.push(&buffer[..read]), false),
                _ => (chunks.end(), true),
            };
            if !text.is_empty() {
                tracing::debug!(command, "{}", text.trim_end());
            }
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_str(&text);
            let surplus = kept.len().saturating_sub(KEPT_STDERR);
            let surplus = kept.ceil_char_boundary(surplus);
            kept.drain(..surplus);
            if is_over {
                return;
            }
        }
    }

    fn tail(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.trim().to_owned()
    }
}
