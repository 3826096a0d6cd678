//! Self-service actions. Every action concerns only the record of the acting person.

use omni_connector::prelude::*;
use serde::{
    Deserializer,
    de::{Error, Unexpected},
};

use crate::{
    answers::{shown, submitted},
    dates::AnyDay,
    employees::Employee,
    gates::{MayWrite, Mine, Participant},
    hr::Hr,
};

const IMPORT_LEAVE: &str = "leavesactionapi/importleave";

/// An action that needs to know nothing.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

/// The year of a calendar.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct OfYear {
    /// Four digits; this year, unless it is given
    #[serde(default, deserialize_with = "year")]
    #[schemars(with = "String")]
    year: Option<String>,
}

/// Days from one to another.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Period {
    /// First day, such as 2026-08-22
    from: AnyDay,
    /// Last day
    to: AnyDay,
}

/// Which requests for leave.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Requests {
    /// First day, such as 2026-08-22
    from: AnyDay,
    /// Last day
    to: AnyDay,
    /// Which of them, by the number that Darwinbox has for it: all (0), unless it is given
    #[serde(default)]
    #[schemars(with = "String")]
    action: Option<String>,
}

/// Which attendance.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Attendance {
    /// First day, such as 2026-08-22
    #[serde(default)]
    #[schemars(with = "AnyDay")]
    from_date: Option<AnyDay>,
    /// Last day
    #[serde(default)]
    #[schemars(with = "AnyDay")]
    to_date: Option<AnyDay>,
    /// A month, such as 2026-08; this month, unless days are given
    #[serde(default, deserialize_with = "month")]
    #[schemars(with = "String")]
    month: Option<String>,
}

/// An application for leave.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Leave {
    /// Kind of leave, by its name in the balance
    #[serde(rename = "leave_name")]
    name: String,
    /// What the manager should know
    message: String,
    /// First day, such as 2026-08-22
    from_date: AnyDay,
    /// Last day
    to_date: AnyDay,
    /// Whether it is half a day
    #[serde(default)]
    is_half_day: YesNo,
    /// Which half of the day: 1 or 2
    #[serde(default)]
    #[schemars(with = "Half")]
    is_firsthalf_secondhalf: Option<Half>,
    /// Whether it is paid
    #[serde(default)]
    is_paid_or_unpaid: Pay,
}

#[derive(Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum YesNo {
    Yes,
    #[default]
    No,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) enum Half {
    #[serde(rename = "1")]
    First,
    #[serde(rename = "2")]
    Second,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pay {
    #[default]
    Paid,
    Unpaid,
}

/// A request for leave that is withdrawn.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Revocation {
    /// Id of the request
    leave_id: String,
    /// Why
    revoke_reason: String,
}

impl Hr {
    /// Returns the record of the acting person.
    async fn me(&self, participant: &Participant) -> Result<Employee, ActionError> {
        Ok(self
            .everybody()
            .await?
            .by_email(&participant.email)?
            .clone())
    }
}

/// Show my own Darwinbox profile.
#[action(read)]
pub(crate) async fn get_my_profile(mine: Mine<Nothing>, hr: Hr) -> Result<Value, ActionError> {
    let Nothing {} = mine.input;
    Ok(json!({ "employee": hr.me(&mine.me).await?.card() }))
}

/// How many days of leave I have left, of each kind.
#[action(read)]
pub(crate) async fn get_my_leave_balance(
    mine: Mine<Nothing>,
    hr: Hr,
) -> Result<Value, ActionError> {
    let me = hr.me(&mine.me).await?;
    let query = json!({ "employee_nos": [me.id], "ignore_rounding": "1" });
    Ok(shown(hr.read("leavesactionapi/leavebalance", query).await?))
}

/// The holidays of my office in one year.
#[action(read)]
pub(crate) async fn get_holiday_calendar(mine: Mine<OfYear>, hr: Hr) -> Result<Value, ActionError> {
    let me = hr.me(&mine.me).await?;
    let this_year = || mine.me.settings.today().year().to_string();
    let year = mine.input.year.unwrap_or_else(this_year);
    let query = json!({ "employee_no": me.id, "year": year });
    Ok(shown(hr.read("leavesactionapi/holidaylist", query).await?))
}

/// My requests for leave between two days, and what became of them.
#[action(read)]
pub(crate) async fn get_my_leave_requests(
    mine: Mine<Requests>,
    hr: Hr,
) -> Result<Value, ActionError> {
    let Requests { from, to, action } = mine.input;
    let action = action
        .filter(|action| !action.trim().is_empty())
        .unwrap_or_else(|| "0".to_owned());
    let me = hr.me(&mine.me).await?;
    let query = json!({
        "employee_no": [me.id], "action": action, "from": from.for_leave()?, "to": to.for_leave()?,
    });
    Ok(shown(
        hr.read("leavesactionapi/leaveActionTakenLeaves", query)
            .await?,
    ))
}

