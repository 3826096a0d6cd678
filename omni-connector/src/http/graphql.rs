//! GraphQL: queries with variables, and errors that come with status 200.

use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Answer, Api, Call, Pages, Paging, Refusal, SourceError, Verdict};
use crate::schema::decode;

impl Api {
    /// Starts a GraphQL call at the API's own URL.
    ///
    /// The errors of an answer are refusals, whatever its status. Codes that say *busy*, *not found*, *forbidden* or
    /// *unauthenticated* become what the same status would be, so limits are waited for and credentials renewed. A query is
    /// repeatable. A mutation is sent once, unless [`repeatable`](GraphQl::repeatable) says otherwise.
    ///
    /// ```
    /// use omni_connector::http::{Api, Pages, SourceError};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Issue { title: String }
    ///
    /// fn issues(api: &Api, team: &str) -> Pages<Issue> {
    ///     let query = "query($team: String!, $after: String) { team(id: $team) { issues(first: 50, after: $after) {
    ///         nodes { title } pageInfo { hasNextPage endCursor } } } }";
    ///     api.graphql(query).variable("team", team).pages("/team/issues")
    /// }
    ///
    /// async fn issue(api: &Api, id: &str) -> Result<Option<Issue>, SourceError> {
    ///     let query = "query($id: String!) { issue(id: $id) { title } }";
    ///     api.graphql(query).variable("id", id).read("/issue").await
    /// }
    /// ```
    pub fn graphql(&self, query: impl Into<String>) -> GraphQl {
        let query: String = query.into();
        let is_query =
            query.trim_start().starts_with("query") || query.trim_start().starts_with('{');
        let mut call = self.call(Method::POST, "").json(&json!({ "query": query }));
        call.is_graphql = true;
        GraphQl(if is_query { call.repeatable() } else { call })
    }
}

/// A GraphQL call being built. From [`Api::graphql`].
#[must_use = "a call is made by `read` or `pages`"]
#[derive(Debug, Clone)]
pub struct GraphQl(Call);

impl GraphQl {
    /// Sets a variable.
    pub fn variable(mut self, name: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => self.0.set_body_field(&format!("/variables/{name}"), &value),
            Err(error) => self.0.set_invalid(format_args!(
                "the variable `{name}` cannot be written as JSON: {error}"
            )),
        }
        self
    }

    /// Names the operation, for messages, metrics and spans.
    pub fn named(self, operation: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self(self.0.named(operation))
    }

    /// Allows retries, for a mutation that is safe to send twice, such as one that sets a value.
    pub fn repeatable(self) -> Self {
        Self(self.0.repeatable())
    }

    /// Reads the value at a JSON pointer of the data. Returns none if the value or an object on its path is `null`, or if the
    /// source answers that it does not exist.
    ///
    /// # Errors
    /// As every call: see [`SourceError`].
    pub async fn read<T: DeserializeOwned>(self, pointer: &str) -> Result<Option<T>, SourceError> {
        let (answer, made) = match self.0.made().await {
            Err(error) if error.is_missing() => return Ok(None),
            answer => answer?,
        };
        value(&answer, pointer).map_err(|why| SourceError::Unreadable {
            why,
            at: made.at(&answer),
        })
    }

    /// Reads a connection at a JSON pointer of the data: its `nodes`, page by page. The query asks for `pageInfo { hasNextPage
    /// endCursor }`, and takes the cursor as the variable `after`.
    pub fn pages<T: DeserializeOwned>(self, pointer: &str) -> Pages<T> {
        let connection = format!("/data{pointer}");
        let nodes = format!("{connection}/nodes");
        self.0.pages(Paging::relay(connection)).items(nodes)
    }
}

fn value<T: DeserializeOwned>(answer: &Answer, pointer: &str) -> Result<Option<T>, String> {
    let mut found = answer.at("/data").ok_or_else(|| match answer.json() {
        Value::Null => answer.not_json(),
        _ => "it has no `data`".to_owned(),
    })?;
    for key in pointer.split('/').skip(1) {
        if found.is_null() {
            break;
        }
        found = found
            .pointer(&format!("/{key}"))
            .ok_or_else(|| format!("it has nothing at `/data{pointer}`"))?;
    }
    if found.is_null() {
        return Ok(None);
    }
    let found = decode("answer", found.clone()).map_err(|error| error.to_string());
    found.map(Some)
}

/// Judges the first error of an answer; none if it has no errors.
pub(super) fn judge(answer: &Answer) -> Option<Verdict> {
    let error = answer.at("/errors/0")?;
    let code = error.pointer("/extensions/code").or(error.get("type"));
    let code = code.and_then(Value::as_str).unwrap_or("graphql");
    let message = error["message"].as_str().unwrap_or_default();
    let plain = code.to_ascii_uppercase().replace(['_', '-', ' '], "");
    Some(match plain.as_str() {
        "RATELIMITED" | "RATELIMIT" | "THROTTLED" | "COMPLEXITYBUDGETEXHAUSTED" => Verdict::Busy,
        "INTERNALSERVERERROR" | "SERVICEUNAVAILABLE" => Verdict::Unavailable,
        "UNAUTHENTICATED" | "AUTHENTICATIONERROR" => Verdict::Unauthorized,
        "FORBIDDEN" | "ACCESSDENIED" | "INSUFFICIENTSCOPES" => Verdict::Forbidden,
        "NOTFOUND" => Verdict::NotFound,
        _ => Verdict::Refused(Refusal::new(code).message(message)),
    })
}
