//! A fake of an API, for lists of JSON items. It pages as the connector's own [`Paging`] describes, requires its
//! [`Auth`], and enforces its [`Quota`]. It reports every undeclared request.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use axum::http::Method;
use omni_connector::http::{Auth, Paging, Quota};
use serde_json::Value;

use super::{
    changes,
    fake_changes::Changes,
    source::{Change, Removal, Source, Unable},
};
use crate::serving::serve;

/// Items on a page of a GraphQL connection, unless the argument `first` says otherwise.
const CONNECTION_PAGE: u64 = 50;

/// Converts an item or a body.
type Make = dyn Fn(&Value) -> Value + Send + Sync;

/// A fake of an API. It starts to listen when its URL is first requested.
///
/// ```no_run
/// use omni_connector::{SecretString, http::{Auth, Paging}};
/// use omni_connector_dev::testing::FakeApi;
/// use serde_json::json;
///
/// let key = SecretString::from("canary-7f3".to_owned());
/// let api = FakeApi::new()
///     .auth(Auth::bearer(&key))
///     .list("/issues", "/issues", Paging::cursor("/next").size("limit", 2), vec![
///         json!({ "key": "OPS-1", "title": "Disk full", "text": "No space is left.", "readers": ["ada@example.com"] }),
///     ])
///     .item("/issues/{key}", |issue| issue.clone())
///     .post("/issues", |input| json!({ "key": "OPS-9", "title": input["title"] }));
/// ```
#[must_use = "a fake is the `source` of `conformance!`"]
pub struct FakeApi {
    shared: Arc<Shared>,
    url: OnceLock<String>,
}

/// What an API was described with, and its state.
pub(super) struct Shared {
    pub(super) auth: Option<Auth>,
    pub(super) quota: Option<Quota>,
    pub(super) routes: Vec<Route>,
    pub(super) fields: changes::Fields,
    pub(super) most: Option<usize>,
    pub(super) state: Mutex<Inner>,
}

#[derive(Default)]
pub(super) struct Inner {
    /// The items of each list, in the order of the routes.
    pub(super) items: Vec<Vec<Value>>,
    pub(super) problems: BTreeSet<String>,
    pub(super) writes: usize,
    pub(super) first_page: FirstPage,
    /// How many items were removed before the next page of a walk that is under way. Its token still leads to the
    /// item after the latest page.
    pub(super) removed: usize,
    /// Whether the tokens of pages are refused until a walk begins anew.
    pub(super) forgets: bool,
    pub(super) calls: Vec<Instant>,
    pub(super) changes: Changes,
}

/// The length of the first page of the main list.
#[derive(Default)]
pub(super) enum FirstPage {
    #[default]
    Full,
    /// One item is missing.
    Short,
    Empty,
}

pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: String,
    /// Query parameters, or arguments of a GraphQL field.
    pub(super) parameters: Vec<String>,
    /// The GraphQL field at the root that this route answers.
    pub(super) field: Option<String>,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// The list with this index, with its items at a pointer.
    List(usize, String, Paging),
    /// One item of the main list, by the value of the path's parameter.
    Item(String, Box<Make>),
    /// A write.
    Write(Box<Make>),
    /// The token of what changes from now on.
    Token,
}

/// Sets the GraphQL field that the last described route answers.
fn answers(shared: &mut Shared, field: String) {
    if let Some(route) = shared.routes.last_mut() {
        route.method = Method::POST;
        route.field = Some(field);
    }
}

