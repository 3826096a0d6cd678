//! Search operators, one for each kind of document that has one.

use omni_connector::{
    prelude::*,
    wire::{AttributeValue, ValueType},
};

use crate::lists::Entry;

/// A text that search finds by each of its words, as Omni's own connector sends it.
pub(crate) struct AsWritten(String);

impl AttributeValue for AsWritten {
    const VALUE_TYPE: ValueType = ValueType::Text;

    fn schema() -> Value {
        json!({ "type": "string" })
    }

    fn to_attribute(self) -> Option<Value> {
        Some(self.0.into())
    }
}

impl Entry {
    fn of(&self, kind: &str) -> Option<AsWritten> {
        (self.kind == kind).then(|| AsWritten(self.value.clone()))
    }
}

/// `location:pier` finds offices.
#[search_operator(attribute = "office_location")]
pub(crate) fn location(entry: &Entry) -> Option<AsWritten> {
    entry.of("office_location")
}

/// `position:painter` finds positions.
#[search_operator]
pub(crate) fn position(entry: &Entry) -> Option<AsWritten> {
    entry.of("position")
}

/// `department:harbour` finds departments.
#[search_operator]
pub(crate) fn department(entry: &Entry) -> Option<AsWritten> {
    entry.of("department")
}

/// `designation:master` finds designations.
#[search_operator]
pub(crate) fn designation(entry: &Entry) -> Option<AsWritten> {
    entry.of("designation")
}

/// `division:north` finds divisions.
#[search_operator]
pub(crate) fn division(entry: &Entry) -> Option<AsWritten> {
    entry.of("division")
}

/// `business_unit:coast` finds business units.
#[search_operator]
pub(crate) fn business_unit(entry: &Entry) -> Option<AsWritten> {
    entry.of("business_unit")
}

/// `cost_center:paint` finds cost centres.
#[search_operator]
pub(crate) fn cost_center(entry: &Entry) -> Option<AsWritten> {
    entry.of("cost_center")
}

/// `company:harbour` finds companies of the group.
#[search_operator(attribute = "group_company")]
pub(crate) fn company(entry: &Entry) -> Option<AsWritten> {
    entry.of("group_company")
}

/// `job:painter` finds vacancies.
#[search_operator(attribute = "job_title")]
pub(crate) fn job(entry: &Entry) -> Option<AsWritten> {
    entry.of("ats_job")
}

/// `job_level:senior` finds job levels.
#[search_operator]
pub(crate) fn job_level(entry: &Entry) -> Option<AsWritten> {
    entry.of("job_level")
}

/// `employee_job_level:senior` finds who had a job level.
#[search_operator]
pub(crate) fn employee_job_level(entry: &Entry) -> Option<AsWritten> {
    entry.of("employee_job_level")
}

/// `employee_location:pier` finds who worked at an office.
#[search_operator]
pub(crate) fn employee_location(entry: &Entry) -> Option<AsWritten> {
    entry.of("employee_location")
}

/// `employee_manager:ada` finds who had a manager.
#[search_operator]
pub(crate) fn employee_manager(entry: &Entry) -> Option<AsWritten> {
    entry.of("employee_manager")
}
