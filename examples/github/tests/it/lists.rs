//! What the fake GitHub answers without a fault: lists in pages, single things, and GraphQL.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::STANDARD};
use omni_connector::prelude::*;

use crate::world::{Repo, World, user};

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
}

pub(crate) fn reply(body: Value) -> Reply {
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

pub(crate) fn rest(
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

pub(crate) fn graphql(world: &World, asked: &Value) -> Reply {
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
