//! What managers ask for. Every action is about the direct reports of the person who acts.

use omni_connector::{prelude::*, wire::Day};

use crate::{
    api::HrClient,
    people::Employee,
    requests::{Request, RequestKind, RequestStatus},
};

/// Somebody's days away.
#[derive(Debug, Serialize)]
pub(crate) struct Absence {
    name: String,
    from: Day,
    to: Day,
    status: RequestStatus,
}

/// The HR records of my direct reports.
#[action(read)]
pub(crate) async fn my_team(hr: HrClient, actor: Actor) -> Result<Vec<Employee>, ActionError> {
    let me = hr.me(&actor).await?;
    hr.reports_of(&me).await
}

/// Who of my direct reports is away, or wants to be, in these days.
#[action(read)]
pub(crate) async fn team_leave_calendar(
    hr: HrClient,
    actor: Actor,
    /// First day to look at
    #[arg]
    from: Day,
    /// Last day to look at
    #[arg]
    to: Day,
) -> Result<Vec<Absence>, ActionError> {
    let me = hr.me(&actor).await?;
    let team = hr.reports_of(&me).await?;
    let requests = hr.requests_of(&team, None).await?;
    let away = requests.into_iter().filter(|request| {
        use RequestStatus::{Approved, Pending};
        matches!(request.kind, RequestKind::Leave)
            && matches!(request.status, Pending | Approved)
            && request.from <= to
            && request.to >= from
    });
    let absence = |request: Request| {
        let person = team
            .iter()
            .find(|person| person.number == request.employee_no)?;
        Some(Absence {
            name: person.name.clone(),
            from: request.from,
            to: request.to,
            status: request.status,
        })
    };
    Ok(away.filter_map(absence).collect())
}

/// Requests of my direct reports that wait for my decision.
#[action(read)]
pub(crate) async fn pending_approvals(
    hr: HrClient,
    actor: Actor,
) -> Result<Vec<Request>, ActionError> {
    let me = hr.me(&actor).await?;
    let team = hr.reports_of(&me).await?;
    hr.requests_of(&team, Some(RequestStatus::Pending)).await
}

/// Approve a request of a direct report.
#[action(write)]
pub(crate) async fn approve_request(
    hr: HrClient,
    actor: Actor,
    /// Id of the request
    #[arg]
    request_id: String,
    /// What the person should know
    #[arg(default, max_length = 500)]
    comment: String,
) -> Result<Request, ActionError> {
    decide(&hr, &actor, &request_id, "approve", &comment).await
}

/// Reject a request of a direct report, and say why.
#[action(write)]
pub(crate) async fn reject_request(
    hr: HrClient,
    actor: Actor,
    /// Id of the request
    #[arg]
    request_id: String,
    /// Why; the person reads it
    #[arg(min_length = 3, max_length = 500)]
    reason: String,
) -> Result<Request, ActionError> {
    decide(&hr, &actor, &request_id, "reject", &reason).await
}

async fn decide(
    hr: &HrClient,
    actor: &Actor,
    request_id: &str,
    decision: &str,
    comment: &str,
) -> Result<Request, ActionError> {
    let (me, request) = (hr.me(actor).await?, hr.request(request_id).await?);
    let person = hr.employee(&request.employee_no).await?;
    if person.manager_no.as_ref() != Some(&me.number) {
        let message = format!("request `{request_id}` is not from one of your direct reports");
        return Err(ActionError::forbidden(message));
    }
    request.must_be_pending()?;
    let decision = json!({
        "request_id": request_id, "decision": decision, "comment": comment, "by": me.number,
    });
    hr.call("requests/decide", decision).await
}
