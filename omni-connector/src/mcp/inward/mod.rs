//! The MCP server behind a connector: its tools become actions; its resources and prompts are forwarded.
//!
//! The manifest uses the latest discovered lists; building it never contacts the server. The connector's own actions take
//! precedence over tools with the same name, also in dispatch. Only the connections hold secrets.

mod answer;
mod cache;
mod catalog;
mod events;
mod failure;
mod http;
mod http_failure;
mod lenient;
mod mend;
mod message;
mod pool;
mod session;
mod stdio;
mod task;

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use axum::response::Response;
use rmcp::{
    ServiceError,
    model::{CallToolRequestParams, GetPromptRequestParams, ReadResourceRequestParams},
};
use serde_json::{Map, Value};
use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc};

use crate::{
    connector::{ActionCall, ActionError, ErasedConnector, McpServer},
    wire::{Manifest, McpCredentials, Source},
};
use {
    cache::Cache,
    catalog::Catalog,
    failure::{explain, is_broken, is_refused, too_slow},
    pool::{Limits, Pool},
    session::Session,
};

/// Notifications of changed lists arrive in groups; one discovery serves them all.
const SETTLE: Duration = Duration::from_millis(100);

/// Time limit of a discovery. It is longer than a call's, because no caller waits for it.
const DISCOVER: Duration = Duration::from_mins(1);

/// The bridge of one connector to its MCP server.
pub(crate) struct Bridge {
    connector: Arc<dyn ErasedConnector>,
    server: McpServer,
    /// Names of the connector's own actions.
    own: HashSet<String>,
    cache: Cache,
    pool: Pool,
    /// Signals that the manifest differs from the registered one.
    news: Notify,
    /// Allows one discovery at a time while no catalog is known.
    looking: AsyncMutex<()>,
    configs: Configs,
}

impl Bridge {
    /// Creates the bridge if the connector has an MCP server. Does not start or contact the server.
    pub(super) fn of(
        connector: &Arc<dyn ErasedConnector>,
        folder: &Path,
        ttl: Option<Duration>,
        idle: Duration,
    ) -> Option<Arc<Self>> {
        let server = connector.mcp_server()?;
        let (sender, changes) = mpsc::channel(32);
        let bridge = Arc::new(Self {
            own: connector.action_names(),
            connector: Arc::clone(connector),
            server,
            cache: Cache::load(folder, connector.name(), ttl),
            pool: Pool::new(Limits::new(idle), sender),
            news: Notify::new(),
            looking: AsyncMutex::default(),
            configs: Configs::default(),
        });
        tokio::spawn(Arc::clone(&bridge).tend(changes));
        Some(bridge)
    }

