//! What a document says about a list: fields that are taken, and questions that it cannot answer for sure.

use super::{
    document::{Document, Field, List},
    paging::{Paging, paging},
    query::query,
    sign_in::{SignIn, auth},
};
use crate::cli::{failure::Failure, new::kind::FIELDS};

/// Names of members that usually hold a field, in the order in which they are taken.
const USUAL: [(&str, &[&str]); 5] = [
    (
        "title",
        &[
            "title",
            "name",
            "subject",
            "summary",
            "headline",
            "display_name",
            "displayName",
            "label",
        ],
    ),
    (
        "text",
        &[
            "text",
            "body",
            "description",
            "content",
            "message",
            "details",
            "notes",
            "summary",
        ],
    ),
    (
        "url",
        &[
            "html_url",
            "web_url",
            "webUrl",
            "htmlUrl",
            "permalink",
            "link",
            "url",
        ],
    ),
    ("status", &["status", "state"]),
    (
        "updated_at",
        &[
            "updated_at",
            "updatedAt",
            "modified_at",
            "modifiedAt",
            "last_modified",
            "lastModified",
            "updated",
            "modified",
        ],
    ),
];
const IDS: [&str; 9] = [
    "id",
    "key",
    "uuid",
    "guid",
    "_id",
    "iid",
    "number",
    "slug",
    "identifier",
];
pub(super) const CHANGES: [&str; 8] = [
    "updated_since",
    "updatedSince",
    "modified_since",
    "modifiedSince",
    "updated_after",
    "updatedAfter",
    "since",
    "changed_since",
];

/// The flags that describe the list.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ListFlags<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) readers: Option<&'a str>,
    pub(super) paging: Option<&'a str>,
    pub(super) next: Option<&'a str>,
    pub(super) since: Option<&'a str>,
    pub(super) query: &'a [String],
    pub(super) auth: Option<&'a str>,
    pub(super) userinfo: Option<&'a str>,
    pub(super) access: Option<&'a str>,
    pub(super) incremental: Option<&'a str>,
}

/// What is made of a list.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    /// The fields beside the id that the item has, each with the member that holds it.
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) id: Result<(String, bool), Question>,
    pub(super) paging: Result<Paging, Question>,
    pub(super) access: Result<Access, Question>,
    pub(super) auth: Result<SignIn, Question>,
    /// What every call of the list sends beside the page.
    pub(super) query: Result<Vec<(String, String)>, Question>,
    /// The parameter that asks for changes.
    pub(super) since: Option<String>,
    /// Whether `POST` on the list takes a title, and maybe a text.
    pub(super) creates: bool,
    /// What a person should look at, though nothing waits for it.
    pub(super) remarks: Vec<String>,
}

/// A question that the author answers, with the flag that does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) asked: String,
    pub(super) flag: &'static str,
}

/// Who may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Access {
    Public,
    /// The member that lists the readers.
    Item(String),
}

pub(super) fn question(asked: impl Into<String>, flag: &'static str) -> Question {
    Question {
        asked: asked.into(),
        flag,
    }
}

impl Plan {
    pub(super) fn of(
        document: &Document,
        list: &List,
        flags: &ListFlags<'_>,
    ) -> Result<Self, Failure> {
        let mut remarks = Vec::new();
        let fields = fields(list);
        let missing = FIELDS
            .iter()
            .filter(|name| !fields.iter().any(|(known, _)| known == *name));
        for name in missing {
            remarks.push(format!(
                "no member looks like the `{name}`, so documents have none"
            ));
        }
        let since = match (flags.incremental, flags.since) {
            (Some("time"), Some(parameter)) => Some(known_parameter(list, "--since", parameter)?),
            (Some("time"), None) => {
                let failure = Failure::usage(
                    "`--incremental time` needs `--since`, the parameter that asks for changes",
                );
                return Err(failure.help(candidates(list, &CHANGES)));
            }
            (Some("token"), _) => {
                let failure = Failure::usage(
                    "`--incremental token` is not made from a document: it does not say which call gives out the token",
                );
                return Err(failure.help("leave it out; every run then reads the whole list"));
            }
            (_, Some(_)) => {
                return Err(Failure::usage("`--since` is for `--incremental time`")
                    .help("add that, or leave it out"));
            }
            _ => None,
        };
        if since.is_some() && !fields.iter().any(|(name, _)| *name == "updated_at") {
            let failure = Failure::usage("no member of the items is the time of the last change");
            return Err(
                failure.help("leave out `--incremental time`; every run then reads the whole list")
            );
        }
        if since.is_none() {
            let found = present(list, &CHANGES);
            if let Some(parameter) = found.first() {
                remarks.push(format!(
                    "`{parameter}` may list changes alone; `--incremental time --since {parameter}` uses it. Try first that it looks at the last change, not at the creation"
                ));
            }
        }
        let posted = document.posted(&list.path);
        let holds = |name: &str| {
            fields
                .iter()
                .any(|(known, member)| *known == name && posted.contains(member))
        };
        let creates = holds("title") && holds("text");
        let paging = paging(list, flags, &mut remarks)?;
        Ok(Self {
            id: id(list, flags.id)?,
            query: query(list, flags, paging.as_ref().ok(), &mut remarks)?,
            paging,
            access: access(list, flags)?,
            auth: auth(document, list, flags),
            creates,
            since,
            fields,
            remarks,
        })
    }

