//! Filters Darwinbox's answers: callers see only the fields listed here.

use omni_connector::prelude::*;
use serde_json::Map;

/// Fields that are shown at any depth, separated by spaces.
const SHOWN: &str = "
    accrued_so_far_this_year action_by action_on adjustment_balance applied_leave_id attendance attendance_status
    available_balance balance category category_header company_email_id count currently_availabel_balance data
    date department_name designation_name direct_manager_employee_id display_name employee employee_id
    employee_name employee_no employee_type employees from from_date fullday_halfday_status holiday_date
    holiday_name holiday_repeats holidays id is_firsthalf_secondhalf is_half_day is_national is_optional is_unpaid
    leave_days leave_id leave_name leave_reason leave_requests leave_sub_category leave_type manager_message
    message mobile_allowed month name office_area previous_balance records reportee_task results status success
    taken timesheet title to to_date total_count total_working_days utilized_leaves_this_year year
    yearly_allotment
";
/// Fields with objects whose keys are names that the company chose.
const NAMED: &str = "action_buttons category_wise_count details headers_data tasks_data";

/// Removes the fields that are not listed.
pub(crate) fn shown(answer: Value) -> Value {
    match answer {
        Value::Object(fields) => Value::Object(fields.into_iter().filter_map(field).collect()),
        Value::Array(items) => items.into_iter().map(shown).collect(),
        other => other,
    }
}

fn field((key, value): (String, Value)) -> Option<(String, Value)> {
    if NAMED.split_whitespace().any(|named| named == key) {
        let named = |fields: Map<String, Value>| {
            fields.into_iter().map(|(name, value)| (name, shown(value)))
        };
        return match value {
            Value::Object(fields) => Some((key, Value::Object(named(fields).collect()))),
            other => Some((key, shown(other))),
        };
    }
    SHOWN
        .split_whitespace()
        .any(|shown| shown == key)
        .then(|| (key, shown(value)))
}

/// Makes the answer of every action that changed something.
pub(crate) fn submitted(action: &'static str) -> Value {
    json!({ "status": "submitted", "action": action })
}
