//! What a run tells Omni (`protocol.md` §4.7, §4.8).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::timestamp;

/// Attributes of a document, by key: what search operators match.
pub type Attributes = BTreeMap<String, Value>;

/// One change, as it stands on the wire.
///
/// Authors usually call `SyncContext::upsert` and its siblings, which build these with addresses in lower case, and permissions
/// and attributes always present. On the wire the ids are those of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConnectorEvent {
    /// A document that is new, or replaces the one of the same id.
    DocumentCreated {
        /// The run that sends it.
        sync_run_id: String,
        /// The source of the run.
        source_id: String,
        /// The connector's own id of the document.
        document_id: String,
        /// The manager's id of the stored text.
        content_id: String,
        /// Title, author, times and the like.
        metadata: DocumentMetadata,
        /// Who may see it.
        permissions: DocumentPermissions,
        /// What operators match.
        attributes: Option<Attributes>,
    },
    /// A document that changed. Omni handles it like `DocumentCreated`, and hides the document when `permissions` is none.
    DocumentUpdated {
        /// The run that sends it.
        sync_run_id: String,
        /// The source of the run.
        source_id: String,
        /// The connector's own id of the document.
        document_id: String,
        /// The manager's id of the stored text.
        content_id: String,
        /// Title, author, times and the like.
        metadata: DocumentMetadata,
        /// Who may see it.
        permissions: Option<DocumentPermissions>,
        /// What operators match.
        attributes: Option<Attributes>,
    },
    /// A document that is gone.
    DocumentDeleted {
        /// The run that sends it.
        sync_run_id: String,
        /// The source of the run.
        source_id: String,
        /// The connector's own id of the document.
        document_id: String,
    },
    /// The full list of members of one group, replacing the one before.
    GroupMembershipSync {
        /// The run that sends it.
        sync_run_id: String,
        /// The source of the run.
        source_id: String,
        /// The group's address, as named in permissions.
        group_email: String,
        /// What people call it.
        group_name: Option<String>,
        /// Addresses of all members.
        member_emails: Vec<String>,
    },
    /// A person of the company.
    PersonSync {
        /// The run that sends it.
        sync_run_id: String,
        /// The source of the run.
        source_id: String,
        /// What is known of the person.
        person: Box<PersonSyncRecord>,
    },
    /// A person who is gone.
    PersonDeleted {
        /// The run that sends it.
        sync_run_id: String,
        /// The source of the run.
        source_id: String,
        /// The person's address.
        email: String,
    },
}

impl ConnectorEvent {
    /// The run and the source that the event names.
    pub fn ids(&self) -> (&str, &str) {
        match self {
            Self::DocumentCreated {
                sync_run_id,
                source_id,
                ..
            }
            | Self::DocumentUpdated {
                sync_run_id,
                source_id,
                ..
            }
            | Self::DocumentDeleted {
                sync_run_id,
                source_id,
                ..
            }
            | Self::GroupMembershipSync {
                sync_run_id,
                source_id,
                ..
            }
            | Self::PersonSync {
                sync_run_id,
                source_id,
                ..
            }
            | Self::PersonDeleted {
                sync_run_id,
                source_id,
                ..
            } => (sync_run_id, source_id),
        }
    }

    /// Makes it what may be sent: addresses in lower case, and permissions and attributes present. A document whose
    /// permissions are unknown is private.
    pub(crate) fn normalize(&mut self) {
        match self {
            Self::DocumentCreated {
                permissions,
                attributes,
                ..
            } => {
                permissions.normalize();
                attributes.get_or_insert_default();
            }
            Self::DocumentUpdated {
                permissions,
                attributes,
                ..
            } => {
                permissions
                    .get_or_insert_with(DocumentPermissions::private)
                    .normalize();
                attributes.get_or_insert_default();
            }
            Self::GroupMembershipSync {
                group_email,
                member_emails,
                ..
            } => {
                normalize_address(group_email);
                member_emails.iter_mut().for_each(normalize_address);
            }
            Self::PersonSync { person, .. } => {
                normalize_address(&mut person.email);
                if person.external_id.trim().len() != person.external_id.len() {
                    let trimmed = person.external_id.trim().to_owned();
                    person.external_id = trimmed;
                }
            }
            Self::PersonDeleted { email, .. } => normalize_address(email),
            Self::DocumentDeleted { .. } => {}
        }
    }

