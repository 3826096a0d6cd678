//! Readers of a document, and why a person sees it or does not (`protocol.md` §4.7).

use omni_connector::DocumentPermissions;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::store::{StoreError, documents::StoredDocument, people, review};

/// The readers of one document.
#[derive(Debug, Serialize)]
pub(crate) struct Access {
    pub(crate) public: bool,
    /// Addresses of single users.
    pub(crate) users: Vec<String>,
    pub(crate) groups: Vec<ReadingGroup>,
    /// Whether nobody can see it.
    pub(crate) is_hidden: bool,
    /// The result for the requested person.
    pub(crate) verdict: Option<Verdict>,
}

/// A group that a document names.
#[derive(Debug, Serialize)]
pub(crate) struct ReadingGroup {
    pub(crate) name: String,
    /// None if no source has sent the group, which then admits nobody.
    pub(crate) members: Option<Vec<String>>,
    /// Whether it is a domain, which admits every address in it.
    pub(crate) is_domain: bool,
}

/// Whether one person sees the document.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) email: String,
    pub(crate) sees: bool,
    pub(crate) reason: String,
}

impl Access {
    /// Reads the permissions of a document.
    pub(crate) fn read(
        db: &Connection,
        document: &StoredDocument,
        viewer: Option<&str>,
    ) -> Result<Self, StoreError> {
        let permissions = document.permissions.as_ref();
        let permissions =
            permissions.and_then(|value| DocumentPermissions::deserialize(value).ok());
        let is_readable = permissions.is_some();
        let DocumentPermissions {
            public,
            users,
            groups,
        } = permissions.unwrap_or_else(|| DocumentPermissions {
            public: false,
            users: Vec::new(),
            groups: Vec::new(),
        });
        let groups = groups
            .into_iter()
            .map(|name| {
                let members = review::members(db, &name)?;
                let is_domain = !name.contains('@') && name.contains('.');
                Ok(ReadingGroup {
                    name,
                    members,
                    is_domain,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let mut access = Self {
            is_hidden: !is_readable || (!public && users.is_empty() && groups.is_empty()),
            public,
            users,
            groups,
            verdict: None,
        };
        access.verdict = match viewer {
            Some(viewer) => Some(access.judge(db, &people::identity(viewer))?),
            None => None,
        };
        Ok(access)
    }

    fn judge(&self, db: &Connection, email: &str) -> Result<Verdict, StoreError> {
        let mine = people::groups_of(db, email)?;
        let domain = email.split_once('@').map_or("", |(_, domain)| domain);
        let through = self
            .groups
            .iter()
            .find(|group| mine.contains(&group.name) || group.name == domain);
        let (sees, reason) = if self.public {
            (true, "the document is public".to_owned())
        } else if self.users.iter().any(|user| user == email) {
            (true, "named as a user".to_owned())
        } else if let Some(group) = through {
            let how = if group.name == domain {
                "the address ends with the domain"
            } else {
                "member of the group"
            };
            (true, format!("{how} `{}`", group.name))
        } else if self.is_hidden {
            (
                false,
                "the document names nobody, so nobody sees it".to_owned(),
            )
        } else if let Some(near) = self
            .users
            .iter()
            .find(|user| people::identity(user) == email)
        {
            let reason = format!("`{near}` is named, and Omni compares addresses exactly");
            (false, reason)
        } else {
            let unknown = self.groups.iter().filter(|group| group.members.is_none());
            let unknown: Vec<_> = unknown.map(|group| format!("`{}`", group.name)).collect();
            let mut reason = match (self.users.len(), self.groups.len()) {
                (users, 0) => format!("not one of the {users} users that are named"),
                (0, groups) => format!("member of none of the {groups} groups that are named"),
                (users, groups) => {
                    format!(
                        "not one of the {users} users, and member of none of the {groups} groups"
                    )
                }
            };
            if !unknown.is_empty() {
                reason.extend(["; no source has sent ", &unknown.join(", ")]);
            }
            (false, reason)
        };
        Ok(Verdict {
            email: email.to_owned(),
            sees,
            reason,
        })
    }
}
