//! Policies and announcements: what they say, and to whom.

use omni_connector::prelude::*;

use crate::{Settings, api::HrClient, dates, people::Employee};

/// A policy or an announcement.
#[derive(Debug, Deserialize)]
pub(crate) struct Notice {
    #[serde(rename = "notice_id")]
    pub id: String,
    kind: NoticeKind,
    title: String,
    body: String,
    author: String,
    #[serde(default)]
    audience: Audience,
    #[serde(default)]
    pub withdrawn: bool,
    /// The name of the original, where there is one.
    #[serde(default)]
    pub file_name: Option<String>,
    #[serde(deserialize_with = "dates::time")]
    updated_on: OffsetDateTime,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NoticeKind {
    Policy,
    Announcement,
}

#[derive(Debug, Default, Deserialize)]
struct Audience {
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    departments: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scope {
    Everyone,
    Departments,
    /// An audience that this connector does not know is nobody.
    #[default]
    #[serde(other)]
    Unknown,
}

/// `department:engineering` also finds what is addressed to one department.
#[search_operator]
pub(crate) fn department(notice: &Notice) -> Vec<String> {
    notice.audience.departments.clone()
}

/// The first part of the ids of notices in Omni.
const PREFIX: &str = "notice:";

impl Notice {
    /// The notice's id in Omni.
    pub(crate) fn document_id(&self) -> String {
        format!("{PREFIX}{}", self.id)
    }

    pub(crate) fn is_for(&self, person: &Employee) -> bool {
        match self.audience.scope {
            Scope::Everyone => true,
            Scope::Departments => self.audience.departments.contains(&person.department),
            Scope::Unknown => false,
        }
    }

    fn readers(&self, settings: &Settings) -> DocumentPermissions {
        let departments = self.audience.departments.iter();
        match self.audience.scope {
            Scope::Everyone => DocumentPermissions::public(),
            Scope::Departments => DocumentPermissions::private()
                .and_groups(departments.map(|name| settings.department_group(name))),
            Scope::Unknown => DocumentPermissions::private(),
        }
    }

    pub(crate) fn document(&self, settings: &Settings) -> Document<'_> {
        let (content_type, folder) = match self.kind {
            NoticeKind::Policy => ("policy", "Policies"),
            NoticeKind::Announcement => ("announcement", "Announcements"),
        };
        Document::new(self.document_id(), self.readers(settings))
            .title(&self.title)
            .text(&self.body)
            .author(&self.author)
            .content_type(content_type)
            .path(format!("{folder}/{}", self.title))
            .updated_at(self.updated_on)
            .attributes_of(self)
    }
}

impl HrClient {
    /// The notice that a document of Omni shows.
    pub(crate) async fn notice_of(&self, document_id: &str) -> Result<Notice, ActionError> {
        let Some(id) = document_id.strip_prefix(PREFIX) else {
            let message = format!("`{document_id}` is no policy or announcement");
            return Err(ActionError::not_found(message));
        };
        self.call("notices/get", json!({ "notice_id": id })).await
    }
}
