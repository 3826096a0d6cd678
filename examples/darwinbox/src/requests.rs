//! What waits for a manager's decision: leave, and corrections of attendance.

use omni_connector::{prelude::*, wire::Day};

use crate::{api::HrClient, dates, people::Employee};

/// One request.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    #[serde(rename = "request_id")]
    pub id: String,
    /// Whose it is.
    pub employee_no: String,
    pub kind: RequestKind,
    pub status: RequestStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave_type: Option<LeaveType>,
    #[serde(deserialize_with = "dates::day")]
    pub from: Day,
    #[serde(deserialize_with = "dates::day")]
    pub to: Day,
    #[serde(default)]
    pub reason: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RequestKind {
    Leave,
    Attendance,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RequestStatus {
    Pending,
    Approved,
    Rejected,
    Cancelled,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LeaveType {
    /// Planned, paid
    Annual,
    /// Illness
    Sick,
    /// Short notice, at most two days
    Casual,
    Unpaid,
}

impl Request {
    /// Only what nobody has decided yet can be changed.
    pub(crate) fn must_be_pending(&self) -> Result<(), ActionError> {
        if self.status == RequestStatus::Pending {
            return Ok(());
        }
        let message = format!("request `{}` is no longer pending", self.id);
        Err(ActionError::conflict(message))
    }
}

impl HrClient {
    pub(crate) async fn request(&self, request_id: &str) -> Result<Request, ActionError> {
        let query = json!({ "request_id": request_id });
        self.call("requests/get", query).await
    }

    /// The requests of these people; of every status when none is named.
    pub(crate) async fn requests_of(
        &self,
        people: impl IntoIterator<Item = &Employee>,
        status: Option<RequestStatus>,
    ) -> Result<Vec<Request>, ActionError> {
        let people: Vec<_> = people.into_iter().map(|person| &person.number).collect();
        let query = json!({ "employee_nos": people, "status": status });
        self.pages("requests/list", query).all().await
    }
}
