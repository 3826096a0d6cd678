//! Lists of what changed, of a [`FakeApi`]: since a time that the items have, or since a token that the API gave out.

use std::collections::{HashMap, HashSet};

use axum::http::Method;
use serde_json::{Value, json};

use super::fake::{FakeApi, Kind, Route, Shared};

/// Which items changed after which token.
#[derive(Default)]
pub(super) struct Changes {
    count: u64,
    /// The number of the latest change of each item, by its JSON.
    of: HashMap<String, u64>,
}

impl Changes {
    /// Notes the items that a change made or altered.
    pub(super) fn note(&mut self, before: &[Value], after: &[Value]) {
        let before: HashSet<_> = before.iter().map(ToString::to_string).collect();
        for item in after.iter().map(ToString::to_string) {
            if !before.contains(&item) {
                self.count += 1;
                self.of.insert(item, self.count);
            }
        }
    }

    /// The answer with the token of now.
    pub(super) fn token(&self) -> Value {
        json!({ "token": format!("change-{}", self.count) })
    }

    /// Reads a token: how many changes there were when it was given out.
    pub(super) fn read(&self, token: &str) -> Result<u64, String> {
        let count = token.strip_prefix("change-").and_then(|it| it.parse().ok());
        let known = count.filter(|count| *count <= self.count);
        known.ok_or_else(|| "this token is not known".to_owned())
    }

    /// Returns whether an item was changed later than by the first `count` changes.
    pub(super) fn is_after(&self, count: u64, item: &Value) -> bool {
        let of = self.of.get(&item.to_string());
        of.is_some_and(|number| *number > count)
    }
}

impl FakeApi {
    /// Lists changes only when the main list is asked for with this parameter: items whose member, a time, is not before it.
    pub fn since(self, parameter: impl Into<String>, member: impl Into<String>) -> Self {
        let (parameter, member) = (parameter.into(), member.into());
        self.with(|shared| {
            allow(shared, &parameter);
            shared.fields.changed = Some((parameter, member));
        })
    }

    /// Gives out a token at a path, as the member `token`. When the main list is asked for with this parameter, it has only
    /// what changed after its token was given out.
    ///
    /// ```no_run
    /// use omni_connector::http::Paging;
    /// use omni_connector_dev::testing::FakeApi;
    /// use serde_json::json;
    ///
    /// let api = FakeApi::new()
    ///     .list("/issues", "/issues", Paging::cursor("/next"), vec![json!({ "id": "1", "title": "Disk full" })])
    ///     .since_token("since", "/issues/token");
    /// ```
    pub fn since_token(self, parameter: impl Into<String>, path: impl Into<String>) -> Self {
        let (parameter, path) = (parameter.into(), path.into());
        self.with(|shared| {
            allow(shared, &parameter);
            shared.fields.token = Some(parameter);
            let token = Route {
                method: Method::GET,
                path,
                parameters: Vec::new(),
                field: None,
                kind: Kind::Token,
            };
            // Before a route such as `/issues/{id}`.
            shared.routes.insert(0, token);
        })
    }
}

/// Allows a parameter of the main list.
fn allow(shared: &mut Shared, parameter: &str) {
    let is_main = |route: &&mut Route| matches!(route.kind, Kind::List(0, ..));
    if let Some(route) = shared.routes.iter_mut().find(is_main) {
        route.parameters.push(parameter.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_knows_what_changed_after_it_was_given_out() {
        let mut changes = Changes::default();
        let old = [json!({ "id": 1 }), json!({ "id": 2 })];
        let first = changes.token()["token"].as_str().unwrap().to_owned();
        let new = [
            json!({ "id": 1 }),
            json!({ "id": 2, "title": "b" }),
            json!({ "id": 3 }),
        ];
        changes.note(&old, &new);
        let count = changes.read(&first).unwrap();
        assert_eq!(
            new.each_ref().map(|item| changes.is_after(count, item)),
            [false, true, true]
        );
        let second = changes.token()["token"].as_str().unwrap().to_owned();
        let count = changes.read(&second).unwrap();
        assert!(new.iter().all(|item| !changes.is_after(count, item)));
        for unknown in ["change-9", "change-", "9", ""] {
            assert!(changes.read(unknown).is_err(), "{unknown}");
        }
    }
}
