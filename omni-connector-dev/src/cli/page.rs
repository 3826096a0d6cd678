//! The client of the development page, for commands that print its panes or send its forms. They use the running manager of the
//! store, or start one for their own duration.

use clap::Args;
use reqwest::{
    Method,
    header::{ACCEPT, COOKIE, ORIGIN, SET_COOKIE},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Code, Failure, Interrupts, StoreFolder,
    client::Client,
    running_manager::RunningManager,
    session::{lock, start_manager},
};
use crate::store::Store;

/// The source and the store of a command.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Name or id of the source [default: the newest one that the connector serves]
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    #[command(flatten)]
    store: StoreFolder,
}

/// Whether a command changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Change,
}

/// An open session with the page, with the cookie that a browser would get.
pub(super) struct Page<'a> {
    client: &'a Client,
    cookie: String,
    source: Option<String>,
}

/// Opens the page, does something with it, and ends the manager if this command started it.
pub(super) async fn with_page(
    place: &Place,
    what: Use,
    interrupts: &Interrupts,
    work: impl AsyncFnOnce(&Page<'_>) -> Result<Code, Failure>,
) -> Result<Code, Failure> {
    let folder = &place.store.folder;
    if !Store::is_in(folder) {
        return Err(Failure::no_store(folder));
    }
    let work = async |client: &Client| {
        let page = Page::open(client, place.source.as_deref()).await?;
        work(&page).await
    };
    if let Some(running) = RunningManager::find(folder, interrupts).await? {
        let client = running.client()?;
        return tokio::select! {
            done = work(&client) => done,
            () = interrupts.first() => Err(Failure::interrupted()),
        };
    }
    // Reading needs no lock: it works while another command syncs.
    let _lock = match what {
        Use::Read => None,
        Use::Change => Some(lock(folder)?),
    };
    let manager = start_manager(folder, 0, None, interrupts).await?;
    let client = Client::new(manager.url())?;
    let done = tokio::select! {
        done = work(&client) => done,
        () = interrupts.first() => Err(Failure::interrupted()),
    };
    manager.shutdown().await;
    done
}

impl<'a> Page<'a> {
    async fn open(client: &'a Client, source: Option<&str>) -> Result<Self, Failure> {
        let source = match source {
            Some(wanted) => Some(client.source(wanted).await?.source.id),
            None => None,
        };
        let address = client.page().await?;
        let path = address.strip_prefix(client.url()).unwrap_or(&address);
        let answer = client.send(client.request(Method::GET, path)).await?;
        let cookie = answer.headers().get(SET_COOKIE);
        let cookie = cookie.and_then(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookie = cookie.ok_or_else(|| Failure::failed("the manager does not open its page"))?;
        Ok(Self {
            client,
            cookie: cookie.to_owned(),
            source,
        })
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, path);
        let source = self.source.as_deref().map(|source| ("source", source));
        request
            .header(COOKIE, &self.cookie)
            .header(ACCEPT, "application/json")
            .query(&source.into_iter().collect::<Vec<_>>())
    }

    /// What a pane shows.
    pub(super) async fn pane(
        &self,
        pane: &str,
        parameters: &[(&str, Option<&str>)],
    ) -> Result<Value, Failure> {
        let given = parameters.iter();
        let given: Vec<_> = given
            .filter_map(|(name, value)| Some((name, (*value)?)))
            .collect();
        let request = self.request(Method::GET, &format!("/dev/{pane}"));
        self.client.read(request.query(&given)).await
    }

    /// Returns a file of the page, as it is.
    pub(super) async fn file(
        &self,
        path: &str,
        parameters: &[(&str, Option<&str>)],
    ) -> Result<String, Failure> {
        let given = parameters.iter();
        let given: Vec<_> = given
            .filter_map(|(name, value)| Some((name, (*value)?)))
            .collect();
        let request = self.request(Method::GET, &format!("/dev/{path}"));
        self.client.text(request.query(&given)).await
    }

    /// Sends a form, and gives what came of it.
    pub(super) async fn send(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Done {
            done: String,
        }
        Ok(part::<Done>(&self.submit(path, fields).await?)?.done)
    }

    /// Has the manager keep the connector's report on a run.
    pub(super) async fn keep(&self, run: &str) -> Result<(), Failure> {
        self.client.keep(run).await.map(drop)
    }

    /// Sends a form, and gives the whole answer.
    pub(super) async fn submit(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let request = self.request(Method::POST, &format!("/dev/{path}"));
        let request = request.header(ORIGIN, self.client.url()).form(fields);
        self.client.read(request).await
    }
}

/// A part of what a pane shows, as this command reads it.
pub(super) fn part<T: DeserializeOwned>(value: &Value) -> Result<T, Failure> {
    T::deserialize(value)
        .map_err(|error| Failure::failed(format!("the page's answer is not as expected: {error}")))
}
