//! The events that a run sends to Omni (`protocol.md` §4.7, §4.8).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::timestamp;

/// Attributes of a document, by key. Search operators match them.
pub type Attributes = BTreeMap<String, Value>;

/// One change, in its wire form.
///
/// Authors usually call `SyncContext::upsert` and its siblings. These build events with lower-case addresses and always set
/// permissions and attributes. On the wire the ids are those of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConnectorEvent {
    /// A new document, or a replacement for the document with the same id.
    DocumentCreated {
        /// The run that sends it.
        sync_run_id: String,
        /// The source of the run.
        source_id: String,
        /// The document's id, chosen by the connector.
        document_id: String,
        /// The manager's id of the stored text.
        content_id: String,
        /// Title, author, times and the like.
        metadata: DocumentMetadata,
        /// Who may see it.
        permissions: DocumentPermissions,
        /// The attributes that search operators match.
        attributes: Option<Attributes>,
    },
    /// A document that changed. Omni handles it like `DocumentCreated`, and hides the document when `permissions` is none.
    DocumentUpdated {
        /// The run that sends it.
        sync_run_id: String,
        /// The source of the run.
        source_id: String,
        /// The document's id, chosen by the connector.
        document_id: String,
        /// The manager's id of the stored text.
        content_id: String,
        /// Title, author, times and the like.
        metadata: DocumentMetadata,
        /// Who may see it.
        permissions: Option<DocumentPermissions>,
        /// The attributes that search operators match.
        attributes: Option<Attributes>,
    },
    /// A document that no longer exists.
    DocumentDeleted {
        /// The run that sends it.
        sync_run_id: String,
        /// The source of the run.
        source_id: String,
        /// The document's id, chosen by the connector.
        document_id: String,
    },
    /// The complete member list of one group; it replaces the previous list.
    GroupMembershipSync {
        /// The run that sends it.
        sync_run_id: String,
        /// The source of the run.
        source_id: String,
        /// The group's address, as named in permissions.
        group_email: String,
        /// The group's display name.
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
        /// The person's record.
        person: Box<PersonSyncRecord>,
    },
    /// A person who was removed.
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
    /// Returns the ids of the run and the source.
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

    /// Prepares the event for sending: lower-cases addresses and fills in missing permissions and attributes. A document
    /// without permissions becomes private.
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

    /// Returns the document id, or the address of the group or person.
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
    // Fast path: most addresses are already normalized.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
    if !address.bytes().all(is_plain) {
        *address = address.trim().to_lowercase();
    }
}

/// A document's metadata. Search displays and filters by these fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DocumentMetadata {
    /// Shown in results; `Untitled` when none.
    pub title: Option<String>,
    /// The author's e-mail address or name; `by:` filters it.
    pub author: Option<String>,
    /// When the document was created.
    #[serde(
        default,
        serialize_with = "timestamp::rfc3339_option::serialize",
        deserialize_with = "timestamp::rfc3339_option::deserialize_plain"
    )]
    pub created_at: Option<OffsetDateTime>,
    /// When the document last changed; `before:` and `after:` compare it.
    #[serde(
        default,
        serialize_with = "timestamp::rfc3339_option::serialize",
        deserialize_with = "timestamp::rfc3339_option::deserialize_plain"
    )]
    pub updated_at: Option<OffsetDateTime>,
    /// The kind of document, such as `page`; `type:` filters it.
    pub content_type: Option<String>,
    /// Its MIME type in the source.
    pub mime_type: Option<String>,
    /// Size in the source in bytes, as a decimal string.
    pub size: Option<String>,
    /// The URL at which people open it. Omni takes the file extension from it.
    pub url: Option<String>,
    /// The path in the source, such as `Ops/Runbook`.
    pub path: Option<String>,
    /// Additional fields of the connector's choice.
    pub extra: Option<BTreeMap<String, Value>>,
}

/// Who may see a document. Omni matches all three fields exactly, in lower case.
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
    /// Grants access to everybody in the company.
    pub fn public() -> Self {
        Self {
            public: true,
            ..Self::private()
        }
    }

    /// Grants access to nobody. Unknown permissions become this.
    pub const fn private() -> Self {
        Self {
            public: false,
            users: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// Grants access to these people, by e-mail address; [`and_groups`](Self::and_groups) adds groups.
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

    /// Adds the members of these groups, by group address or mail domain.
    #[must_use]
    pub fn and_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.groups.extend(groups.into_iter().map(Into::into));
        self
    }
}

/// A person of the company, from an HR system or a directory.
///
/// ```
/// use omni_connector::PersonSyncRecord;
///
/// let mut person = PersonSyncRecord::new("E17", "ada@example.com");
/// person.display_name = Some("Ada Lovelace".to_owned());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PersonSyncRecord {
    /// Identifies the person within the source: stable, unique, and without surrounding blanks.
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
    /// `external_id` of the person's manager, who must be another person.
    pub manager_external_id: Option<String>,
    /// ISO 8601 with offset.
    pub source_updated_at: Option<String>,
    /// Whether the person is employed; none keeps the stored value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

impl PersonSyncRecord {
    /// Creates the record of a person with an id and an address; every other field starts empty.
    pub fn new(external_id: impl Into<String>, email: impl Into<String>) -> Self {
        Self {
            external_id: external_id.into(),
            email: email.into(),
            ..Self::default()
        }
    }
}
