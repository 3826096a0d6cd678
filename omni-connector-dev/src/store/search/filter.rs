//! Decides which documents a search admits by operators, built-in operators and permissions
//! (`protocol.md` §4.7, §7.2, §7.3). A value that cannot be read must never admit a document.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use omni_connector::{Attributes, DocumentPermissions, SourceType, wire::token};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::Value;
use time::{Date, Month};

use super::parse::Parsed;
use crate::store::{StoreError, people};

/// Short names of source types for `in:`, in addition to the wire names.
const SOURCE_TYPES: [(&str, SourceType); 13] = [
    ("drive", SourceType::GoogleDrive),
    ("gdrive", SourceType::GoogleDrive),
    ("mail", SourceType::Gmail),
    ("email", SourceType::Gmail),
    ("wiki", SourceType::Confluence),
    ("gh", SourceType::Github),
    ("onedrive", SourceType::OneDrive),
    ("sharepoint", SourceType::SharePoint),
    ("click_up", SourceType::Clickup),
    ("paperless", SourceType::PaperlessNgx),
    ("website", SourceType::Web),
    ("teams", SourceType::MsTeams),
    ("calendar", SourceType::OutlookCalendar),
];

/// Short names of content types for `type:`. Any other value is used unchanged.
const CONTENT_TYPES: [(&str, &[&str]); 7] = [
    ("sheet", &["spreadsheet"]),
    ("doc", &["document"]),
    ("slide", &["presentation"]),
    ("pr", &["pull_request"]),
    ("email", &["email", "email_thread"]),
    ("meeting", &["meeting_transcript"]),
    ("transcript", &["meeting_transcript"]),
];

/// Permissions about which a decision is kept.
const DECIDED: usize = 1_000;

/// All conditions. Each list holds alternatives; an empty list is no condition.
#[derive(Debug, Default)]
pub(super) struct Filter {
    authors: Vec<String>,
    source_types: Vec<SourceType>,
    content_types: Vec<String>,
    before: Vec<String>,
    after: Vec<String>,
    attributes: Vec<AttributeFilter>,
    viewer: Option<Viewer>,
}

/// One connector's operator.
#[derive(Debug)]
struct AttributeFilter {
    key: String,
    values: Vec<AttributeValue>,
}

/// A typed value in the forms that attributes have.
#[derive(Debug)]
struct AttributeValue {
    lower_case: String,
    token: String,
}

/// The searching person, with all identities that a permission can name.
#[derive(Debug)]
struct Viewer {
    email: String,
    groups: HashSet<String>,
    /// What was decided about permissions, by their JSON: many documents have the same.
    decided: RefCell<HashMap<String, bool>>,
}

/// The stored columns of a document that the filter reads.
pub(super) struct Candidate<'a> {
    pub source_type: &'a str,
    pub content_type: Option<&'a str>,
    pub metadata: &'a str,
    pub permissions: Option<&'a str>,
    pub attributes: &'a str,
}

#[derive(Deserialize)]
struct Metadata {
    author: Option<String>,
    updated_at: Option<String>,
}

impl Filter {
    /// Builds the conditions of a parsed query. Also returns the invalid parts, which are ignored.
    pub(super) fn new(parsed: &Parsed) -> (Self, Vec<String>) {
        let (mut filter, mut ignored) = (Self::default(), Vec::new());
        for (name, values) in &parsed.built_in {
            for value in values {
                if !filter.add_built_in(name, value) {
                    ignored.push(format!("{name}:{value}"));
                }
            }
        }
        filter.attributes = parsed
            .operators
            .values()
            .map(|operated| AttributeFilter {
                key: operated.attribute_key.clone(),
                values: operated
                    .values
                    .iter()
                    .map(|value| AttributeValue::new(value))
                    .collect(),
            })
            .collect();
        (filter, ignored)
    }