    /// Maintains the connections.
    async fn tend(self: Arc<Self>, mut changes: mpsc::Receiver<McpServer>) {
        let mut sweeps = tokio::time::interval((self.pool.idle() / 5).max(SETTLE));
        loop {
            let mut servers = tokio::select! {
                server = changes.recv() => server.into_iter().collect::<HashSet<_>>(),
                _ = sweeps.tick() => {
                    self.pool.sweep();
                    continue;
                }
            };
            tokio::time::sleep(SETTLE).await;
            while let Ok(server) = changes.try_recv() {
                servers.insert(server);
            }
            for server in servers {
                let Some(session) = self.pool.existing(&server).await else {
                    continue;
                };
                match self.look(&server, &session).await {
                    Ok(true) => self.news.notify_one(),
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!("changed lists of the MCP server cannot be read: {error}");
                    }
                }
            }
        }
    }

    /// Adds the known catalog to a manifest.
    pub(super) fn complete(&self, manifest: &mut Manifest) {
        manifest.mcp_enabled = true;
        if let Some(catalog) = self.cache.get() {
            manifest.mcp_catalog_loaded = true;
            catalog.complete(manifest);
        }
    }

    /// Waits until the manifest should be registered again.
    pub(super) async fn changed(&self) {
        self.news.notified().await;
    }

    /// Reads the server's lists and returns whether they changed.
    pub(super) async fn discover(
        &self,
        credentials: Option<&McpCredentials>,
    ) -> Result<bool, ActionError> {
        let server = self.server_for(credentials)?;
        let session = self.pool.session(&server).await?;
        self.look(&server, &session).await
    }

    /// Discovers in the background and registers a change.
    pub(super) fn discover_later(self: &Arc<Self>, credentials: Option<McpCredentials>) {
        let bridge = Arc::clone(self);
        tokio::spawn(async move {
            match bridge.discover(credentials.as_ref()).await {
                Ok(true) => bridge.news.notify_one(),
                Ok(false) => {}
                Err(error) => tracing::warn!("the tools of the MCP server are not known: {error}"),
            }
        });
    }

    async fn look(&self, server: &McpServer, session: &Arc<Session>) -> Result<bool, ActionError> {
        let source_types = self.connector.source_types();
        let reading = Catalog::of(session, &source_types);
        let Ok(catalog) = tokio::time::timeout(DISCOVER, reading).await else {
            session.answered(false);
            return Err(ActionError::timeout(format!(
                "the lists of the MCP server did not end within {} s",
                DISCOVER.as_secs()
            )));
        };
        let catalog = self.ended(server, session, catalog).await?;
        let (actions, resources, prompts) = (
            catalog.actions.len(),
            catalog.resources.len(),
            catalog.prompts.len(),
        );
        let is_new = self.cache.put(catalog);
        if is_new {
            tracing::info!(
                actions,
                resources,
                prompts,
                "the MCP server offers something new"
            );
        }
        Ok(is_new)
    }

    /// Returns whether a call is for a tool of the server. Asks the server if no catalog is known.
    pub(super) async fn has_tool(&self, call: &ActionCall) -> bool {
        if self.own.contains(&call.action) {
            return false;
        }
        if self.cache.get().is_none() {
            let _one = self.looking.lock().await;
            if self.cache.get().is_none() {
                let credentials = credentials_of(call);
                match self.discover(credentials.as_ref()).await {
                    Ok(_) => self.news.notify_one(),
                    Err(error) => {
                        tracing::warn!("the tools of the MCP server are not known: {error}");
                    }
                }
            }
        }
        self.cache
            .get()
            .is_some_and(|catalog| catalog.action(&call.action).is_some())
    }

    /// Calls a tool.
    pub(super) async fn call_tool(&self, call: ActionCall) -> Result<Response> {
        let credentials = credentials_of(&call);
        let Value::Object(mut arguments) = call.params else {
            return Err(ActionError::bad_request("invalid params: they must be an object").into());
        };
        if let Some(catalog) = self.cache.get()
            && let Some(action) = catalog.action(&call.action)
        {
            drop_config(&mut arguments, call.source.as_ref(), &action.input_schema);
        }
        let tool = call.action;
        let request = CallToolRequestParams::new(tool.clone()).with_arguments(arguments.clone());
        let result = self
            .with_session(credentials.as_ref(), |session| async move {
                let called = session.running().await.call_tool(request).await;
                if !task::is_demanded(&called) {
                    return called;
                }
                match task::call(session.peer(), &tool, &arguments).await {
                    Ok(result) => Ok(result),
                    Err(error) => {
                        tracing::debug!(tool, "the tool does not run as a task either: {error}");
                        called
                    }
                }
            })
            .await?;
        answer::tool(result)
    }

    /// Reads a resource.
    pub(super) async fn read_resource(
        &self,
        uri: String,
        credentials: Option<&McpCredentials>,
    ) -> Result<Value, ActionError> {
        let request = ReadResourceRequestParams::new(uri);
        let result = self
            .with_session(credentials, |session| async move {
                session.running().await.read_resource(request).await
            })
            .await?;
        Ok(answer::contents(result))
    }

    /// Fills in a prompt.
    pub(super) async fn get_prompt(
        &self,
        name: String,
        arguments: Option<Map<String, Value>>,
        credentials: Option<&McpCredentials>,
    ) -> Result<Value, ActionError> {
        let mut request = GetPromptRequestParams::new(name);
        request.arguments = arguments;
        let result = self
            .with_session(credentials, |session| async move {
                session.running().await.get_prompt(request).await
            })
            .await?;
        Ok(answer::prompt(result))
    }

    /// Closes all connections and waits for the processes they started.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Makes one call on these credentials' connection within the server's time limit, including connecting.
    async fn with_session<T, F>(
        &self,
        credentials: Option<&McpCredentials>,
        call: impl FnOnce(Arc<Session>) -> F,
    ) -> Result<T, ActionError>
    where
        F: Future<Output = Result<T, ServiceError>>,
    {
        let server = self.server_for(credentials)?;
        let mut used = None;
        let ended = tokio::time::timeout(server.timeout(), async {
            let session = self.pool.session(&server).await?;
            used = Some(Arc::clone(&session));
            let called = call(Arc::clone(&session)).await;
            self.ended(&server, &session, called).await
        })
        .await;
        if let Some(session) = used {
            session.answered(ended.is_ok());
        }
        ended.unwrap_or_else(|_| Err(too_slow(&server)))
    }

    /// Records the outcome of a call, so that a broken connection is not reused.
    async fn ended<T>(
        &self,
        server: &McpServer,
        session: &Arc<Session>,
        called: Result<T, ServiceError>,
    ) -> Result<T, ActionError> {
        match called {
            Ok(value) => {
                session.refused(false);
                self.pool.worked(server).await;
                Ok(value)
            }
            Err(error) => {
                let reason = explain(&error, server);
                if is_broken(&error) {
                    self.pool.broke(server, session, Some(&reason)).await;
                } else if matches!(reason, ActionError::Unauthorized(_)) {
                    // Some servers say so of a session that they do not know.
                    self.pool.broke(server, session, None).await;
                }
                session.refused(is_refused(&error));
                Err(reason)
            }
        }
    }

    /// Returns the server's address with these credentials.
    fn server_for(&self, credentials: Option<&McpCredentials>) -> Result<McpServer, ActionError> {
        let mut server = self.server.clone();
        let Some(credentials) = credentials else {
            return Ok(server);
        };
        let credentials = &self.configs.complete(credentials.clone());
        let prepared = catch_unwind(AssertUnwindSafe(|| match &mut server {
            McpServer::Stdio(stdio) => {
                stdio
                    .env
                    .extend(self.connector.prepare_mcp_env(credentials)?);
                Ok(())
            }
            McpServer::Http(http) => {
                let headers = self.connector.prepare_mcp_headers(credentials)?;
                let headers = headers.into_iter();
                http.headers
                    .extend(headers.map(|(name, value)| (name.to_ascii_lowercase(), value)));
                Ok(())
            }
        }));
        match prepared {
            Ok(Ok(())) => Ok(server),
            Ok(Err(error)) => Err(prepare_failed(&error)),
            Err(_) => Err(ActionError::bad_request(
                "the credentials cannot be prepared for the MCP server: the connector panicked",
            )),
        }
    }
}

