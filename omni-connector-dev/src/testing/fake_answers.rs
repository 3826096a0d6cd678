//! The answers of a [`FakeApi`](super::FakeApi): pages of lists, single items, writes, and its refusals.

use std::{
    cmp::Reverse,
    sync::{MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    http::{HeaderMap, Method, StatusCode, Uri},
    response::Response,
};
use omni_connector::http::Paging;
use serde_json::{Value, json};

use super::{
    changes,
    fake::{FirstPage, Inner, Kind, Route, Shared},
    fake_graphql::Root,
    requests::{answered, matched, parameters, put, text_of},
};

/// A page of a list.
struct Page {
    headers: Vec<(&'static str, String)>,
    body: Value,
}

impl Shared {
    /// Returns how the main list is paged.
    pub(super) fn paging(&self) -> Option<&Paging> {
        self.routes.iter().find_map(|route| match &route.kind {
            Kind::List(0, _, paging) => Some(paging),
            _ => None,
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn answer(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Response {
        let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let pairs = parameters(uri);
        let parameter = |name: &str| {
            let found = pairs.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        if let Some(wait) = self.over_quota() {
            let body = json!({ "error": "too many calls" });
            return answered(
                StatusCode::TOO_MANY_REQUESTS,
                &[("retry-after", wait)],
                &body,
            );
        }
        if let Some(auth) = &self.auth
            && !auth.admits(&header, &parameter)
        {
            let error = json!({ "error": "this credential is not known" });
            return answered(StatusCode::UNAUTHORIZED, &[], &error);
        }
        let input: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut routes = self.routes.iter();
        if routes.any(|route| route.field.is_some() && route.path == uri.path()) {
            let data = self.data(uri.path(), &input);
            return data.unwrap_or_else(|message| {
                self.problem(message.clone());
                refused(&message)
            });
        }
        let found = self.routes.iter().find_map(|route| {
            let value = matched(&route.path, uri.path())?;
            (route.method == *method).then_some((route, value))
        });
        let Some((route, value)) = found else {
            return self.unknown(method, uri.path());
        };
        for (name, _) in &pairs {
            if !route.parameters.contains(name) {
                let path = &route.path;
                self.problem(format!(
                    "`{name}` is a parameter of `{method} {path}` that nobody declared"
                ));
            }
        }
        match &route.kind {
            Kind::List(number, items_at, paging) => {
                let asked = |name: &str| match input.pointer(name) {
                    Some(Value::String(text)) => Some(text.clone()),
                    Some(Value::Null) | None => parameter(name),
                    Some(other) => Some(other.to_string()),
                };
                let host = header("host").unwrap_or_default();
                let link = |name: &str, value: &str| {
                    let others = pairs.iter().filter(|(key, _)| key != name);
                    let others = others.map(|(key, value)| format!("{key}={value}"));
                    let all: Vec<_> = others.chain([format!("{name}={value}")]).collect();
                    format!("http://{host}{}?{}", uri.path(), all.join("&"))
                };
                match self.page(*number, items_at, paging, &asked, &link) {
                    Ok(page) => answered(StatusCode::OK, &page.headers, &page.body),
                    Err(error) => {
                        answered(StatusCode::BAD_REQUEST, &[], &json!({ "error": error }))
                    }
                }
            }
            Kind::Item(member, make) => {
                let state = self.state();
                let items = state.items.first().into_iter().flatten();
                let mut items = items.filter(|item| text_of(&item[member]) == value);
                match items.next() {
                    Some(item) => answered(StatusCode::OK, &[], &make(item)),
                    None => answered(StatusCode::NOT_FOUND, &[], &json!({ "error": "not found" })),
                }
            }
            Kind::Write(make) => {
                self.state().writes += 1;
                answered(StatusCode::OK, &[], &make(&input))
            }
            Kind::Token => answered(StatusCode::OK, &[], &self.state().changes.token()),
        }
    }

    /// Answers a GraphQL request.
    fn data(&self, path: &str, input: &Value) -> Result<Response, String> {
        let root = Root::read(input)?;
        let name = &root.field.name;
        let is_it = |route: &&Route| route.path == path && route.field.as_ref() == Some(name);
        let Some(route) = self.routes.iter().find(is_it) else {
            return Err(format!("nobody declared the field `{name}` of `{path}`"));
        };
        let is_write = matches!(route.kind, Kind::Write(_));
        if root.is_mutation != is_write {
            let kind = if is_write { "mutation" } else { "query" };
            return Err(format!("`{name}` is a field of a {kind}"));
        }
        let mut names = root.arguments.keys();
        if let Some(other) = names.find(|it| !is_write && !route.parameters.contains(it)) {
            return Err(format!(
                "`{other}` is an argument of `{name}` that nobody declared"
            ));
        }
        let value = match &route.kind {
            Kind::List(number, items_at, paging) => {
                let all = json!({ "nodes": self.state().items[*number] });
                let asked = |name: &str| root.argument(name);
                let link = |_: &str, value: &str| value.to_owned();
                let body = match self.page(*number, items_at, paging, &asked, &link) {
                    Ok(page) => page.body,
                    Err(error) => return Ok(refused(&error)),
                };
                let page = &body[name.as_str()];
                let info = json!({ "pageInfo": page["pageInfo"] });
                if let Some(mistake) = root.field.mistake(&[&all, &info]) {
                    return Err(mistake);
                }
                page.clone()
            }
            Kind::Item(..) | Kind::Token => return Err(format!("`{name}` is no GraphQL field")),
            Kind::Write(make) => {
                self.state().writes += 1;
                let value = make(&Value::Object(root.arguments.clone()));
                if let Some(mistake) = root.field.mistake(&[&value]) {
                    return Err(mistake);
                }
                value
            }
        };
        Ok(answered(StatusCode::OK, &[], &root.answer(&value)))
    }

    fn page(
        &self,
        number: usize,
        items_at: &str,
        paging: &Paging,
        asked: &dyn Fn(&str) -> Option<String>,
        link: &dyn Fn(&str, &str) -> String,
    ) -> Result<Page, String> {
        let mut state = self.state();
        // The first request has no position.
        let position = paging.parameters().last().copied();
        let is_first = number == 0 && position.is_none_or(|name| asked(name).is_none());
        let mut removed = 0;
        if is_first {
            (state.removed, state.forgets) = (0, false);
        } else if number == 0 {
            removed = std::mem::take(&mut state.removed);
            if state.forgets {
                return Err("this token is not known".to_owned());
            }
        }
        let asked = |name: &str| {
            let value = asked(name)?;
            Some(match position {
                Some(position) if position == name => before(&value, removed),
                _ => value,
            })
        };
        let changed = self.fields.changed.as_ref().filter(|_| number == 0);
        let since = changed.and_then(|(parameter, member)| Some((asked(parameter)?, member)));
        let token = self.fields.token.as_ref().filter(|_| number == 0);
        let token = token.and_then(|parameter| asked(parameter));
        let token = token.map(|token| state.changes.read(&token)).transpose()?;
        let is_listed = |item: &&Value| {
            let is_new = since
                .as_ref()
                .is_none_or(|(since, member)| changes::is_since(&item[member.as_str()], since));
            is_new && token.is_none_or(|count| state.changes.is_after(count, item))
        };
        let items: Vec<_> = state.items[number].iter().filter(is_listed).collect();
        let shorten = |_: usize| match state.first_page {
            FirstPage::Short if is_first => 1,
            FirstPage::Empty if is_first => usize::MAX,
            _ => 0,
        };
        let page = match paging.serve(items.len(), self.most, &asked, link, &shorten) {
            Ok(page) => page,
            Err(problem) => {
                drop(items);
                drop(state);
                self.problem(problem.clone());
                return Err(problem);
            }
        };
        let mut body = json!({});
        put(
            &mut body,
            items_at,
            items[page.items].iter().copied().cloned().collect(),
        );
        for (pointer, value) in page.fields {
            put(&mut body, &pointer, value);
        }
        let headers: Vec<_> = page.link.map(|link| ("link", link)).into_iter().collect();
        Ok(Page { headers, body })
    }

    fn unknown(&self, method: &Method, path: &str) -> Response {
        let near = self.routes.iter().max_by_key(|route| {
            let pairs = route.path.chars().zip(path.chars());
            let shared = pairs.take_while(|(one, other)| one == other).count();
            (shared, route.method == *method, Reverse(route.path.len()))
        });
        let near = near.map_or_else(String::new, |route| {
            format!("; the nearest route is `{} {}`", route.method, route.path)
        });
        self.problem(format!("nobody declared `{method} {path}`{near}"));
        answered(StatusCode::NOT_FOUND, &[], &json!({ "error": "not found" }))
    }

    fn problem(&self, problem: String) {
        self.state().problems.insert(problem);
    }

    /// Returns the seconds to wait after too many calls.
    fn over_quota(&self) -> Option<String> {
        let (limit, per) = self.quota.as_ref()?.allows();
        let mut state = self.state();
        state.calls.retain(|call| call.elapsed() < per);
        if state.calls.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
            state.calls.push(Instant::now());
            return None;
        }
        let oldest = state.calls.first().map_or(Duration::ZERO, Instant::elapsed);
        Some(per.saturating_sub(oldest).as_secs().max(1).to_string())
    }
}

/// Returns the errors of a GraphQL answer, which has status 200.
fn refused(message: &str) -> Response {
    let errors = json!({ "errors": [{ "message": message }] });
    answered(StatusCode::OK, &[], &errors)
}

/// Returns the token or number of a position that many items earlier.
fn before(position: &str, items: usize) -> String {
    let (word, number) = match position.strip_prefix("after-") {
        Some(number) => ("after-", number),
        None => ("", position),
    };
    match number.parse::<usize>() {
        Ok(number) => format!("{word}{}", number.saturating_sub(items)),
        Err(_) => position.to_owned(),
    }
}