/// My tasks in Darwinbox that wait for me.
#[action(read)]
pub(crate) async fn get_my_pending_tasks(
    mine: Mine<Nothing>,
    hr: Hr,
) -> Result<Value, ActionError> {
    let me = hr.me(&mine.me).await?;
    Ok(shown(
        hr.read("orgmasterapi/getTasks", json!({ "employee_id": me.id }))
            .await?,
    ))
}

/// My attendance in one month, or between two days. All of it is shown: it is about nobody else.
#[action(read)]
pub(crate) async fn get_my_attendance(
    mine: Mine<Attendance>,
    hr: Hr,
) -> Result<Value, ActionError> {
    let Attendance {
        from_date,
        to_date,
        mut month,
    } = mine.input;
    if from_date.is_none() && to_date.is_none() && month.is_none() {
        let today = mine.me.settings.today();
        month = Some(format!(
            "{:04}-{:02}",
            today.year(),
            u8::from(today.month())
        ));
    }
    let me = hr.me(&mine.me).await?;
    let mut query = json!({ "emp_number_list": [me.id] });
    let days = [("from_date", from_date), ("to_date", to_date)];
    for (key, day) in days
        .map(|(key, day)| (key, day.map(AnyDay::for_attendance)))
        .into_iter()
        .chain([("month", month)])
    {
        if let Some(value) = day {
            query[key] = value.into();
        }
    }
    Ok(hr.read("AttendanceDataApi/monthly", query).await?)
}

/// My timesheet between two days. All of it is shown: it is about nobody else.
#[action(read)]
pub(crate) async fn get_my_timesheet(mine: Mine<Period>, hr: Hr) -> Result<Value, ActionError> {
    let Period { from, to } = mine.input;
    let me = hr.me(&mine.me).await?;
    let query =
        json!({ "employee_no": [me.id], "from": from.for_attendance(), "to": to.for_attendance() });
    Ok(hr
        .read("attendanceDataApi/timesheetdatewise", query)
        .await?)
}

/// Apply for leave. The request then waits for my manager.
#[action(write)]
pub(crate) async fn apply_my_leave(
    mine: Mine<Leave>,
    may: MayWrite,
    hr: Hr,
) -> Result<Value, ActionError> {
    let leave = mine.input;
    if leave.from_date > leave.to_date {
        return Err(ActionError::bad_request(
            "`to_date` is before `from_date`; leave ends on or after its first day",
        ));
    }
    let is_half = leave.is_half_day == YesNo::Yes;
    if is_half && (leave.is_firsthalf_secondhalf.is_none() || leave.from_date != leave.to_date) {
        return Err(ActionError::bad_request(
            "half a day is on one day, and `is_firsthalf_secondhalf` says which half of it: 1 or 2",
        ));
    }
    let me = hr.me(&mine.me).await?;
    let mut request = json!({
        "employee_no": me.id, "leave_name": leave.name, "message": leave.message,
        "from_date": leave.from_date.for_leave()?, "to_date": leave.to_date.for_leave()?,
        "is_half_day": leave.is_half_day, "is_paid_or_unpaid": leave.is_paid_or_unpaid, "revoke_leave": "No",
    });
    if is_half {
        request["is_firsthalf_secondhalf"] = json!(leave.is_firsthalf_secondhalf);
    }
    hr.write(&may, IMPORT_LEAVE, json!({ "data": [request] }))
        .await?;
    Ok(submitted("apply_my_leave"))
}

/// Withdraw a request for leave of mine.
#[action(write)]
pub(crate) async fn revoke_my_leave(
    mine: Mine<Revocation>,
    may: MayWrite,
    hr: Hr,
) -> Result<Value, ActionError> {
    let Revocation {
        leave_id,
        revoke_reason,
    } = mine.input;
    let me = hr.me(&mine.me).await?;
    let request = json!({
        "employee_no": me.id, "leave_id": leave_id, "revoke_leave": "Yes", "revoke_reason": revoke_reason,
    });
    hr.write(&may, IMPORT_LEAVE, json!({ "data": [request] }))
        .await?;
    Ok(submitted("revoke_my_leave"))
}

fn year<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked(deserializer, is_year, "a year of four digits such as 2026")
}

fn month<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let is_month = |text: &str| {
        let (year, month) = text.split_once('-').unwrap_or_default();
        is_year(year) && month.len() == 2 && matches!(month.parse(), Ok(1..=12_u8))
    };
    checked(deserializer, is_month, "a month such as 2026-08")
}

/// Decodes a string of the expected form. A blank string counts as missing.
fn checked<'de, D: Deserializer<'de>>(
    deserializer: D,
    fits: impl Fn(&str) -> bool,
    expected: &'static str,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.filter(|text| !text.trim().is_empty());
    match &text {
        Some(text) if !fits(text) => Err(D::Error::invalid_value(
            Unexpected::Other("text"),
            &expected,
        )),
        _ => Ok(text),
    }
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}
