//! What is at the fake GitHub: repositories, issues, comments, discussions and people, with a clock, and their changes.

use std::collections::BTreeMap;

use omni_connector::prelude::*;

use crate::fake::Plan;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) repos: Vec<Repo>,
    pub(crate) emails: BTreeMap<String, Option<String>>,
    pub(crate) verified: BTreeMap<String, String>,
    /// Old names, and the number of the repository that had each.
    pub(crate) renamed: BTreeMap<String, u64>,
    pub(crate) per_page: Option<usize>,
    /// A repository that the next list of repositories lacks.
    pub(crate) hidden: Option<String>,
    /// Method, path and query of every request.
    pub(crate) log: Vec<String>,
    /// Every request's `Authorization`.
    pub(crate) tokens: Vec<String>,
    pub(crate) plan: Option<Plan>,
    pub(crate) seconds: i64,
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

/// 2026-01-01, and some seconds.
fn time(seconds: i64) -> String {
    let start = OffsetDateTime::from_unix_timestamp(1_767_225_600 + seconds).unwrap();
    serde_json::from_value::<String>(serde_json::to_value(Timestamp(start)).unwrap()).unwrap()
}

pub(crate) fn user(login: &str) -> Value {
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
    pub(crate) fn shown(&self, base: &str) -> Value {
        let (owner, short) = self.name.split_once('/').unwrap();
        json!({
            "id": self.id, "name": short, "full_name": self.name, "owner": user(owner), "private": self.private, "fork": self.fork,
            "html_url": format!("https://github.com/{}", self.name), "url": format!("{base}/repos/{}", self.name),
            "description": "Tea.", "language": "Rust", "topics": ["hot drinks", "tea"], "archived": false,
            "has_discussions": true, "created_at": time(0), "updated_at": time(self.changed), "pushed_at": time(self.changed),
        })
    }
}
