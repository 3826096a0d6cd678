//! Actions of managers for their direct reports, and actions of every participant about colleagues.

use omni_connector::prelude::*;

use crate::{
    answers::{shown, submitted},
    dates::AnyDay,
    employees::Employee,
    gates::{MayWrite, Participant},
    hr::{Hr, unreadable},
};

const REQUESTS: &str = "leavesactionapi/leaveActionTakenLeaves";
/// The number of people in one request.
const AT_A_TIME: usize = 100;
/// The number of people that a search returns.
const MOST_FOUND: usize = 20;

/// The acting manager, and the numbers of all direct reports.
struct Team {
    manager: String,
    reports: Vec<String>,
}

impl Hr {
    async fn team(&self, participant: &Participant) -> Result<Team, ActionError> {
        let everybody = self.everybody().await?;
        let manager = everybody.by_email(&participant.email)?;
        let reports: Vec<_> = everybody
            .reports_of(manager)
            .iter()
            .map(|report| report.id.clone())
            .collect();
        if reports.is_empty() {
            return Err(ActionError::forbidden(
                "this action is for managers, and nobody reports to you",
            ));
        }
        Ok(Team {
            manager: manager.id.clone(),
            reports,
        })
    }

    /// Returns the leave requests of all direct reports in one answer.
    async fn requests_of(&self, team: &Team, query: &Value) -> Result<Value, ActionError> {
        let mut whole: Option<Value> = None;
        for some in team.reports.chunks(AT_A_TIME) {
            let mut query = query.clone();
            query["employee_no"] = json!(some);
            let mut answer = self.read(REQUESTS, query).await?;
            let Some(part) = answer["data"].as_array_mut() else {
                return Err(unreadable(REQUESTS, "it has no list `data`").into());
            };
            match whole
                .as_mut()
                .and_then(|whole| whole["data"].as_array_mut())
            {
                Some(data) => data.append(part),
                None => whole = Some(answer),
            }
        }
        Ok(shown(whole.unwrap_or_default()))
    }

    async fn decide(
        &self,
        may: &MayWrite,
        participant: &Participant,
        employee_no: &str,
        mut decision: Value,
    ) -> Result<(), ActionError> {
        let team = self.team(participant).await?;
        let employee_no = employee_no.trim();
        if employee_no == team.manager || !team.reports.iter().any(|report| report == employee_no) {
            return Err(ActionError::forbidden(format!(
                "`{employee_no}` is not one of your direct reports"
            )));
        }
        decision["employee_no"] = employee_no.into();
        self.write(may, "leavesactionapi/leaveaction", decision)
            .await
    }
}

/// Requests for leave of my direct reports that wait for my decision.
#[action(read)]
pub(crate) async fn list_pending_leave_approvals(
    me: Participant,
    hr: Hr,
) -> Result<Value, ActionError> {
    let team = hr.team(&me).await?;
    hr.requests_of(&team, &json!({ "action": "1" })).await
}

/// Leave of my direct reports between two days.
#[action(read)]
pub(crate) async fn get_team_leave_calendar(
    me: Participant,
    hr: Hr,
    /// First day, such as 2026-08-22
    #[arg]
    from: AnyDay,
    /// Last day
    #[arg]
    to: AnyDay,
) -> Result<Value, ActionError> {
    let team = hr.team(&me).await?;
    let query = json!({ "action": "2", "from": from.for_leave()?, "to": to.for_leave()? });
    hr.requests_of(&team, &query).await
}

/// Approve a request for leave of a direct report.
#[action(write)]
pub(crate) async fn approve_leave_request(
    me: Participant,
    may: MayWrite,
    hr: Hr,
    /// Number of the direct report
    #[arg]
    employee_no: String,
    /// Id of the request
    #[arg]
    leave_id: String,
    /// What the person should know
    #[arg]
    manager_message: Option<String>,
) -> Result<Value, ActionError> {
    let decision = json!({ "leave_id": leave_id, "action": "approve", "manager_message": manager_message.unwrap_or_default() });
    hr.decide(&may, &me, &employee_no, decision).await?;
    Ok(submitted("approve_leave_request"))
}

/// Reject a request for leave of a direct report.
#[action(write)]
pub(crate) async fn reject_leave_request(
    me: Participant,
    may: MayWrite,
    hr: Hr,
    /// Number of the direct report
    #[arg]
    employee_no: String,
    /// Id of the request
    #[arg]
    leave_id: String,
    /// What the person should know
    #[arg]
    manager_message: Option<String>,
) -> Result<Value, ActionError> {
    let decision = json!({ "leave_id": leave_id, "action": "reject", "manager_message": manager_message.unwrap_or_default() });
    hr.decide(&may, &me, &employee_no, decision).await?;
    Ok(submitted("reject_leave_request"))
}

/// Find colleagues by name, number, e-mail address or department.
#[action(read)]
pub(crate) async fn find_employee(
    me: Participant,
    hr: Hr,
    /// Part of a name, number, e-mail address or department
    #[arg]
    query: String,
) -> Result<Value, ActionError> {
    let Participant { .. } = me;
    let query = query.trim().to_lowercase();
    if query.is_empty() {
        return Err(ActionError::bad_request(
            "`query` is blank; give a part of a name, number, address or department",
        ));
    }
    let everybody = hr.everybody().await?;
    let has = |text: Option<String>| text.is_some_and(|text| text.to_lowercase().contains(&query));
    let found = everybody.employees.iter().filter(|employee| {
        let fields = ["employee_id", "company_email_id", "department_name"];
        has(Some(employee.name())) || fields.iter().any(|field| has(employee.text(field)))
    });
    let cards: Vec<_> = found.take(MOST_FOUND).map(Employee::card).collect();
    Ok(json!({ "employees": cards }))
}