    /// Restricts the filter to documents which that person may see.
    pub(super) fn seen_by(mut self, db: &Connection, email: &str) -> Result<Self, StoreError> {
        let email = people::identity(email);
        let mut groups: HashSet<_> = people::groups_of(db, &email)?.into_iter().collect();
        groups.extend(email.split_once('@').map(|(_, domain)| domain.to_owned()));
        self.viewer = Some(Viewer {
            email,
            groups,
            decided: RefCell::default(),
        });
        Ok(self)
    }

    fn add_built_in(&mut self, name: &str, value: &str) -> bool {
        let lower_case = value.to_lowercase();
        match name {
            "by" => self.authors.push(lower_case),
            "type" => {
                let known = CONTENT_TYPES.iter().find(|(alias, _)| *alias == lower_case);
                match known {
                    Some((_, types)) => self
                        .content_types
                        .extend(types.iter().copied().map(str::to_owned)),
                    None => self.content_types.push(lower_case),
                }
            }
            "in" => {
                let alias = SOURCE_TYPES.iter().find(|(alias, _)| *alias == lower_case);
                let named = alias.map(|(_, source_type)| *source_type);
                match named.or_else(|| lower_case.parse().ok()) {
                    Some(source_type) => self.source_types.push(source_type),
                    None => return false,
                }
            }
            "before" if is_period(value) => self.before.push(value.to_owned()),
            "after" if is_period(value) => self.after.push(value.to_owned()),
            _ => return false,
        }
        true
    }

    /// Returns whether the filter has no conditions.
    pub(super) fn admits_everything(&self) -> bool {
        self.authors.is_empty()
            && self.source_types.is_empty()
            && self.content_types.is_empty()
            && self.before.is_empty()
            && self.after.is_empty()
            && self.attributes.is_empty()
            && self.viewer.is_none()
    }

    /// The columns of a [`Candidate`] that the conditions read, in its order. SQLite need not read the others.
    pub(super) fn columns(&self) -> [bool; 5] {
        let has_times = !self.before.is_empty() || !self.after.is_empty();
        [
            !self.source_types.is_empty(),
            !self.content_types.is_empty(),
            has_times || !self.authors.is_empty(),
            self.viewer.is_some(),
            !self.attributes.is_empty(),
        ]
    }

    /// Whether a document meets all conditions. Columns that no condition reads may be empty.
    pub(super) fn admits(&self, document: &Candidate<'_>) -> bool {
        self.admits_source_type(document.source_type)
            && self.admits_content_type(document.content_type)
            && self.admits_metadata(document.metadata)
            && self.admits_attributes(document.attributes)
            && self
                .viewer
                .as_ref()
                .is_none_or(|viewer| viewer.sees(document.permissions))
    }

    fn admits_source_type(&self, source_type: &str) -> bool {
        any_of(&self.source_types, |wanted| wanted.as_str() == source_type)
    }

    fn admits_content_type(&self, content_type: Option<&str>) -> bool {
        any_of(&self.content_types, |wanted| {
            content_type.is_some_and(|content_type| content_type.to_lowercase() == *wanted)
        })
    }

    fn admits_metadata(&self, metadata: &str) -> bool {
        if self.authors.is_empty() && self.before.is_empty() && self.after.is_empty() {
            return true;
        }
        let Ok(Metadata { author, updated_at }) = serde_json::from_str(metadata) else {
            return false;
        };
        let author = author.map(|author| author.to_lowercase());
        let (author, updated_at) = (author.as_deref(), updated_at.as_deref());
        // Compares a period with the same number of leading characters of the time. Times are
        // stored in UTC.
        let day = |period: &String| updated_at.and_then(|time| time.get(..period.len()));
        any_of(&self.authors, |wanted| {
            author.is_some_and(|author| author.contains(wanted))
        }) && any_of(&self.before, |period| {
            day(period).is_some_and(|day| day <= period.as_str())
        }) && any_of(&self.after, |period| {
            day(period).is_some_and(|day| day >= period.as_str())
        })
    }

