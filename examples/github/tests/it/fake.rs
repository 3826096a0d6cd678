//! A GitHub that is small and has a state: repositories, issues, comments, discussions and people, with pages, a clock, renames,
//! refusals and faults.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode, Uri},
    routing::any,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use omni_connector::prelude::*;
use tokio::net::TcpListener;

pub(crate) const TOKEN: &str = "ghp_secret";

/// What a fault does to a request.
#[derive(Clone)]
pub(crate) enum Fault {
    Status(u16, &'static [(&'static str, &'static str)], &'static str),
    Html,
    /// The answer breaks off in the middle.
    Cut,
    GraphqlError(&'static str),
}

/// Sees every request, may change the world, and decides what becomes of the answer.
type Plan = Box<dyn FnMut(&str, &mut World) -> Option<Fault> + Send>;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) repos: Vec<Repo>,
    pub(crate) emails: BTreeMap<String, Option<String>>,
    pub(crate) verified: BTreeMap<String, String>,
    /// Old names, and the number of the repository that had each.
    renamed: BTreeMap<String, u64>,
    pub(crate) per_page: Option<usize>,
    /// A repository that the next list of repositories lacks.
    pub(crate) hidden: Option<String>,
    /// Method, path and query of every request.
    pub(crate) log: Vec<String>,
    /// Every request's `Authorization`.
    pub(crate) tokens: Vec<String>,
    pub(crate) plan: Option<Plan>,
    seconds: i64,
}

#[derive(Default)]
pub(crate) struct Repo {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) private: bool,
    pub(crate) fork: bool,
    pub(crate) readme: Option<String>,
    pub(crate) issues: BTreeMap<u64, Value>,
    /// Comments on issues, and on the changes of pull requests.
    pub(crate) comments: [Vec<Value>; 2],
    pub(crate) discussions: BTreeMap<u64, Value>,
    /// None where the token may not ask.
    pub(crate) collaborators: Option<Vec<String>>,
    changed: i64,
}

#[derive(Clone)]
pub(crate) struct Fake {
    world: Arc<Mutex<World>>,
    pub(crate) url: String,
}

/// 2026-01-01, and some seconds.
fn time(seconds: i64) -> String {
    let start = OffsetDateTime::from_unix_timestamp(1_767_225_600 + seconds).unwrap();
    serde_json::from_value::<String>(serde_json::to_value(Timestamp(start)).unwrap()).unwrap()
}

fn user(login: &str) -> Value {
    json!({ "login": login, "id": 7, "html_url": format!("https://github.com/{login}") })
}

impl World {
    /// Two minutes go by, which is more than a list may lag behind.
    pub(crate) fn tick(&mut self) -> i64 {
        self.seconds += 120;
        self.seconds
    }

    pub(crate) fn repo(&mut self, name: &str) -> &mut Repo {
        self.repos
            .iter_mut()
            .find(|repo| repo.name == name)
            .unwrap()
    }

    pub(crate) fn add(&mut self, name: &str) -> &mut Repo {
        let id = 1_000 + self.repos.len() as u64;
        let changed = self.tick();
        let collaborators = Some(vec!["ann".to_owned(), "bo".to_owned()]);
        self.repos.push(Repo {
            id,
            name: name.to_owned(),
            changed,
            collaborators,
            ..Repo::default()
        });
        self.repo(name)
    }

    /// An issue, or a pull request where `pull_request` is not null.
    pub(crate) fn issue(&mut self, repo: &str, number: u64, title: &str, pull_request: Value) {
        let at = time(self.tick());
        let mut issue = json!({
            "id": number, "number": number, "title": title, "body": format!("Body of {title}."), "state": "open",
            "html_url": format!("https://github.com/{repo}/issues/{number}"), "user": user("ann"),
            "labels": [{ "id": 1, "name": "Good first issue" }, { "name": "ui" }], "assignees": [user("bo"), user("ann")],
            "assignee": user("bo"), "milestone": { "title": "1.0" }, "comments": 0, "created_at": at, "updated_at": at,
        });
        if !pull_request.is_null() {
            issue["draft"] = true.into();
            issue["pull_request"] = pull_request;
        }
        self.repo(repo).issues.insert(number, issue);
    }

    pub(crate) fn touch(&mut self, repo: &str, number: u64, change: impl FnOnce(&mut Value)) {
        let at = time(self.tick());
        let issue = self.repo(repo).issues.get_mut(&number).unwrap();
        issue["updated_at"] = at.into();
        change(issue);
    }

