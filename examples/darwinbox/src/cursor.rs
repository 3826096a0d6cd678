//! What a run remembers for the next one.

use std::collections::{BTreeMap, BTreeSet};

use omni_connector::prelude::*;

use crate::{notices::Notice, people::Employee};

/// The checkpoint.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// Where the next look at changes begins, on the HR system's own clock and in its own words.
    pub(crate) changed_since: Option<String>,
    pub(crate) known: Known,
}

/// Everything of the source that is in Omni, by the ids of its documents.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Known {
    people: BTreeMap<String, Member>,
    notices: BTreeSet<String>,
}

/// What of a person decides about groups.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) email: Email,
    pub(crate) department: String,
}

impl Known {
    pub(crate) fn documents(&self) -> impl Iterator<Item = &String> {
        self.people.keys().chain(&self.notices)
    }

    pub(crate) fn departments(&self) -> impl Iterator<Item = &String> {
        self.people.values().map(|member| &member.department)
    }

    /// Addresses of everybody in a department.
    pub(crate) fn members(&self, department: &str) -> impl Iterator<Item = Email> {
        let members = self.people.values();
        members
            .filter(move |member| member.department == department)
            .map(|member| member.email.clone())
    }

    /// Whether somebody has this address. Who comes back to the company has a new number and the old address.
    pub(crate) fn has_address(&self, email: &Email) -> bool {
        self.people.values().any(|member| member.email == *email)
    }

    pub(crate) fn person(&self, document_id: &str) -> Option<&Member> {
        self.people.get(document_id)
    }

    /// Notes a person; what was known before.
    pub(crate) fn add_person(&mut self, employee: &Employee, email: &Email) -> Option<Member> {
        let member = Member {
            email: email.clone(),
            department: employee.department.clone(),
        };
        self.people.insert(employee.profile_id(), member)
    }

    pub(crate) fn remove_person(&mut self, document_id: &str) -> Option<Member> {
        self.people.remove(document_id)
    }

    pub(crate) fn add_notice(&mut self, notice: &Notice) {
        self.notices.insert(notice.document_id());
    }

    /// Whether it was known.
    pub(crate) fn remove_notice(&mut self, document_id: &str) -> bool {
        self.notices.remove(document_id)
    }

    /// Goes on knowing a document that `before` knew.
    pub(crate) fn keep(&mut self, document_id: String, before: &Self) {
        match before.person(&document_id) {
            Some(member) => drop(self.people.insert(document_id, member.clone())),
            None => drop(self.notices.insert(document_id)),
        }
    }
}