    /// What the event is about: the id of a document, or the address of a group or person.
    pub fn subject(&self) -> &str {
        match self {
            Self::DocumentCreated { document_id, .. }
            | Self::DocumentUpdated { document_id, .. }
            | Self::DocumentDeleted { document_id, .. } => document_id,
            Self::GroupMembershipSync { group_email, .. } => group_email,
            Self::PersonSync { person, .. } => &person.email,
            Self::PersonDeleted { email, .. } => email,
        }
    }
}

fn normalize_address(address: &mut String) {
    // Nearly all are as they should be already.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
    if !address.bytes().all(is_plain) {
        *address = address.trim().to_lowercase();
    }
}

/// What is known of a document beside its text. Search shows and filters by these.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DocumentMetadata {
    /// Shown in results; `Untitled` when none.
    pub title: Option<String>,
    /// The author's e-mail address or name; `by:` filters it.
    pub author: Option<String>,
    /// When it was made.
    #[serde(
        default,
        serialize_with = "timestamp::rfc3339_option::serialize",
        deserialize_with = "timestamp::rfc3339_option::deserialize_plain"
    )]
    pub created_at: Option<OffsetDateTime>,
    /// When it last changed; `before:` and `after:` compare it.
    #[serde(
        default,
        serialize_with = "timestamp::rfc3339_option::serialize",
        deserialize_with = "timestamp::rfc3339_option::deserialize_plain"
    )]
    pub updated_at: Option<OffsetDateTime>,
    /// What it is to people, such as `page`; `type:` filters it.
    pub content_type: Option<String>,
    /// Its MIME type in the source.
    pub mime_type: Option<String>,
    /// Bytes in the source, in decimal.
    pub size: Option<String>,
    /// Where people open it. Omni takes the file extension from it.
    pub url: Option<String>,
    /// Where it stands in the source, such as `Ops/Runbook`.
    pub path: Option<String>,
    /// Anything else.
    pub extra: Option<BTreeMap<String, Value>>,
}

/// Who may see a document. All three are matched exactly, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentPermissions {
    /// Everybody in the company.
    pub public: bool,
    /// E-mail addresses of people.
    pub users: Vec<String>,
    /// Addresses of groups, or mail domains.
    pub groups: Vec<String>,
}

impl DocumentPermissions {
    /// Everybody in the company.
    pub fn public() -> Self {
        Self {
            public: true,
            ..Self::private()
        }
    }

    /// Nobody: what an unknown permission is.
    pub const fn private() -> Self {
        Self {
            public: false,
            users: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// These people, by their e-mail addresses, and whoever is added.
    pub fn users(users: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            users: users.into_iter().map(Into::into).collect(),
            ..Self::private()
        }
    }

    /// Omni matches addresses exactly, so all of them are sent trimmed and in lower case.
    pub(crate) fn normalize(&mut self) {
        self.users
            .iter_mut()
            .chain(&mut self.groups)
            .for_each(normalize_address);
    }

    /// Also the members of these groups, by group address or mail domain.
    #[must_use]
    pub fn and_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.groups.extend(groups.into_iter().map(Into::into));
        self
    }
}

/// A person of the company, from an HR system or a directory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PersonSyncRecord {
    /// Stable and unique within the source, without surrounding blanks.
    pub external_id: String,
    /// The person's address; its trimmed lower-case form is the identity.
    pub email: String,
    /// As people see it.
    pub display_name: Option<String>,
    /// First name.
    pub given_name: Option<String>,
    /// Middle name.
    pub middle_name: Option<String>,
    /// Family name.
    pub surname: Option<String>,
    /// What the person does.
    pub job_title: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Division.
    pub division: Option<String>,
    /// Company.
    pub company_name: Option<String>,
    /// Office.
    pub office_location: Option<String>,
    /// Country of work.
    pub work_country: Option<String>,
    /// The number in the HR system.
    pub employee_id: Option<String>,
    /// Such as `permanent`.
    pub employee_type: Option<String>,
    /// Cost centre.
    pub cost_center: Option<String>,
    /// Grade.
    pub grade: Option<String>,
    /// Band.
    pub band: Option<String>,
    /// Such as `confirmed`.
    pub confirmation_status: Option<String>,
    /// ISO date.
    pub employment_start_date: Option<String>,
    /// ISO date.
    pub employment_end_date: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// The department at the top of the tree.
    pub top_department: Option<String>,
    /// `external_id` of the manager, who is somebody else.
    pub manager_external_id: Option<String>,
    /// ISO 8601 with offset.
    pub source_updated_at: Option<String>,
    /// Whether the person works there; none leaves what is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}