impl Default for FakeApi {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeApi {
    /// Creates an API without routes.
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                auth: None,
                quota: None,
                routes: Vec::new(),
                fields: changes::Fields::default(),
                most: None,
                state: Mutex::default(),
            }),
            url: OnceLock::new(),
        }
    }

    pub(super) fn with(mut self, describe: impl FnOnce(&mut Shared)) -> Self {
        let shared = Arc::get_mut(&mut self.shared);
        describe(shared.expect("an API is described before it is asked for its URL"));
        self
    }

    /// Requires this credential with every call, and otherwise answers 401.
    pub fn auth(self, auth: Auth) -> Self {
        self.with(|shared| shared.auth = Some(auth))
    }

    /// Answers 429 to calls beyond this quota.
    pub fn quota(self, quota: Quota) -> Self {
        self.with(|shared| shared.quota = Some(quota))
    }

    /// Serves a list at a path, with its items at a JSON pointer of the answer. The first list is the main one.
    pub fn list(
        self,
        path: impl Into<String>,
        items_at: impl Into<String>,
        paging: Paging,
        items: Vec<Value>,
    ) -> Self {
        let (path, items_at) = (path.into(), items_at.into());
        self.with(|shared| {
            let state = shared
                .state
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            state.items.push(items);
            let number = state.items.len() - 1;
            let parameters = paging.parameters().into_iter().map(str::to_owned).collect();
            // Parameters in the body need a `POST`.
            let is_post = paging.parameters().iter().any(|name| name.starts_with('/'));
            shared.routes.push(Route {
                method: if is_post { Method::POST } else { Method::GET },
                path,
                parameters,
                field: None,
                kind: Kind::List(number, items_at, paging),
            });
        })
    }

    /// Serves a GraphQL connection at a path: the root field of this name, with the arguments `first` and `after`. A request
    /// selects one field at the root. It gets the selected fields of the items only, and is refused for a field that no item
    /// has, as by a real service.
    ///
    /// ```no_run
    /// use omni_connector_dev::testing::FakeApi;
    /// use serde_json::json;
    ///
    /// let api = FakeApi::new()
    ///     .connection("/graphql", "issues", vec![json!({ "id": "1", "title": "Disk full", "text": "No space is left." })])
    ///     .mutation("/graphql", "createIssue", |arguments| json!({ "id": "9", "title": arguments["title"] }));
    /// ```
    pub fn connection(
        self,
        path: impl Into<String>,
        field: impl Into<String>,
        items: Vec<Value>,
    ) -> Self {
        let field = field.into();
        let paging = Paging::relay(format!("/{field}"))
            .param("after")
            .size("first", CONNECTION_PAGE);
        let fake = self.list(path, format!("/{field}/nodes"), paging, items);
        fake.with(|shared| answers(shared, field))
    }

    /// Accepts a GraphQL mutation at a path: the root field of this name. Answers with the selected fields of the function's
    /// result for its arguments.
    pub fn mutation(
        self,
        path: impl Into<String>,
        field: impl Into<String>,
        make: impl Fn(&Value) -> Value + Send + Sync + 'static,
    ) -> Self {
        let (field, fake) = (field.into(), self.post(path, make));
        fake.with(|shared| answers(shared, field))
    }

    /// Sends at most this many items on a page, however many were asked for.
    pub fn at_most(self, items: usize) -> Self {
        self.with(|shared| shared.most = Some(items))
    }

    /// Serves one item of the main list at a path such as `/issues/{key}`: the one whose member of that name is there.
    pub fn item(
        self,
        path: impl Into<String>,
        make: impl Fn(&Value) -> Value + Send + Sync + 'static,
    ) -> Self {
        let path = path.into();
        let member = path.split(['{', '}']).nth(1).unwrap_or("id").to_owned();
        let fake = self.with(|shared| shared.fields.id = Some(member.clone()));
        fake.route(Method::GET, path, Kind::Item(member, Box::new(make)))
    }

    /// Accepts a `POST`, and answers with the function's result for its JSON body.
    pub fn post(
        self,
        path: impl Into<String>,
        make: impl Fn(&Value) -> Value + Send + Sync + 'static,
    ) -> Self {
        self.route(Method::POST, path.into(), Kind::Write(Box::new(make)))
    }

    fn route(self, method: Method, path: String, kind: Kind) -> Self {
        self.with(|shared| {
            shared.routes.push(Route {
                method,
                path,
                parameters: Vec::new(),
                field: None,
                kind,
            });
        })
    }

    /// Allows a query parameter on the last described route, or an argument of its GraphQL field.
    ///
    /// # Panics
    /// Panics if no route was described.
    pub fn parameter(self, name: impl Into<String>) -> Self {
        self.with(|shared| {
            let route = shared
                .routes
                .last_mut()
                .expect("a parameter belongs to a route");
            route.parameters.push(name.into());
        })
    }

    /// Names the member with an item's title in the main list; the default is `title`.
    pub fn title(self, member: impl Into<String>) -> Self {
        self.with(|shared| shared.fields.title = member.into())
    }

    /// Names the member with an item's text in the main list; the default is `text`.
    pub fn text(self, member: impl Into<String>) -> Self {
        self.with(|shared| shared.fields.text = member.into())
    }

    /// Names the member with an item's readers in the main list; the default is `readers`.
    pub fn readers(self, member: impl Into<String>) -> Self {
        self.with(|shared| shared.fields.readers = member.into())
    }

    /// Names the member with an item's place in the main list, such as its project.
    pub fn container(self, member: impl Into<String>) -> Self {
        self.with(|shared| shared.fields.container = Some(member.into()))
    }

    /// Declares that the last described list holds groups, and names the member with a group's members.
    pub fn members(self, member: impl Into<String>) -> Self {
        self.with(|shared| {
            let state = shared
                .state
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            shared.fields.members = Some((state.items.len() - 1, member.into()));
        })
    }

    /// Returns the current items of the main list.
    pub fn items(&self) -> Vec<Value> {
        self.shared
            .state()
            .items
            .first()
            .cloned()
            .unwrap_or_default()
    }
}

