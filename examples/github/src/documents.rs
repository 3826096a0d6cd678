//! GitHub's records, and the documents made from them.

use omni_connector::{
    prelude::*,
    wire::{AttributeValue, ValueType},
};

/// The length limit of texts in bytes, and the limit of comments.
const LONGEST: usize = 100_000;
pub(crate) const MOST_COMMENTS: usize = 100;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct User {
    pub(crate) login: String,
}

/// A repository in a list.
#[allow(clippy::struct_excessive_bools, reason = "they are GitHub's")]
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Repository {
    pub(crate) id: u64,
    pub(crate) full_name: String,
    pub(crate) private: bool,
    pub(crate) html_url: String,
    #[serde(default)]
    pub(crate) fork: bool,
    #[serde(default)]
    pub(crate) has_discussions: bool,
    pub(crate) language: Option<String>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    topics: Option<Vec<String>>,
    description: Option<String>,
    owner: Option<User>,
    created_at: Option<Timestamp>,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) pushed_at: Option<Timestamp>,
}

/// An issue or a pull request: GitHub lists them together.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Item {
    pub(crate) number: u64,
    pub(crate) state: String,
    pub(crate) html_url: String,
    pub(crate) updated_at: Timestamp,
    #[serde(default)]
    pub(crate) comments: u64,
    pub(crate) labels: Vec<Label>,
    #[serde(default)]
    pub(crate) assignees: Option<Vec<User>>,
    title: String,
    body: Option<String>,
    user: Option<User>,
    milestone: Option<Milestone>,
    draft: Option<bool>,
    pull_request: Option<PullRequest>,
    created_at: Timestamp,
    #[serde(default)]
    repository_url: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Label {
    Name(String),
    Label { name: Option<String> },
}

impl Label {
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Label { name } => name.as_deref(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Milestone {
    title: String,
}

#[derive(Debug, Clone, Deserialize)]
struct PullRequest {
    merged_at: Option<String>,
}

/// A comment on an item, or on a line of its changes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Comment {
    body: Option<String>,
    #[serde(alias = "author")]
    user: Option<User>,
    path: Option<String>,
    #[serde(alias = "pull_request_url")]
    issue_url: Option<String>,
}

impl Comment {
    /// Returns the number of its item.
    pub(crate) fn number(&self) -> Option<u64> {
        self.issue_url.as_deref()?.rsplit('/').next()?.parse().ok()
    }

    pub(crate) fn text(&self) -> Option<String> {
        let body = self
            .body
            .as_deref()
            .filter(|body| !body.trim().is_empty())?;
        Some(match &self.path {
            Some(path) => format!("{} on {path}:\n{body}", login(self.user.as_ref())),
            None => format!("{}:\n{body}", login(self.user.as_ref())),
        })
    }
}

/// A discussion, as GraphQL returns it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Discussion {
    pub(crate) number: u64,
    pub(crate) url: String,
    pub(crate) updated_at: Timestamp,
    title: String,
    body: Option<String>,
    created_at: Timestamp,
    answer_chosen_at: Option<Timestamp>,
    author: Option<User>,
    category: Option<Category>,
    comments: Comments,
}

#[derive(Debug, Clone, Deserialize)]
struct Category {
    name: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Comments {
    nodes: Vec<Comment>,
}

/// A person's login at GitHub, for an operator about people.
pub(crate) struct Login(pub(crate) String);

impl AttributeValue for Login {
    const VALUE_TYPE: ValueType = ValueType::Person;

    fn schema() -> Value {
        json!({ "type": "string" })
    }