    /// A comment on an issue, or on a file of a pull request.
    pub(crate) fn comment(&mut self, repo: &str, number: u64, body: &str, path: Option<&str>) {
        let at = time(self.tick());
        let (list, key) = if path.is_some() {
            (1, "pull_request_url")
        } else {
            (0, "issue_url")
        };
        let comment = json!({
            "body": body, "user": user("bo"), "path": path, key: format!("/repos/{repo}/issues/{number}"),
            "updated_at": at, "created_at": at, "number": number,
        });
        let repo = self.repo(repo);
        repo.comments[list].push(comment);
        let issue = repo.issues.get_mut(&number).unwrap();
        issue["updated_at"] = at.into();
        if list == 0 {
            issue["comments"] = (issue["comments"].as_u64().unwrap() + 1).into();
        }
    }

    /// A comment is edited, and nobody touches its issue.
    pub(crate) fn edit_comment(&mut self, repo: &str, body: &str) {
        let at = time(self.tick());
        let comment = self.repo(repo).comments[0].last_mut().unwrap();
        comment["body"] = body.into();
        comment["updated_at"] = at.into();
    }

    pub(crate) fn discussion(&mut self, repo: &str, number: u64, title: &str) {
        let at = time(self.tick());
        let discussion = json!({
            "number": number, "title": title, "body": "What do you think?", "url": format!("https://github.com/{repo}/discussions/{number}"),
            "createdAt": at, "updatedAt": at, "answerChosenAt": at, "author": null, "category": { "name": "Q&A" },
            "comments": { "nodes": [{ "body": "Not much.", "author": { "login": "bo" } }] },
        });
        self.repo(repo).discussions.insert(number, discussion);
    }

    pub(crate) fn rename(&mut self, old: &str, new: &str) {
        let at = self.tick();
        let repo = self.repo(old);
        new.clone_into(&mut repo.name);
        repo.changed = at;
        let id = repo.id;
        self.renamed.insert(old.to_owned(), id);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.repos.retain(|repo| repo.name != name);
    }
}

impl Repo {
    fn shown(&self, base: &str) -> Value {
        let (owner, short) = self.name.split_once('/').unwrap();
        json!({
            "id": self.id, "name": short, "full_name": self.name, "owner": user(owner), "private": self.private, "fork": self.fork,
            "html_url": format!("https://github.com/{}", self.name), "url": format!("{base}/repos/{}", self.name),
            "description": "Tea.", "language": "Rust", "topics": ["hot drinks", "tea"], "archived": false,
            "has_discussions": true, "created_at": time(0), "updated_at": time(self.changed), "pushed_at": time(self.changed),
        })
    }
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v3", listener.local_addr().unwrap());
        let fake = Self {
            world: Arc::default(),
            url,
        };
        fake.world().emails = BTreeMap::from([
            ("ann".to_owned(), Some("Ann@Example.com".to_owned())),
            ("bo".to_owned(), None),
        ]);
        fake.world()
            .verified
            .insert("bo".to_owned(), "bo@acme.example".to_owned());
        let app = Router::new().fallback(any(answer)).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        fake
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The requests since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.world().log)
    }

    pub(crate) fn fail(
        &self,
        plan: impl FnMut(&str, &mut World) -> Option<Fault> + Send + 'static,
    ) {
        self.world().plan = Some(Box::new(plan));
    }

    pub(crate) fn works_again(&self) {
        self.world().plan = None;
    }
}

