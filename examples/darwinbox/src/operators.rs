//! Search operators, one for each kind of document that has one.

use omni_connector::{
    prelude::*,
    wire::{AttributeValue, ValueType},
};

use crate::lists::Entry;

/// A string that search finds by each of its words, as Omni's own connector sends it.
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

/// Makes an operator for each kind: its name, the attribute that it reads, and the kind of its documents.
macro_rules! operators {
    ($($name:ident: $attribute:tt of $kind:literal,)+) => {
        $(
            #[doc = concat!("Finds documents of the kind `", $kind, "`.")]
            #[search_operator(attribute = $attribute)]
            pub(crate) fn $name(entry: &Entry) -> Option<AsWritten> {
                (entry.kind == $kind).then(|| AsWritten(entry.value.clone()))
            }
        )+
    };
}

operators! {
    location: "office_location" of "office_location",
    position: "position" of "position",
    department: "department" of "department",
    designation: "designation" of "designation",
    division: "division" of "division",
    business_unit: "business_unit" of "business_unit",
    cost_center: "cost_center" of "cost_center",
    company: "group_company" of "group_company",
    job: "job_title" of "ats_job",
    job_level: "job_level" of "job_level",
    employee_job_level: "employee_job_level" of "employee_job_level",
    employee_location: "employee_location" of "employee_location",
    employee_manager: "employee_manager" of "employee_manager",
}