    fn admits_attributes(&self, attributes: &str) -> bool {
        if self.attributes.is_empty() {
            return true;
        }
        let Ok(attributes) = serde_json::from_str::<Attributes>(attributes) else {
            return false;
        };
        self.attributes.iter().all(|filter| {
            attributes
                .get(&filter.key)
                .is_some_and(|attribute| filter.values.iter().any(|value| value.matches(attribute)))
        })
    }
}

impl AttributeValue {
    fn new(typed: &str) -> Self {
        Self {
            lower_case: typed.to_lowercase(),
            token: token(typed),
        }
    }

    fn matches(&self, attribute: &Value) -> bool {
        match attribute {
            Value::Array(elements) => elements.iter().any(|element| self.matches(element)),
            Value::String(text) => *text == self.token || text.to_lowercase() == self.lower_case,
            Value::Bool(truth) => truth.to_string() == self.lower_case,
            Value::Number(number) => number.to_string() == self.lower_case,
            Value::Null | Value::Object(_) => false,
        }
    }
}

impl Viewer {
    /// Applies the rule of `protocol.md` §4.7. Compares addresses exactly, as Omni does.
    fn sees(&self, permissions: Option<&str>) -> bool {
        let Some(json) = permissions else {
            return false;
        };
        let mut decided = self.decided.borrow_mut();
        if let Some(sees) = decided.get(json) {
            return *sees;
        }
        let sees = self.decide(json);
        if decided.len() == DECIDED {
            decided.clear();
        }
        decided.insert(json.to_owned(), sees);
        sees
    }

    fn decide(&self, permissions: &str) -> bool {
        let Ok(permissions) = serde_json::from_str::<DocumentPermissions>(permissions) else {
            return false;
        };
        permissions.public
            || permissions.users.contains(&self.email)
            || permissions
                .groups
                .iter()
                .any(|group| self.groups.contains(group))
    }
}

fn any_of<T>(alternatives: &[T], matches: impl FnMut(&T) -> bool) -> bool {
    alternatives.is_empty() || alternatives.iter().any(matches)
}

/// Returns whether a string is a valid `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
fn is_period(text: &str) -> bool {
    let number = |part: &str, digits| {
        (part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u16>().ok())
            .flatten()
    };
    let mut parts = text.split('-');
    let year = parts.next().and_then(|year| number(year, 4));
    let month = parts.next().map_or(Some(1), |month| number(month, 2));
    let day = parts.next().map_or(Some(1), |day| number(day, 2));
    let (Some(year), Some(month), Some(day), None) = (year, month, day, parts.next()) else {
        return false;
    };
    let month = u8::try_from(month)
        .ok()
        .and_then(|month| Month::try_from(month).ok());
    let day = u8::try_from(day).ok();
    month
        .zip(day)
        .is_some_and(|(month, day)| Date::from_calendar_date(i32::from(year), month, day).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_years_months_and_days_that_exist() {
        for text in ["2024", "2024-02", "2024-02-29"] {
            assert!(is_period(text), "{text}");
        }
        for text in [
            "",
            "24",
            "2024-",
            "2024-13",
            "2023-02-29",
            "2024-2",
            "2024-02-29-01",
            "+024",
            "yesterday",
        ] {
            assert!(!is_period(text), "{text}");
        }
    }

    #[test]
    fn an_attribute_is_compared_in_every_form_it_can_have() {
        let matches =
            |typed: &str, attribute: Value| AttributeValue::new(typed).matches(&attribute);
        assert!(matches("In Review", "in_review".into()));
        assert!(matches("in_review", "in_review".into()));
        assert!(matches("IN REVIEW", "In Review".into()));
        assert!(matches("ÄRZTE", "Ärzte".into()));
        assert!(matches("Ann@Example.com", "ann@example.com".into()));
        assert!(matches("42", 42.into()));
        assert!(matches("True", true.into()));
        assert!(matches("b", vec!["a", "b"].into()));
        assert!(!matches("review", "in_review".into()));
        assert!(!matches("null", Value::Null));
    }
}
