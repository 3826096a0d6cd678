//! GitHub's API: its requests, its lists and its errors.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use omni_connector::{
    http::{Answer, GraphQl, Next, Position, Reset, Verdict, segment},
    prelude::*,
};
use serde::de::DeserializeOwned;
use time::{Duration, format_description::well_known::Rfc2822};

use crate::{
    documents::{Comment, Discussion, Item, Repository, User},
    settings::{Settings, Token},
};

/// The longest delay of GitHub's lists behind its clock.
const LAG: Duration = Duration::MINUTE;

/// The requested fields of a discussion.
const DISCUSSION: &str = "number title body url createdAt updatedAt answerChosenAt author { login } category { name } \
    comments(first: 100) { nodes { body author { login } } }";

/// A client of one GitHub, for one source.
#[derive(Clone, FromCall)]
pub(crate) struct Client {
    pub(crate) rest: Api,
    graphql: Api,
    pub(crate) settings: Settings,
}

impl ApiClient for Client {
    type Config = Settings;
    type Credentials = Token;

    fn connect(settings: &Settings, token: &Token) -> Result<Self> {
        let address = settings.address()?;
        let api = |url: &str| {
            let auth = if token.is_signed_in {
                Auth::oauth()
            } else {
                Auth::bearer(&token.secret)
            };
            // The highest quota that GitHub gives. Its headers state the remaining calls.
            let quota = Quota::per_hour(15_000)
                .remaining("x-ratelimit-remaining")
                .reset(Reset::EpochSeconds("x-ratelimit-reset"));
            Api::at(url)
                .auth(auth)
                .quota(quota)
                .header("accept", "application/vnd.github+json")
                .header("x-github-api-version", "2022-11-28")
                .refusals(judge)
        };
        Ok(Self {
            rest: api(address.api()),
            graphql: api(&address.graphql()),
            settings: settings.clone(),
        })
    }
}

/// GitHub also sends *busy* with 403.
fn judge(answer: &Answer) -> Verdict {
    let says_busy = |message: &str| message.to_ascii_lowercase().contains("rate limit");
    let is_busy = answer.header("retry-after").is_some()
        || answer.header("x-ratelimit-remaining") == Some("0")
        || answer.text_at("/message").is_some_and(says_busy);
    match answer.status().as_u16() {
        403 if is_busy => Verdict::Busy,
        _ => Verdict::by_status(answer),
    }
}

/// Continues after the last change of a page, so that no item is missed when others move or vanish meanwhile. If one
/// second has more changes than a page, it follows the link instead.
fn behind_last_change(answer: &Answer, _: &Position) -> Next {
    let next = match answer.next_link() {
        Ok(Some(next)) => next,
        Ok(None) => return Next::End,
        Err(why) => return Next::Contradiction(why),
    };
    let items = answer.json().as_array();
    let changed = |item: Option<&Value>| Some(item?["updated_at"].as_str()?.to_owned());
    match items.map(|items| (changed(items.first()), changed(items.last()))) {
        Some((Some(first), Some(last))) if first < last => Next::At(Position::Token(last.into())),
        Some((Some(first), Some(last))) if first == last => Next::At(Position::Url(next)),
        _ => Next::Contradiction("its items are not in the order of their changes".to_owned()),
    }
}

