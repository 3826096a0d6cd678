//! Walks a paged list with one page read ahead, up to a proven end.

use std::{fmt, marker::PhantomData, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

use super::{
    Incomplete, Odd, Page, Paging, Position, ResumePoint,
    kinds::{Kind, Put},
    progress::{PageError, Progress, Successor, number},
};
use crate::{
    http::{Answer, At, Call, SourceError, api::Unresolved, send::Made},
    run::{SyncContext, Walked},
    schema::decode,
};

/// Pages of a walk whose items are counted one by one in the log of the run's requests.
const PAGES_KEPT: usize = 1_000;

/// A paged list without the position of its items yet. From [`Call::pages`].
#[must_use = "say where the items stand, with `items`"]
#[derive(Debug, Clone)]
pub struct Walk {
    call: Call,
    paging: Paging,
}

impl Walk {
    pub(in crate::http) fn new(mut call: Call, paging: Paging) -> Self {
        call.is_graphql |= matches!(paging.kind, Kind::Relay(_));
        Self { call, paging }
    }

    /// Reads the items at a JSON pointer of each answer; `""` if the answer itself is the list.
    ///
    /// ```
    /// use omni_connector::{Result, SyncContext, http::{Api, Paging}};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Issue { key: String }
    ///
    /// async fn walk(api: &Api, ctx: &SyncContext) -> Result<()> {
    ///     let mut pages = api.get("issues").pages(Paging::cursor("/meta/next")).items::<Issue>("/issues");
    ///     while let Some(page) = pages.next().await? {
    ///         for issue in &page {
    ///             ctx.working_on(&issue.key);
    ///         }
    ///     }
    ///     let proof = pages.finish()?;
    ///     # drop(proof);
    ///     Ok(())
    /// }
    /// ```
    pub fn items<T: DeserializeOwned>(self, pointer: impl Into<String>) -> Pages<T> {
        let mut call = self.call;
        let log = call.api.scope().requests();
        call.walk = log.map(|log| log.begin_walk(call.operation()));
        Pages {
            progress: Progress::new(self.paging.start()),
            call,
            paging: Arc::new(self.paging),
            pointer: pointer.into(),
            ahead: None,
            end: None,
            restart_on: None,
            restarts: 0,
            item: PhantomData,
        }
    }
}

/// A paged list being read. The next page is fetched while the author works on the current one.
#[must_use = "pages are read by `next`"]
pub struct Pages<T> {
    call: Call,
    paging: Arc<Paging>,
    pointer: String,
    progress: Progress,
    ahead: Option<AbortOnDropHandle<Result<(Answer, Made), SourceError>>>,
    end: Option<Ended>,
    restart_on: Option<Arc<RestartOn>>,
    restarts: u32,
    item: PhantomData<fn() -> T>,
}

type RestartOn = dyn Fn(&SourceError) -> bool + Send + Sync;

/// A walk begins again at most this often.
const RESTARTS: u32 = 3;

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("call", &self.call)
            .field("page", &self.progress.page)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Ended {
    Proven,
    /// All shown items were read, which proves nothing.
    Unproven(Incomplete),
    /// By an error that was already returned.
    Broken(Incomplete),
}

impl<T: DeserializeOwned> Pages<T> {
    /// Resumes after a page that was read before, possibly by another process. A point of another kind of paging, as
    /// from an older version of the connector, is ignored: the walk starts from the beginning.
    pub fn resume(mut self, point: impl Into<Option<ResumePoint>>) -> Self {
        if let Some(point) = point.into().filter(|point| self.paging.knows(&point.next)) {
            self.progress = Progress::resumed(point);
        }
        self
    }

    /// Restarts the walk after an error of this kind, at most three times. It is for services whose cursors expire, or become
    /// invalid after a failure. Items are then yielded again.
    ///
    /// ```
    /// use omni_connector::http::{Api, Pages, Paging, SourceError};
    ///
    /// fn contacts(api: &Api) -> Pages<String> {
    ///     let pages = api.get("scroll").pages(Paging::cursor("/scroll_param")).items("/data");
    ///     pages.restart_on(|error| matches!(error, SourceError::Unavailable { .. } | SourceError::NotFound { .. }))
    /// }
    /// ```
    pub fn restart_on(
        mut self,
        is_of_the_walk: impl Fn(&SourceError) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.restart_on = Some(Arc::new(is_of_the_walk));
        self
    }

    /// Reads the next page; none after the last.
    ///
    /// # Errors
    /// As every call. Returns [`SourceError::Walk`] if the pages contradict each other; the walk is then over.
    pub async fn next(&mut self) -> Result<Option<Page<T>>, SourceError> {
        match &self.end {
            None => {}
            Some(Ended::Proven | Ended::Unproven(_)) => return Ok(None),
            Some(Ended::Broken(incomplete)) => return Err(SourceError::Walk(incomplete.clone())),
        }
        let page = loop {
            let read = match self.ahead.take() {
                Some(ahead) => ahead.await.unwrap_or(Err(SourceError::Cancelled)),
                None => read(self.page_call()).await,
            };
            let page = match read {
                Ok((answer, made)) => self.page(&answer, &made.at(&answer)),
                Err(error) => Err(error),
            };
            match page {
                Err(error) if self.may_restart(&error) => self.restart(),
                page => break page,
            }
        };
        page.map(Some).inspect_err(|error| {
            self.ahead = None;
            self.end = Some(Ended::Broken(match error {
                SourceError::Walk(incomplete) => incomplete.clone(),
                SourceError::Cancelled => Incomplete::Cancelled,
                other => Incomplete::Failed(Box::new(other.clone())),
            }));
            self.log(None);
        })
    }

    /// Keeps how far the walk has come, in the log of the run's requests.
    fn log(&self, page: Option<usize>) {
        let scope = self.call.api.scope();
        let (Some(run), Some(log), Some(walk)) = (&scope.run, scope.requests(), self.call.walk)
        else {
            return;
        };
        let incomplete = match &self.end {
            Some(Ended::Unproven(incomplete) | Ended::Broken(incomplete)) => {
                Some(run.without_secrets(&incomplete.to_string()))
            }
            Some(Ended::Proven) if self.progress.odd > 0 => {
                Some(format!("{} items could not be read", self.progress.odd))
            }
            Some(Ended::Proven) | None => None,
        };
        log.walk(walk, |walk| {
            walk.pages = self.progress.page;
            let items = page.and_then(|items| u32::try_from(items).ok());
            let is_kept = walk.items.len() < PAGES_KEPT;
            walk.items.extend(items.filter(|_| is_kept));
            walk.total = self.progress.total();
            walk.is_complete = incomplete.is_none() && self.end.is_some();
            walk.incomplete = incomplete;
        });
    }

    fn may_restart(&self, error: &SourceError) -> bool {
        let is_wanted = self.restart_on.as_ref().is_some_and(|wanted| wanted(error));
        is_wanted && self.restarts < RESTARTS && !matches!(error, SourceError::Cancelled)
    }

    fn restart(&mut self) {
        self.restarts += 1;
        self.ahead = None;
        self.progress = Progress::new(self.paging.start());
    }

    /// Reads all pages that are left.
    ///
    /// # Errors
    /// As [`next`](Self::next), and if the end of the list is not proven.
    pub async fn all(mut self) -> Result<Vec<T>, SourceError> {
        let (mut all, mut restarts) = (Vec::new(), 0);
        while let Some(page) = self.next().await? {
            if self.restarts > restarts {
                restarts = self.restarts;
                all.clear();
            }
            all.extend(page);
        }
        let _proof = self.finish().map_err(SourceError::Walk)?;
        Ok(all)
    }

    /// Proves that everything was read.
    ///
    /// # Errors
    /// Returns the reason if the walk did not reach its declared end or contradicts itself.
    pub fn finish(self) -> Result<Walked, Incomplete> {
        let at = || self.at();
        let is_cancelled = self
            .call
            .api
            .scope()
            .run
            .as_ref()
            .is_some_and(SyncContext::is_cancelled);
        match self.end {
            Some(Ended::Unproven(incomplete) | Ended::Broken(incomplete)) => Err(incomplete),
            _ if is_cancelled => Err(Incomplete::Cancelled),
            None => Err(Incomplete::EndNotProven { at: at() }),
            Some(Ended::Proven) if self.progress.odd > 0 => {
                let count = self.progress.odd;
                Err(Incomplete::OddItems { count, at: at() })
            }
            Some(Ended::Proven) => Ok(Walked::proven()),
        }
    }

    fn at(&self) -> Box<At> {
        let mut at = self.call.at(1);
        at.page = Some(self.progress.page.max(1));
        at
    }

    /// Returns the call for the page at the current position.
    fn page_call(&self) -> Call {
        let mut call = self.call.clone();
        call.page = Some(self.progress.page + 1);
        if let Some((put, size)) = &self.paging.size {
            place(&mut call, put, &Value::from(*size));
        }
        match &self.progress.position {
            Position::Start => {}
            Position::Url(url) => {
                call.url = url
                    .parse()
                    .map_err(|_| {
                        Unresolved::Invalid("the link to the next page is not a URL".to_owned())
                    })
                    .and_then(|url| call.api.admit(url));
            }
            Position::Token(token) => place(&mut call, &self.paging.put, token),
            Position::Number(number) | Position::Offset(number) => {
                place(&mut call, &self.paging.put, &Value::from(*number));
            }
        }
        call
    }

    fn page(&mut self, answer: &Answer, at: &At) -> Result<Page<T>, SourceError> {
        let unreadable = |why: String| SourceError::Unreadable {
            why,
            at: Box::new(at.clone()),
        };
        let total = self.paging.total.as_ref();
        let items = match answer.at(&self.pointer) {
            Some(Value::Array(items)) => items.as_slice(),
            // Some services write an empty list so. Only the total tells it from a list that is missing.
            Some(Value::Null) if total.and_then(|total| number(answer, total)) == Some(0) => &[],
            _ if answer.json().is_null() => return Err(unreadable(answer.not_json())),
            _ => return Err(unreadable(format!("it has no list at `{}`", self.pointer))),
        };
        let follows = self
            .progress
            .advance(&self.paging, &self.call.api, answer, items, at);
        let follows = follows.map_err(|wrong| match wrong {
            PageError::Incomplete(incomplete) => SourceError::Walk(incomplete),
            PageError::Unreadable(why) => unreadable(why),
        })?;
        let (items, odd) = self.decode(items);
        if let Some(first) = odd.first() {
            self.progress.odd += odd.len() as u64;
            match &self.call.api.scope().run {
                Some(run) => {
                    for odd in &odd {
                        run.item_failed(name(odd, self.progress.page), &odd.why, Some(&at.url));
                    }
                }
                None => return Err(unreadable(format!("{} at `{}`", first.why, first.pointer))),
            }
        }
        let resume_point = match follows {
            Successor::Page => {
                self.ahead = Some(AbortOnDropHandle::new(tokio::spawn(read(self.page_call()))));
                Some(self.progress.resume_point())
            }
            Successor::ProvenEnd => {
                self.end = Some(Ended::Proven);
                None
            }
            Successor::End(incomplete) => {
                self.end = Some(Ended::Unproven(incomplete));
                None
            }
        };
        self.log(Some(items.len() + odd.len()));
        Ok(Page {
            items,
            odd,
            number: self.progress.page,
            total: self.progress.total(),
            resume_point,
        })
    }

    fn decode(&self, items: &[Value]) -> (Vec<T>, Vec<Odd>) {
        let mut odd = Vec::new();
        let decoded = items.iter().enumerate().filter_map(|(index, item)| {
            decode("item", item.clone())
                .map_err(|error| {
                    odd.push(Odd {
                        value: item.clone(),
                        pointer: format!("{}/{index}", self.pointer),
                        why: error.to_string(),
                    });
                })
                .ok()
        });
        (decoded.collect(), odd)
    }
}

/// Reads a page. Its JSON is parsed in this task, concurrently with the author's work.
async fn read(call: Call) -> Result<(Answer, Made), SourceError> {
    let (answer, made) = call.made().await?;
    let _ = answer.json();
    Ok((answer, made))
}

/// Returns a name by which people can find an item: its id, if it has one.
fn name(odd: &Odd, page: u32) -> String {
    const NAMES: [&str; 6] = ["id", "key", "uuid", "number", "name", "title"];
    let named = NAMES.iter().find_map(|name| match odd.value.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    named.unwrap_or_else(|| format!("{} of page {page}", odd.pointer))
}

/// Sets a value in a request, in its query or its JSON body.
fn place(call: &mut Call, put: &Put, value: &Value) {
    match put {
        Put::Parameter(name) => call.set_parameter(name, value),
        Put::Body(pointer) => call.set_body_field(pointer, value),
    }
}
