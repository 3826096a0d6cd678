//! Makes a connector from an OpenAPI document. What the document does not say for sure is asked, and becomes code that does not
//! compile as long as nobody answers: how a list ends, which parameters it
//! needs to be complete, what identifies an item, who may read it.

mod apply;
mod document;
mod paging;
mod plan;
mod query;
mod report;
mod sign_in;
mod yaml;

use std::path::PathBuf;

use clap::Args;
use omni_connector::SourceType;

use self::{
    document::{Document, List},
    plan::{Access, ListFlags, Plan},
    sign_in::SignIn,
};
use super::{
    names::Names,
    template::{self, Written},
};
use crate::cli::failure::Failure;

/// Lists that are offered when none is named.
const OFFERED: usize = 12;

/// What is made of a document.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct FromDocument {
    /// Make it from an OpenAPI document in JSON or YAML
    #[arg(long, value_name = "FILE", conflicts_with_all = ["command", "url"])]
    pub(super) from: Option<PathBuf>,
    /// With `--from`: the path of the list that is read, such as `/issues`
    #[arg(long, value_name = "PATH", requires = "from")]
    list: Option<String>,
    /// With `--from`: the member of an item that identifies it
    #[arg(long, value_name = "MEMBER", requires = "from")]
    id: Option<String>,
    /// With `--from`: the member of an item with the addresses of those who may read it
    #[arg(long, value_name = "MEMBER", requires = "from")]
    readers: Option<String>,
    /// With `--from`: where the token or the URL of the next page is in an answer, such as `/meta/next`
    #[arg(long, value_name = "POINTER", requires = "from")]
    next: Option<String>,
    /// With `--from`: the parameter that asks for changes at or after a time
    #[arg(long, value_name = "PARAMETER", requires = "from")]
    since: Option<String>,
    /// With `--from`: a parameter that every call of the list sends, such as `state=all`; may be given several times
    #[arg(long, value_name = "PARAMETER=VALUE", requires = "from")]
    query: Vec<String>,
    /// With `--from` and `--auth oauth`: the address that says who signed in
    #[arg(long, value_name = "URL", requires = "from")]
    userinfo: Option<String>,
}

/// The other flags, as far as they were given.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Flags<'a> {
    pub(super) auth: Option<&'a str>,
    pub(super) paging: Option<&'a str>,
    pub(super) incremental: Option<&'a str>,
    pub(super) access: Option<&'a str>,
}

/// A document, and the list that was chosen.
pub(super) struct Chosen {
    document: Document,
    list: List,
    plan: Plan,
    /// Lists and other `GET`s that were left out, with the reason.
    left_out: Vec<(String, String)>,
}

impl FromDocument {
    /// Reads the document; none when nobody named one.
    pub(super) fn choose(&self, flags: &Flags<'_>) -> Result<Option<Chosen>, Failure> {
        let Some(path) = &self.from else {
            return Ok(None);
        };
        let document = Document::read(path)?;
        let (lists, others) = document.lists();
        let list = chosen(&lists, self.list.as_deref())?.clone();
        let flags = ListFlags {
            id: self.id.as_deref(),
            readers: self.readers.as_deref(),
            next: self.next.as_deref(),
            since: self.since.as_deref(),
            query: &self.query,
            userinfo: self.userinfo.as_deref(),
            paging: flags.paging,
            auth: flags.auth,
            access: flags.access,
            incremental: flags.incremental,
        };
        let plan = Plan::of(&document, &list, &flags)?;
        let rest = lists.iter().filter(|other| other.path != list.path);
        let rest = rest.map(|other| (other.path.clone(), "another list was chosen".to_owned()));
        let others = others.into_iter().map(|(path, why)| (path, why.to_owned()));
        Ok(Some(Chosen {
            left_out: rest.chain(others).collect(),
            document,
            list,
            plan,
        }))
    }
}

/// The list that is meant: the named one, or the only one.
fn chosen<'a>(lists: &'a [List], named: Option<&str>) -> Result<&'a List, Failure> {
    let offered = || {
        let mut lists: Vec<_> = lists.iter().collect();
        // Those with more usual members and with single items are more likely documents.
        lists.sort_by_key(|list| std::cmp::Reverse((list.has_item, list.fields.len())));
        let paths: Vec<_> = lists
            .iter()
            .take(OFFERED)
            .map(|list| format!("`{}`", list.path))
            .collect();
        let more = lists.len().saturating_sub(OFFERED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!("name one with `--list`: {}{more}", paths.join(", "))
    };
    match (named, lists) {
        (_, []) => Err(Failure::usage(
            "the document has no `GET` that answers with a list of objects",
        )
        .help("make the connector without `--from`, and write its calls in `src/api.rs`")),
        (None, [only]) => Ok(only),
        (None, _) => {
            Err(Failure::usage(format!("the document has {} lists", lists.len())).help(offered()))
        }
        (Some(named), _) => {
            let path = format!("/{}", named.trim_start_matches('/'));
            let found = lists.iter().find(|list| list.path == path);
            found.ok_or_else(|| {
                Failure::usage(format!("the document has no list `{path}`")).help(offered())
            })
        }
    }
}

impl Chosen {
    /// The questions that are open, each with the flag that answers it.
    pub(super) fn questions(&self) -> Vec<String> {
        let questions = self.plan.questions().into_iter();
        questions
            .map(|question| format!("{} ({})", question.asked, question.flag))
            .collect()
    }

    /// What the list has many of, by the end of its path: `ticket` of `/v2/tickets`.
    pub(super) fn item(&self) -> Option<String> {
        let last = self.list.path.rsplit('/').next()?;
        let item = match last.strip_suffix("ies") {
            Some(stem) => format!("{stem}y"),
            None => last.strip_suffix('s')?.to_owned(),
        };
        Names::new("acme", SourceType::Jira, Some(&item)).ok()?;
        Some(item)
    }

    /// The files of the connector.
    pub(super) fn render(&self, names: &Names) -> Vec<Written> {
        let plan = &self.plan;
        let auth = match &plan.auth {
            Ok(SignIn::Bearer) => "bearer",
            Ok(SignIn::Basic) => "basic",
            Ok(SignIn::OAuth(_)) => "oauth",
            Ok(SignIn::None) => "none",
            _ => "key",
        };
        let access = match &plan.access {
            Ok(Access::Item(_)) => "item",
            _ => "public",
        };
        let mut choice = vec![
            ("kind", "rest"),
            ("auth", auth),
            // Replaced below.
            ("paging", "token"),
            (
                "incremental",
                if plan.since.is_some() { "time" } else { "none" },
            ),
            ("access", access),
        ];
        choice.extend(plan.fields.iter().map(|(name, _)| ("field", *name)));
        choice.extend(plan.creates.then_some(("action", "create")));
        let mut files = template::REST.render(&choice, names);
        for file in &mut files {
            for (old, new) in self.replacements(&file.path, names) {
                file.text = file.text.replace(&old, &new);
            }
        }
        files
    }
}
