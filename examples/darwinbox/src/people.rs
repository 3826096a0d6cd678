//! People as the HR system knows them, what search asks about them, and who somebody is to somebody else.

use omni_connector::{PersonSyncRecord, prelude::*, wire::Day};
use serde::Deserializer;

use crate::{Settings, api::HrClient, dates};

/// One employment. Only the person, the manager and admins get to see all of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Employee {
    #[serde(rename = "employee_no")]
    pub number: String,
    /// Not everybody has one: a driver, or somebody whose first day is yet to come.
    #[serde(default, deserialize_with = "address")]
    pub email: Option<Email>,
    pub name: String,
    pub job_title: String,
    pub department: String,
    pub location: String,
    #[serde(default)]
    pub manager_no: Option<String>,
    #[serde(default, deserialize_with = "address")]
    pub manager_email: Option<Email>,
    #[serde(rename = "employee_type")]
    pub employment: Employment,
    #[serde(deserialize_with = "dates::day")]
    pub joined_on: Day,
    #[serde(default, deserialize_with = "dates::day_or_none")]
    pub left_on: Option<Day>,
    /// Left out of the directory, on the person's own request.
    #[serde(default)]
    pub confidential: bool,
    #[serde(deserialize_with = "dates::time", skip_serializing)]
    pub updated_on: OffsetDateTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Employment {
    Permanent,
    Contractor,
    Intern,
}

/// What everybody in the company may know of somebody.
#[derive(Debug, Serialize)]
pub(crate) struct Colleague {
    name: String,
    email: Option<Email>,
    job_title: String,
    department: String,
    location: String,
    manager: Option<Email>,
}

/// `department:engineering` finds the people of one department.
#[search_operator]
pub(crate) fn department(employee: &Employee) -> &str {
    &employee.department
}

/// `location:berlin` finds the people of one office.
#[search_operator]
pub(crate) fn location(employee: &Employee) -> &str {
    &employee.location
}

/// `manager:ada@example.com` finds the direct reports of one person.
#[search_operator]
pub(crate) fn manager(employee: &Employee) -> Option<Email> {
    employee.manager_email.clone()
}

impl Employee {
    /// The id of the person's profile in Omni.
    pub(crate) fn profile_id(&self) -> String {
        format!("profile:{}", self.number)
    }

    /// Whether the person belongs to the directory.
    pub(crate) fn is_covered(&self, settings: &Settings) -> bool {
        self.left_on.is_none()
            && (settings.include_contractors || self.employment != Employment::Contractor)
    }

    /// Whether `person` may look at the entry in the directory.
    pub(crate) fn is_shown_to(&self, person: &Self) -> bool {
        !self.confidential
            || self.number == person.number
            || self.manager_no.as_ref() == Some(&person.number)
    }

    pub(crate) fn colleague(self) -> Colleague {
        Colleague {
            name: self.name,
            email: self.email,
            job_title: self.job_title,
            department: self.department,
            location: self.location,
            manager: self.manager_email,
        }
    }

    /// The person for Omni's directory.
    pub(crate) fn person(&self, email: &Email) -> PersonSyncRecord {
        PersonSyncRecord {
            external_id: self.number.clone(),
            email: email.to_string(),
            display_name: Some(self.name.clone()),
            job_title: Some(self.job_title.clone()),
            department: Some(self.department.clone()),
            office_location: Some(self.location.clone()),
            employee_id: Some(self.number.clone()),
            employment_start_date: Some(self.joined_on.to_string()),
            manager_external_id: self.manager_no.clone(),
            is_active: Some(true),
            ..PersonSyncRecord::default()
        }
    }

    /// The profile for search: the whole company's to see, unless the person wants otherwise.
    pub(crate) fn profile(&self) -> Document<'_> {
        let readers = if self.confidential {
            DocumentPermissions::users(self.email.iter().chain(&self.manager_email).cloned())
        } else {
            DocumentPermissions::public()
        };
        let Self {
            name,
            job_title,
            department,
            location,
            ..
        } = self;
        Document::new(self.profile_id(), readers)
            .title(name)
            .text(format!("{name}\n{job_title}, {department}\n{location}"))
            .content_type("profile")
            .path(format!("{department}/{name}"))
            .updated_at(self.updated_on)
            .attributes_of(self)
    }
}

impl HrClient {
    /// The record of the person who acts.
    pub(crate) async fn me(&self, actor: &Actor) -> Result<Employee, ActionError> {
        self.employee_by_email(&actor.email).await
    }

    pub(crate) async fn employee_by_email(&self, email: &str) -> Result<Employee, ActionError> {
        self.call("employees/get", json!({ "email": email })).await
    }

    pub(crate) async fn employee(&self, employee_no: &str) -> Result<Employee, ActionError> {
        let query = json!({ "employee_no": employee_no });
        self.call("employees/get", query).await
    }

    /// Everybody who works here and fits `filter`.
    pub(crate) async fn employees(&self, filter: Value) -> Result<Vec<Employee>, ActionError> {
        self.pages("employees/list", filter).all().await
    }

    pub(crate) async fn reports_of(&self, person: &Employee) -> Result<Vec<Employee>, ActionError> {
        let filter = json!({ "manager_no": person.number, "active": true });
        self.employees(filter).await
    }
}

/// Reads an address; what is none is left out, since it cannot be compared with anybody's.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Email>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}