impl Source for FakeApi {
    fn url(&self) -> String {
        self.url
            .get_or_init(|| serve(Arc::clone(&self.shared), Shared::answer))
            .clone()
    }

    fn change(&self, change: &Change) -> Result<(), Unable> {
        let mut state = self.shared.state();
        let paging = self.shared.paging();
        let is_by_token = paging.is_some_and(Paging::is_by_token);
        let fields = &self.shared.fields;
        match change {
            Change::UnevenPages | Change::EmptyPage if !is_by_token => Err(Unable(
                "only pages that are found by tokens or links differ in length".to_owned(),
            )),
            Change::UnevenPages => {
                state.first_page = FirstPage::Short;
                Ok(())
            }
            Change::EmptyPage => {
                state.first_page = FirstPage::Empty;
                Ok(())
            }
            Change::ForgetTokens if !is_by_token => {
                Err(Unable("the pages of the list have no tokens".to_owned()))
            }
            Change::ForgetTokens => {
                state.forgets = true;
                Ok(())
            }
            Change::FillPages(pages) => {
                let size = paging.map_or(1, Paging::page_size);
                let count = pages * self.shared.most.map_or(size, |most| size.min(most));
                if let Some(items) = state.items.first_mut() {
                    items.truncate(count);
                }
                changes::apply(&Change::Grow(count), fields, &mut state.items)
            }
            change => {
                let before = state.items.first().cloned().unwrap_or_default();
                changes::apply(change, fields, &mut state.items)?;
                if fields.token.is_some() {
                    let Inner { items, changes, .. } = &mut *state;
                    changes.note(&before, items.first().map_or(&[], Vec::as_slice));
                }
                let is_skipped = paging.is_none_or(Paging::skips_after_a_removal);
                if matches!(change, Change::Remove(_)) && !is_skipped {
                    state.removed += 1;
                }
                Ok(())
            }
        }
    }

    fn next_pages(&self) -> Vec<(String, String)> {
        let of_route = |route: &Route| match &route.kind {
            Kind::List(0, _, paging) if route.method == Method::GET => {
                Some((route.path.clone(), paging.next_at()?))
            }
            _ => None,
        };
        self.shared.routes.iter().filter_map(of_route).collect()
    }

    fn removal(&self) -> Removal {
        match self.shared.paging() {
            Some(paging) if !paging.skips_after_a_removal() => Removal::Harmless,
            Some(paging) if paging.has_total() => Removal::Told,
            _ => Removal::Silent,
        }
    }

    fn writes(&self) -> usize {
        self.shared.state().writes
    }

    fn problems(&self) -> Vec<String> {
        self.shared.state().problems.iter().cloned().collect()
    }
}