struct Reply {
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

fn reply(body: Value) -> Reply {
    Reply {
        status: StatusCode::OK,
        headers: Vec::new(),
        body,
    }
}

fn missing() -> Reply {
    let body = json!({ "message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404" });
    Reply {
        status: StatusCode::NOT_FOUND,
        ..reply(body)
    }
}

/// A page of a list, with a link to the next one.
fn page(
    world: &World,
    url: &str,
    mut items: Vec<Value>,
    query: &BTreeMap<String, String>,
) -> Reply {
    if query.get("sort").is_some_and(|sort| sort == "updated") {
        items.sort_by_key(|item| item["updated_at"].as_str().unwrap().to_owned());
        if let Some(since) = query.get("since") {
            items.retain(|item| item["updated_at"].as_str().unwrap() >= since.as_str());
        }
    }
    if query
        .get("direction")
        .is_some_and(|direction| direction == "desc")
    {
        items.reverse();
    }
    let asked = query
        .get("per_page")
        .map_or(30, |size| size.parse().unwrap());
    let size = world.per_page.unwrap_or(asked).min(asked).min(100);
    let number: usize = query.get("page").map_or(1, |page| page.parse().unwrap());
    let has_next = items.len() > number * size;
    let items: Vec<_> = items
        .into_iter()
        .skip((number - 1) * size)
        .take(size)
        .collect();
    let mut reply = reply(items.into());
    if has_next {
        let mut query = query.clone();
        query.insert("page".to_owned(), (number + 1).to_string());
        let query: Vec<_> = query
            .iter()
            .map(|(key, value)| format!("{key}={}", value.replace(':', "%3A")))
            .collect();
        let link = format!(
            "<{url}?{}>; rel=\"next\", <{url}?page=1>; rel=\"first\"",
            query.join("&")
        );
        reply.headers.push(("link", link));
    }
    reply
}

async fn answer(
    State(fake): State<Fake>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut world = fake.world();
    let path = uri
        .path()
        .trim_start_matches("/api")
        .trim_start_matches("/v3")
        .to_owned();
    let query = uri.query().unwrap_or_default();
    let entry = if path == "/graphql" {
        let asked: Value = serde_json::from_slice(&body).unwrap();
        format!(
            "graphql {} {}",
            asked["variables"],
            asked["query"].as_str().unwrap()
        )
    } else {
        format!("{path}?{query}")
    };
    world.log.push(entry.clone());
    let token = headers
        .get("authorization")
        .map_or("", |it| it.to_str().unwrap());
    world.tokens.push(token.to_owned());
    let mut plan = world.plan.take();
    let fault = plan.as_mut().and_then(|plan| plan(&entry, &mut world));
    if world.plan.is_none() {
        world.plan = plan;
    }
    let date = OffsetDateTime::from_unix_timestamp(1_767_225_600 + world.seconds).unwrap();
    let date = date
        .format(&time::format_description::well_known::Rfc2822)
        .unwrap()
        .replace("+0000", "GMT");
    let mut response = Response::builder()
        .header("date", date)
        .header("content-type", "application/json; charset=utf-8");
    let Reply {
        mut status,
        headers: more,
        body: mut found,
    } = if token != format!("Bearer {TOKEN}") {
        Reply {
            status: StatusCode::UNAUTHORIZED,
            ..reply(json!({ "message": "Bad credentials" }))
        }
    } else if path == "/graphql" {
        graphql(&world, &serde_json::from_slice(&body).unwrap())
    } else {
        let url = format!("{}{path}", fake.url);
        let query = Url::parse(&format!("http://fake/?{query}"))
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect();
        rest(&world, &fake.url, &url, &path, &query)
    };
    if path == "/user/repos"
        && let Some(hidden) = world.hidden.take()
    {
        found
            .as_array_mut()
            .unwrap()
            .retain(|repo| repo["full_name"] != *hidden);
    }
    for (name, value) in more {
        response = response.header(name, value);
    }
    let mut bytes = found.to_string().into_bytes();
    match fault {
        None => {}
        Some(Fault::Status(code, headers, message)) => {
            status = StatusCode::from_u16(code).unwrap();
            found = json!({ "message": message });
            bytes = found.to_string().into_bytes();
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
        }
        Some(Fault::Html) => {
            bytes = b"<html><title>Unicorn!</title></html>".to_vec();
            response = Response::builder().header("content-type", "text/html");
        }
        Some(Fault::Cut) => bytes.truncate(bytes.len() / 2),
        Some(Fault::GraphqlError(kind)) => {
            bytes = json!({ "data": { "repository": null }, "errors": [{ "type": kind, "message": "Something went wrong" }] })
                .to_string()
                .into_bytes();
        }
    }
    response.status(status).body(bytes.into()).unwrap()
}

fn rest(
    world: &World,
    base: &str,
    url: &str,
    path: &str,
    query: &BTreeMap<String, String>,
) -> Reply {
    let path: Vec<_> = path.trim_matches('/').split('/').collect();
    let shown = |wanted: &dyn Fn(&&Repo) -> bool| {
        world
            .repos
            .iter()
            .filter(wanted)
            .map(|it| it.shown(base))
            .collect()
    };
    match *path.as_slice() {
        ["user"] => reply(user("ann")),
        ["user", "repos"] => page(world, url, shown(&|_| true), query),
        ["users" | "orgs", owner, "repos"] => {
            let prefix = format!("{owner}/");
            page(
                world,
                url,
                shown(&|repo| repo.name.starts_with(&prefix)),
                query,
            )
        }
        ["users", login] => match world.emails.get(login) {
            Some(email) => reply(json!({ "login": login, "email": email })),
            None => missing(),
        },
        ["repositories", id] => match world.repos.iter().find(|repo| repo.id.to_string() == id) {
            Some(repo) => reply(repo.shown(base)),
            None => missing(),
        },
        ["repos", owner, name, ref rest @ ..] => {
            let full = format!("{owner}/{name}");
            match (
                world.repos.iter().find(|repo| repo.name == full),
                world.renamed.get(&full),
            ) {
                (Some(repo), _) => in_repo(world, base, url, repo, rest, query),
                (None, Some(id)) => {
                    let location = format!("{base}/repositories/{id}");
                    let headers = vec![("location", location)];
                    Reply {
                        status: StatusCode::MOVED_PERMANENTLY,
                        headers,
                        ..missing()
                    }
                }
                (None, None) => missing(),
            }
        }
        _ => missing(),
    }
}

fn in_repo(
    world: &World,
    base: &str,
    url: &str,
    repo: &Repo,
    path: &[&str],
    query: &BTreeMap<String, String>,
) -> Reply {
    let with_url = |issue: &Value| {
        let mut issue = issue.clone();
        issue["repository_url"] = format!("{base}/repos/{}", repo.name).into();
        issue
    };
    let of = |list: usize, number: &str| {
        let of_number =
            |comment: &&Value| comment["number"] == number.parse::<u64>().unwrap_or_default();
        repo.comments[list]
            .iter()
            .filter(of_number)
            .cloned()
            .collect::<Vec<_>>()
    };
    match *path {
        [] => reply(repo.shown(base)),
        ["readme"] => repo.readme.as_ref().map_or_else(missing, |it| {
            let mut content = STANDARD.encode(it);
            content.insert(8, '\n');
            reply(json!({ "content": content, "encoding": "base64", "path": "README.md" }))
        }),
        ["issues"] => page(
            world,
            url,
            repo.issues.values().map(with_url).collect(),
            query,
        ),
        ["issues", "comments"] => page(world, url, repo.comments[0].clone(), query),
        ["pulls", "comments"] => page(world, url, repo.comments[1].clone(), query),
        ["issues", number, "comments"] => page(world, url, of(0, number), query),
        ["pulls", number, "comments"] => page(world, url, of(1, number), query),
        ["issues", number] => match number
            .parse()
            .ok()
            .and_then(|number: u64| repo.issues.get(&number))
        {
            Some(issue) => reply(with_url(issue)),
            None => Reply {
                status: StatusCode::GONE,
                ..reply(json!({ "message": "This issue was deleted" }))
            },
        },
        ["collaborators"] => match &repo.collaborators {
            Some(people) => page(
                world,
                url,
                people.iter().map(|it| user(it)).collect(),
                query,
            ),
            None => Reply {
                status: StatusCode::FORBIDDEN,
                ..reply(json!({ "message": "Must have push access" }))
            },
        },
        _ => missing(),
    }
}

fn graphql(world: &World, asked: &Value) -> Reply {
    let (query, variables) = (asked["query"].as_str().unwrap(), &asked["variables"]);
    let not_found = || {
        reply(
            json!({ "data": null, "errors": [{ "type": "NOT_FOUND", "message": "Could not resolve" }] }),
        )
    };
    if query.contains("organizationVerifiedDomainEmails") {
        let email = world.verified.get(variables["login"].as_str().unwrap());
        return reply(
            json!({ "data": { "user": { "organizationVerifiedDomainEmails": email.into_iter().collect::<Vec<_>>() } } }),
        );
    }
    let name = format!(
        "{}/{}",
        variables["owner"].as_str().unwrap(),
        variables["name"].as_str().unwrap()
    );
    let Some(repo) = world.repos.iter().find(|repo| repo.name == name) else {
        return not_found();
    };
    if query.contains("totalCount") {
        let pull_requests = repo
            .issues
            .values()
            .filter(|it| it.get("pull_request").is_some())
            .count();
        let mut counts = json!({
            "issues": { "totalCount": repo.issues.len() - pull_requests }, "pullRequests": { "totalCount": pull_requests },
        });
        if query.contains("discussions") {
            counts["discussions"] = json!({ "totalCount": repo.discussions.len() });
        }
        return reply(json!({ "data": { "repository": counts } }));
    }
    if let Some(number) = variables["number"].as_u64() {
        return match repo.discussions.get(&number) {
            Some(found) => reply(json!({ "data": { "repository": { "discussion": found } } })),
            None => not_found(),
        };
    }
    let mut found: Vec<_> = repo.discussions.values().cloned().collect();
    found.sort_by_key(|it| it["updatedAt"].as_str().unwrap().to_owned());
    if query.contains("DESC") {
        found.reverse();
    }
    let start: usize = variables["after"]
        .as_str()
        .map_or(0, |after| after.parse().unwrap());
    let size = world.per_page.unwrap_or(50);
    let has_next = found.len() > start + size;
    let nodes: Vec<_> = found.into_iter().skip(start).take(size).collect();
    let info = json!({ "hasNextPage": has_next, "endCursor": (start + size).to_string() });
    reply(
        json!({ "data": { "repository": { "discussions": { "pageInfo": info, "nodes": nodes } } } }),
    )
}