    /// The questions that are open.
    pub(super) fn questions(&self) -> Vec<&Question> {
        [
            self.id.as_ref().err(),
            self.paging.as_ref().err(),
            self.query.as_ref().err(),
            self.access.as_ref().err(),
            self.auth.as_ref().err(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The members that hold the usual fields. One that has two of them is taken for the first.
fn fields(list: &List) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for (field, names) in USUAL {
        let fits = |name: &&&str| {
            let is_free = !found.iter().any(|(_, taken)| taken == **name);
            let of = list.fields.get(**name);
            is_free
                && of.is_some_and(|of| {
                    of.kind == "string" && (field != "updated_at" || of.format == "date-time")
                })
        };
        if let Some(name) = names.iter().find(fits) {
            found.push((field, (*name).to_owned()));
        }
    }
    found
}

fn id(list: &List, named: Option<&str>) -> Result<Result<(String, bool), Question>, Failure> {
    let is_number = |field: &Field| field.kind == "integer";
    let fits = |field: &Field| is_number(field) || field.kind == "string";
    if let Some(name) = named {
        return match list.fields.get(name).filter(|field| fits(field)) {
            Some(field) => Ok(Ok((name.to_owned(), is_number(field)))),
            None => Err(Failure::usage(format!(
                "items of `{}` have no text or whole number `{name}`",
                list.path
            ))
            .help(format!("they have {}", names_of(list)))),
        };
    }
    let found: Vec<_> = IDS
        .iter()
        .filter(|name| list.fields.get(**name).is_some_and(fits))
        .collect();
    let suggested = match found[..] {
        [] => format!("the document has {}", names_of(list)),
        [only] if list.has_item => {
            format!("the document has `{only}`, and `GET {}/{{…}}`", list.path)
        }
        _ => format!(
            "the document has {}",
            listed(found.iter().map(|name| **name))
        ),
    };
    Ok(Err(question(
        format!("which member of an item never changes and is never used again? {suggested}"),
        "--id MEMBER",
    )))
}

fn access(list: &List, flags: &ListFlags<'_>) -> Result<Result<Access, Question>, Failure> {
    match (flags.access, flags.readers) {
        (Some("public"), _) => Ok(Ok(Access::Public)),
        (Some("item"), Some(member)) => {
            let is_list = |field: &&Field| field.kind == "array" && field.of == "string";
            match list.fields.get(member).filter(is_list) {
                Some(_) => Ok(Ok(Access::Item(member.to_owned()))),
                None => Err(Failure::usage(format!(
                    "items of `{}` have no list of texts `{member}`",
                    list.path
                ))
                .help("name a member with the addresses of people, or write `access` by hand")),
            }
        }
        (Some("item"), None) => Err(Failure::usage(
            "`--readers` is missing: the member with the addresses of those who may read",
        )
        .help("name it, or leave out `--access` and write `access` by hand")),
        (Some("groups"), _) => Err(Failure::usage(
            "`--access groups` cannot be read from a document",
        )
        .help("leave it out, and write `access` and the lists of members by hand")),
        _ => {
            let lists = list
                .fields
                .iter()
                .filter(|(_, field)| field.kind == "array" && field.of == "string");
            let lists: Vec<_> = lists.map(|(name, _)| name.as_str()).collect();
            let suggested = if lists.is_empty() {
                "the document has no member with addresses".to_owned()
            } else {
                format!("the document has {}", listed(lists.into_iter()))
            };
            Ok(Err(question(
                format!("who may read an item of `{}`? {suggested}", list.path),
                "--access public, or --access item --readers MEMBER",
            )))
        }
    }
}

pub(super) fn present(list: &List, usual: &[&str]) -> Vec<String> {
    let found = usual
        .iter()
        .filter(|name| list.parameters.contains_key(**name));
    found.map(|name| (*name).to_owned()).collect()
}

pub(super) fn known_parameter(list: &List, flag: &str, name: &str) -> Result<String, Failure> {
    if list.parameters.contains_key(name) {
        return Ok(name.to_owned());
    }
    let failure = Failure::usage(format!(
        "`{flag} {name}`: `GET {}` has no such parameter",
        list.path
    ));
    Err(failure.help(format!(
        "it has {}",
        listed(list.parameters.keys().map(String::as_str))
    )))
}

fn candidates(list: &List, usual: &[&str]) -> String {
    match &present(list, usual)[..] {
        [] => format!(
            "it has {}",
            listed(list.parameters.keys().map(String::as_str))
        ),
        found => format!("it may be {}", listed(found.iter().map(String::as_str))),
    }
}

fn names_of(list: &List) -> String {
    listed(list.fields.keys().map(String::as_str))
}

pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
