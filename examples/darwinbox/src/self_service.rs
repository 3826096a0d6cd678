//! What people ask HR for on their own behalf. Every action is about the record of the person who acts, and no other.

use omni_connector::{prelude::*, wire::Day};

use crate::{
    api::HrClient,
    dates,
    people::Employee,
    requests::{LeaveType, Request, RequestStatus},
};

/// Days of leave of one kind.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Balance {
    leave_type: LeaveType,
    entitled: f32,
    available: f32,
}

/// A day on which an office is closed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Holiday {
    #[serde(deserialize_with = "dates::day")]
    date: Day,
    name: String,
}

/// Show my own HR record.
#[action(read)]
pub(crate) async fn my_profile(hr: HrClient, actor: Actor) -> Result<Employee, ActionError> {
    hr.me(&actor).await
}

/// How many days of leave I have left, of each kind.
#[action(read)]
pub(crate) async fn my_leave_balance(
    hr: HrClient,
    actor: Actor,
) -> Result<Vec<Balance>, ActionError> {
    let me = hr.me(&actor).await?;
    let query = json!({ "employee_no": me.number });
    hr.call("leave/balance", query).await
}

/// My requests for leave and attendance, and what became of them.
#[action(read)]
pub(crate) async fn my_requests(
    hr: HrClient,
    actor: Actor,
    /// Only those of this status
    #[arg]
    status: Option<RequestStatus>,
) -> Result<Vec<Request>, ActionError> {
    let me = hr.me(&actor).await?;
    hr.requests_of([&me], status).await
}

/// Apply for leave. The request then waits for my manager.
#[action(write)]
pub(crate) async fn apply_for_leave(
    hr: HrClient,
    actor: Actor,
    /// Kind of leave
    #[arg]
    leave_type: LeaveType,
    /// First day
    #[arg]
    from: Day,
    /// Last day
    #[arg]
    to: Day,
    /// Only half of the day
    #[arg(default)]
    half_day: bool,
    /// What my manager should know
    #[arg(default, max_length = 500)]
    reason: String,
) -> Result<Request, ActionError> {
    if from > to || (half_day && from != to) {
        let message = "leave ends on or after its first day, and half a day on the same one";
        return Err(ActionError::bad_request(message));
    }
    let me = hr.me(&actor).await?;
    let request = json!({
        "employee_no": me.number, "leave_type": leave_type, "half_day": half_day, "reason": reason,
        "from": dates::to_hr(from)?, "to": dates::to_hr(to)?,
    });
    hr.call("leave/apply", request).await
}

/// Withdraw a request of mine that is still pending.
#[action(write)]
pub(crate) async fn cancel_request(
    hr: HrClient,
    actor: Actor,
    /// Id of the request
    #[arg]
    request_id: String,
) -> Result<Request, ActionError> {
    let (me, request) = (hr.me(&actor).await?, hr.request(&request_id).await?);
    if request.employee_no != me.number {
        let message = format!("request `{request_id}` is somebody else's");
        return Err(ActionError::forbidden(message));
    }
    request.must_be_pending()?;
    let query = json!({ "request_id": request_id, "by": me.number });
    hr.call("requests/cancel", query).await
}

/// Correct the hours of a day on which I forgot to clock in or out. The request then waits for my manager.
#[action(write)]
pub(crate) async fn regularise_attendance(
    hr: HrClient,
    actor: Actor,
    /// The day to correct
    #[arg]
    date: Day,
    /// When I came
    #[arg(pattern = "^[0-2][0-9]:[0-5][0-9]$", example = "09:00")]
    clock_in: String,
    /// When I left
    #[arg(pattern = "^[0-2][0-9]:[0-5][0-9]$", example = "17:30")]
    clock_out: String,
    /// Why the clock does not know
    #[arg(min_length = 3, max_length = 500)]
    reason: String,
) -> Result<Request, ActionError> {
    let me = hr.me(&actor).await?;
    let request = json!({
        "employee_no": me.number, "date": dates::to_hr(date)?, "clock_in": clock_in, "clock_out": clock_out,
        "reason": reason,
    });
    hr.call("attendance/regularise", request).await
}

/// The months for which I have a payslip, newest first.
#[action(read)]
pub(crate) async fn my_payslips(hr: HrClient, actor: Actor) -> Result<Vec<String>, ActionError> {
    let me = hr.me(&actor).await?;
    let query = json!({ "employee_no": me.number });
    hr.call("payslips/list", query).await
}

/// My payslip of one month, as a PDF.
#[action(read, timeout = 25)]
pub(crate) async fn my_payslip(
    hr: HrClient,
    actor: Actor,
    /// Year and month
    #[arg(pattern = "^[0-9]{4}-[01][0-9]$", example = "2026-08")]
    month: String,
) -> Result<File, ActionError> {
    let me = hr.me(&actor).await?;
    let query = json!({ "employee_no": me.number, "month": month });
    hr.file("payslips/file", query, format!("Payslip {month}.pdf"))
        .await
}

/// Public holidays at my office.
#[action(read)]
pub(crate) async fn holidays(
    hr: HrClient,
    actor: Actor,
    /// The year
    #[arg(min = 2000, max = 2100)]
    year: u16,
) -> Result<Vec<Holiday>, ActionError> {
    let me = hr.me(&actor).await?;
    let query = json!({ "year": year, "location": me.location });
    hr.call("holidays/list", query).await
}