    fn to_attribute(self) -> Option<Value> {
        (!self.0.is_empty()).then(|| self.0.into())
    }
}

/// Returns a person's login. A deleted account is a ghost, as on GitHub's pages.
fn login(user: Option<&User>) -> &str {
    user.map_or("ghost", |user| &user.login)
}

/// Joins a head, a body and comments, each cut to its limit.
fn text(head: &[String], body: Option<&str>, comments: &[String]) -> String {
    let mut text = head
        .iter()
        .filter(|line| !line.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    for part in body
        .into_iter()
        .chain(comments.iter().take(MOST_COMMENTS).map(String::as_str))
    {
        if text.len() > LONGEST {
            break;
        }
        text.push_str("\n\n");
        text.push_str(part);
    }
    text.truncate(text.floor_char_boundary(LONGEST));
    text
}

impl Repository {
    pub(crate) fn document_id(&self) -> String {
        format!("github:repo:{}", self.full_name)
    }

    pub(crate) fn owner(&self) -> &str {
        self.full_name.split('/').next().unwrap_or_default()
    }

    pub(crate) fn document(&self, readers: Access, readme: Option<&str>) -> Document<'_> {
        let topics = self.topics.as_deref().unwrap_or_default();
        let head = [
            self.full_name.clone(),
            self.description.clone().unwrap_or_default(),
            self.language
                .as_ref()
                .map(|language| format!("Language: {language}"))
                .unwrap_or_default(),
            if topics.is_empty() {
                String::new()
            } else {
                format!("Topics: {}", topics.join(", "))
            },
        ];
        let visibility = if self.private { "private" } else { "public" };
        document(
            self.document_id(),
            readers,
            &self.full_name,
            &self.html_url,
            "repository",
        )
        .text(text(&head, readme, &[]))
        .author(login(self.owner.as_ref()))
        .created_at(self.created_at.map(|it| it.0))
        .updated_at(self.updated_at.map(|it| it.0))
        .attribute("visibility", visibility)
        .attribute("archived", self.archived.to_string())
        .attribute("topics", topics)
        .attributes_of(self)
    }
}

impl Item {
    pub(crate) const fn is_pull_request(&self) -> bool {
        self.pull_request.is_some()
    }

    /// Returns whether an item belongs to this repository. A moved item belongs to another one.
    pub(crate) fn is_in(&self, name: &str) -> bool {
        let path = format!("/repos/{name}").to_ascii_lowercase();
        self.repository_url.is_empty() || self.repository_url.to_ascii_lowercase().ends_with(&path)
    }

    pub(crate) fn document_id(&self, name: &str) -> String {
        let kind = if self.is_pull_request() {
            "pr"
        } else {
            "issue"
        };
        format!("github:{kind}:{name}#{}", self.number)
    }

    pub(crate) fn document(
        &self,
        name: &str,
        readers: Access,
        comments: &[String],
    ) -> Document<'_> {
        let (kind, named) = if self.is_pull_request() {
            ("pr", "PR")
        } else {
            ("issue", "Issue")
        };
        let merged = self.pull_request.as_ref().map(|it| it.merged_at.is_some());
        let head = [
            format!("{named} #{}: {}", self.number, self.title),
            format!("State: {}", self.state),
            format!("Author: {}", login(self.user.as_ref())),
            merged
                .map(|merged| format!("Merged: {merged}"))
                .unwrap_or_default(),
        ];
        let title = format!("[{name}] {named} #{}: {}", self.number, self.title);
        document(
            self.document_id(name),
            readers,
            &title,
            &self.html_url,
            kind,
        )
        .text(text(&head, self.body.as_deref(), comments))
        .author(login(self.user.as_ref()))
        .created_at(self.created_at.0)
        .updated_at(self.updated_at.0)
        .attribute("milestone", self.milestone.as_ref().map(|it| &it.title))
        .attribute("merged", merged.map(|it| it.to_string()))
        .attribute(
            "draft",
            merged.map(|_| self.draft.unwrap_or_default().to_string()),
        )
        .attributes_of(self)
    }
}

impl Discussion {
    pub(crate) fn document_id(&self, name: &str) -> String {
        format!("github:discussion:{name}#{}", self.number)
    }

    pub(crate) fn document(&self, name: &str, readers: Access) -> Document<'_> {
        let head = [
            format!("Discussion #{}: {}", self.number, self.title),
            format!("Author: {}", login(self.author.as_ref())),
        ];
        let comments: Vec<_> = self
            .comments
            .nodes
            .iter()
            .filter_map(Comment::text)
            .collect();
        let title = format!("[{name}] Discussion #{}: {}", self.number, self.title);
        document(
            self.document_id(name),
            readers,
            &title,
            &self.url,
            "discussion",
        )
        .text(text(&head, self.body.as_deref(), &comments))
        .author(login(self.author.as_ref()))
        .created_at(self.created_at.0)
        .updated_at(self.updated_at.0)
        .attribute("category", self.category.as_ref().map(|it| &it.name))
        .attribute("answered", self.answer_chosen_at.is_some().to_string())
    }
}

fn document<'item>(
    id: String,
    readers: Access,
    title: &str,
    url: &str,
    kind: &str,
) -> Document<'item> {
    Document::new(id, readers)
        .title(title)
        .url(url)
        .content_type(kind)
        .mime_type("text/plain")
        .attribute("source_type", "github")
}