impl Client {
    /// Returns GitHub's time, before anything is read. It also shows that the token works.
    pub(crate) async fn now(&self) -> Result<Timestamp, SourceError> {
        let answer = match self.rest.get("user").send().await {
            // The token of an app does not belong to a user.
            Err(SourceError::Forbidden { .. }) => None,
            answer => Some(answer?),
        };
        let date = answer.as_ref().and_then(|answer| answer.header("date"));
        let date = date.and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok());
        Ok(Timestamp(
            date.unwrap_or_else(OffsetDateTime::now_utc) - LAG,
        ))
    }

    /// Returns one of the lists of repositories.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Repository>, SourceError> {
        let call = self
            .rest
            .get(format!("{path}?per_page=100&sort=created&direction=asc"));
        call.pages(Paging::link_header()).items("").all().await
    }

    /// Returns a repository by its current or an old name.
    pub(crate) async fn repository(&self, name: &str) -> Result<Option<Repository>, SourceError> {
        let call = self.rest.get(in_repo(name, ""));
        call.missing_is_none().read().await
    }

    pub(crate) async fn readme(&self, name: &str) -> Result<Option<String>, SourceError> {
        let call = self.rest.get(in_repo(name, "/readme"));
        let found: Option<Value> = call.missing_is_none().read().await?;
        let content = found.as_ref().and_then(|found| found["content"].as_str());
        let bytes =
            content.map(|text| STANDARD.decode(text.split_whitespace().collect::<String>()));
        let bytes = bytes.transpose().map_err(|_| SourceError::Invalid {
            why: format!("the README of {name} is not in base64"),
        })?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Returns issues, pull requests or comments of a repository, at or after a time, in the order of their changes.
    /// `list` is the beginning of the request, such as `issues?`.
    pub(crate) fn changes<T: DeserializeOwned>(
        &self,
        name: &str,
        list: &str,
        since: Option<Timestamp>,
    ) -> Pages<T> {
        let path = format!("/{list}sort=updated&direction=asc&per_page=100");
        let call = self
            .rest
            .get(in_repo(name, &path))
            .query(&[("since", since)]);
        call.pages(Paging::by(behind_last_change).param("since"))
            .items("")
    }

    /// Returns an issue or pull request. Returns `None` if it is deleted, or moved to another repository.
    pub(crate) async fn item(&self, name: &str, number: u64) -> Result<Option<Item>, SourceError> {
        let call = self.rest.get(in_repo(name, &format!("/issues/{number}")));
        let item: Option<Item> = call.missing_is_none().read().await?;
        Ok(item.filter(|item| item.is_in(name) && item.number == number))
    }

    /// Returns the highest number of an issue or pull request, or 0 if there is none.
    pub(crate) async fn highest(&self, name: &str) -> Result<u64, SourceError> {
        let path = "/issues?state=all&sort=created&direction=desc&per_page=1";
        let newest: Vec<Item> = self.rest.get(in_repo(name, path)).read().await?;
        Ok(newest.first().map_or(0, |item| item.number))
    }

    /// Returns the first hundred comments on an item, and the first hundred on its changes.
    pub(crate) async fn comments(
        &self,
        name: &str,
        item: &Item,
    ) -> Result<Vec<String>, SourceError> {
        let number = item.number;
        let mut comments = Vec::new();
        let lists = [
            ("issues", item.comments > 0),
            ("pulls", item.is_pull_request()),
        ];
        for (list, _) in lists.into_iter().filter(|(_, has_some)| *has_some) {
            let path = in_repo(name, &format!("/{list}/{number}/comments?per_page=100"));
            let list: Vec<Comment> = self.rest.get(path).read().await?;
            comments.extend(list.iter().filter_map(Comment::text));
        }
        Ok(comments)
    }

    /// Returns discussions in the order of their changes: the oldest first with `all`, else the newest first.
    pub(crate) fn discussions(&self, name: &str, all: bool) -> Pages<Discussion> {
        let order = if all { "ASC" } else { "DESC" };
        let fields = format!(
            "discussions(first: 50, after: $after, orderBy: {{ field: UPDATED_AT, direction: {order} }}) {{ \
             pageInfo {{ hasNextPage endCursor }} nodes {{ {DISCUSSION} }} }}"
        );
        self.query(name, ", $after: String", &fields)
            .named("discussions")
            .pages("/repository/discussions")
    }

    /// Returns a discussion. Returns `None` if it is deleted.
    pub(crate) async fn discussion(
        &self,
        name: &str,
        number: u64,
    ) -> Result<Option<Discussion>, SourceError> {
        let fields = format!("discussion(number: $number) {{ {DISCUSSION} }}");
        self.query(name, ", $number: Int!", &fields)
            .variable("number", number)
            .named("discussion")
            .read("/repository/discussion")
            .await
    }

    /// Counts issues, pull requests and, if they are read, discussions. Returns `None` where GraphQL is missing.
    pub(crate) async fn count(
        &self,
        name: &str,
        discussions: bool,
    ) -> Result<Option<u64>, SourceError> {
        let mut fields = "issues { totalCount } pullRequests { totalCount }".to_owned();
        if discussions {
            fields.push_str(" discussions { totalCount }");
        }
        let call = self.query(name, "", &fields).named("count");
        let totals: Option<BTreeMap<String, BTreeMap<String, u64>>> =
            call.read("/repository").await?;
        Ok(totals.map(|totals| totals.values().flat_map(BTreeMap::values).sum()))
    }

    /// Returns the readers of a private repository.
    pub(crate) async fn collaborators(&self, name: &str) -> Result<Vec<User>, SourceError> {
        let call = self.rest.get(in_repo(name, "/collaborators?per_page=100"));
        call.pages(Paging::link_header()).items("").all().await
    }

    /// Returns a person's public address, or else one at a domain that the organisation has verified.
    pub(crate) async fn email(
        &self,
        login: &str,
        organisation: &str,
    ) -> Result<Option<Email>, SourceError> {
        let call = self.rest.get(format!("users/{}", segment(login)));
        let profile: Option<Value> = call.missing_is_none().read().await?;
        let public = profile
            .as_ref()
            .and_then(|profile| profile["email"].as_str());
        if let Some(public) = public.and_then(|email| Email::parse(email).ok()) {
            return Ok(Some(public));
        }
        let query = "query($login: String!, $organisation: String!) { user(login: $login) { \
                     organizationVerifiedDomainEmails(login: $organisation) } }";
        let call = self
            .graphql
            .graphql(query)
            .variable("login", login)
            .variable("organisation", organisation);
        let call = call.named("verified addresses");
        match call
            .read::<Vec<String>>("/user/organizationVerifiedDomainEmails")
            .await
        {
            Ok(emails) => Ok(emails
                .iter()
                .flatten()
                .find_map(|email| Email::parse(email).ok())),
            // The owner is a person, or the token has no access.
            Err(SourceError::Refused { .. } | SourceError::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks for fields of a repository, with variables that are declared like `, $after: String`.
    fn query(&self, repository: &str, variables: &str, fields: &str) -> GraphQl {
        let (owner, name) = repository.split_once('/').unwrap_or(("", repository));
        let query = format!(
            "query($owner: String!, $name: String!{variables}) {{ repository(owner: $owner, name: $name) {{ {fields} }} }}"
        );
        let call = self.graphql.graphql(query);
        call.variable("owner", owner).variable("name", name)
    }
}

/// Returns the path of a resource in a repository.
fn in_repo(name: &str, path: &str) -> String {
    let (owner, name) = name.split_once('/').unwrap_or(("", name));
    format!("repos/{}/{}{path}", segment(owner), segment(name))
}
