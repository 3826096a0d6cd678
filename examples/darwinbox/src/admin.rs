//! Reports for HR. Omni offers them to admins only, and runs them with the organisation's key.

use omni_connector::{prelude::*, wire::Day};

use crate::{api::HrClient, dates, people::Employee};

/// What a headcount is split by.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GroupBy {
    #[default]
    Department,
    Location,
    EmployeeType,
}

/// How many people work somewhere.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Headcount {
    name: String,
    count: u32,
}

/// How many people work here, by department, office or kind of employment.
#[action(read, admin_only)]
pub(crate) async fn headcount(
    hr: HrClient,
    /// What to split the number by
    #[arg(default)]
    group_by: GroupBy,
) -> Result<Vec<Headcount>, ActionError> {
    let query = json!({ "group_by": group_by });
    hr.call("reports/headcount", query).await
}

/// Everybody whose first day is in this period.
#[action(read, admin_only)]
pub(crate) async fn new_joiners(
    hr: HrClient,
    /// First day of the period
    #[arg]
    from: Day,
    /// Last day of the period
    #[arg]
    to: Day,
) -> Result<Vec<Employee>, ActionError> {
    let filter = json!({ "joined_from": dates::to_hr(from)?, "joined_to": dates::to_hr(to)? });
    hr.employees(filter).await
}

/// Everybody whose last day is in this period.
#[action(read, admin_only)]
pub(crate) async fn leavers(
    hr: HrClient,
    /// First day of the period
    #[arg]
    from: Day,
    /// Last day of the period
    #[arg]
    to: Day,
) -> Result<Vec<Employee>, ActionError> {
    let filter = json!({ "left_from": dates::to_hr(from)?, "left_to": dates::to_hr(to)? });
    hr.employees(filter).await
}