fn credentials_of(call: &ActionCall) -> Option<McpCredentials> {
    let credentials = McpCredentials::of(call.credentials.as_ref()?);
    Some(match &call.source {
        Some(source) => credentials.about(source),
        None => credentials,
    })
}

/// The config with which each secret was last used, by the hash of the secret: a request for a resource or a prompt
/// names no source.
#[derive(Default)]
struct Configs {
    hasher: RandomState,
    known: Mutex<HashMap<u64, Value>>,
}

impl Configs {
    /// The number of remembered secrets. Tokens are renewed, and it is unknown which ones have expired.
    const MOST: usize = 1_000;

    fn complete(&self, mut credentials: McpCredentials) -> McpCredentials {
        let secret = self.hasher.hash_one(credentials.credentials.to_string());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &credentials.source_config {
            Some(config) => {
                if known.len() >= Self::MOST {
                    known.clear();
                }
                known.insert(secret, config.clone());
            }
            None => credentials.source_config = known.get(&secret).cloned(),
        }
        credentials
    }
}

fn prepare_failed(error: &anyhow::Error) -> ActionError {
    ActionError::of(error).unwrap_or_else(|| {
        ActionError::bad_request(format!(
            "the credentials do not fit the MCP server: {error:#}"
        ))
    })
}

/// Removes the manager's additions to the caller's input (`protocol.md` §6.4) if the tool has no such argument:
/// strict servers refuse unknown arguments.
fn drop_config(arguments: &mut Map<String, Value>, source: Option<&Source>, schema: &Value) {
    let Some(config) = source.and_then(|source| source.config.as_object()) else {
        return;
    };
    let known = schema["properties"].as_object();
    arguments.retain(|name, _| {
        !config.contains_key(name) || known.is_some_and(|known| known.contains_key(name))
    });
}
