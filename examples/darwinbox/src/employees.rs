//! The list of all employees, for Omni's directory and for actions.

use omni_connector::prelude::*;

use crate::{
    dates,
    hr::{EMPLOYEES, Hr, unreadable},
    record::Record,
};

/// One employment.
#[derive(Debug, Clone)]
pub(crate) struct Employee {
    pub(crate) id: String,
    /// Not every employee has one, such as drivers or people who have not started yet.
    pub(crate) email: Option<Email>,
    record: Record,
}

/// All employees of one answer.
#[derive(Debug, Default)]
pub(crate) struct Everybody {
    pub(crate) employees: Vec<Employee>,
    /// The number of unreadable entries. If there are any, the answer proves no deletion.
    pub(crate) unread: usize,
}

impl Hr {
    /// Requests all employees.
    pub(crate) async fn everybody(&self) -> Result<Everybody, SourceError> {
        let answer = self.read(EMPLOYEES, json!({})).await?;
        if answer.get("status").is_none() {
            return Err(unreadable(
                EMPLOYEES,
                "it has no `status`, so it may not be complete",
            ));
        }
        let Some(entries) = answer["employee_data"].as_array() else {
            return Err(unreadable(EMPLOYEES, "it has no list `employee_data`"));
        };
        let mut everybody = Everybody::default();
        for entry in entries {
            match Record::of(entry.clone()).and_then(Employee::of) {
                Some(employee) => everybody.employees.push(employee),
                None => everybody.unread += 1,
            }
        }
        Ok(everybody)
    }
}

impl Everybody {
    /// Returns the employee with this address.
    pub(crate) fn by_email(&self, email: &str) -> Result<&Employee, ActionError> {
        let email = email.trim().to_lowercase();
        let has_it = |employee: &&Employee| {
            employee
                .email
                .as_ref()
                .is_some_and(|its| its.as_str() == email)
        };
        let mut found = self.employees.iter().filter(has_it);
        match (found.next(), found.next()) {
            (Some(employee), None) => Ok(employee),
            (None, _) => Err(ActionError::not_found(
                "nobody in Darwinbox has your e-mail address; ask HR to add it to your record",
            )),
            (Some(_), Some(_)) => Err(ActionError::conflict(
                "several records in Darwinbox have your e-mail address; ask HR to leave it on one",
            )),
        }
    }

    /// Returns all direct reports of a manager.
    pub(crate) fn reports_of(&self, manager: &Employee) -> Vec<&Employee> {
        let reports = self.employees.iter();
        reports
            .filter(|report| report.manager_id().as_ref() == Some(&manager.id))
            .collect()
    }
}

impl Employee {
    /// Makes an employee from a record. Returns `None` if the record has no number.
    fn of(record: Record) -> Option<Self> {
        let id = record.text("employee_id")?.trim().to_owned();
        let email = record
            .text("company_email_id")
            .and_then(|email| email.parse().ok());
        Some(Self { id, email, record })
    }

    /// Returns the value of a field without surrounding spaces.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.record.text(key).map(|text| text.trim().to_owned())
    }

    pub(crate) fn name(&self) -> String {
        let parts = ["first_name", "middle_name", "last_name"];
        let name: Vec<_> = parts.iter().filter_map(|part| self.text(part)).collect();
        if name.is_empty() {
            self.id.clone()
        } else {
            name.join(" ")
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.text("employee_status")
            .is_some_and(|status| status.eq_ignore_ascii_case("active"))
    }

    /// Returns the number of the manager. An employee is never their own manager.
    pub(crate) fn manager_id(&self) -> Option<String> {
        self.text("direct_manager_employee_id")
            .filter(|manager| *manager != self.id)
    }

    /// Returns the time of the record's last change.
    pub(crate) fn changed(&self) -> Option<OffsetDateTime> {
        self.text("latest_modified_any_attribute")
            .and_then(|text| dates::time(&text))
    }

    /// Returns the person for Omni's directory, and the fields whose dates cannot be parsed. The telephone number is
    /// omitted, since it is private.
    pub(crate) fn person(&self, email: &Email) -> (PersonSyncRecord, Vec<&'static str>) {
        let mut odd = Vec::new();
        let mut time = |key: &'static str| {
            let read = dates::time(&self.text(key)?);
            if read.is_none() {
                odd.push(key);
            }
            read
        };
        let joined = time("date_of_joining").map(|time| time.date().to_string());
        let left = time("date_of_exit").map(|time| time.date().to_string());
        let changed = time("latest_modified_any_attribute");
        let mut person = PersonSyncRecord::new(&self.id, email.to_string());
        person.display_name = Some(self.name());
        person.given_name = self.text("first_name");
        person.middle_name = self.text("middle_name");
        person.surname = self.text("last_name");
        person.job_title = self
            .text("designation_name")
            .or_else(|| self.text("job_title_name"));
        person.department = self.text("department_name");
        person.office_location = self.text("office_area");
        person.work_country = self.text("office_country");
        person.employee_id = Some(self.id.clone());
        person.employee_type = self.text("employee_type");
        person.cost_center = self.text("cost_center");
        person.grade = self.text("grade");
        person.band = self.text("band");
        person.confirmation_status = self.text("confirmation_status");
        person.employment_start_date = joined;
        person.employment_end_date = left;
        person.top_department = self.text("top_department");
        person.manager_external_id = self.manager_id();
        person.source_updated_at = changed.and_then(|time| {
            serde_json::to_value(omni_connector::wire::Timestamp(time))
                .ok()?
                .as_str()
                .map(str::to_owned)
        });
        person.is_active = Some(self.is_active());
        (person, odd)
    }

    /// Returns the data that every participant may see of an employee.
    pub(crate) fn card(&self) -> Value {
        json!({
            "display_name": self.name(),
            "employee_id": self.id,
            "company_email_id": self.text("company_email_id"),
            "department_name": self.text("department_name"),
            "designation_name": self.text("designation_name").or_else(|| self.text("job_title_name")),
            "office_area": self.text("office_area"),
            "direct_manager_employee_id": self.text("direct_manager_employee_id"),
            "employee_type": self.text("employee_type"),
        })
    }
}
