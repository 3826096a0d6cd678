//! Finding colleagues. Everybody who works here may ask; who wants to stay out of the directory does.

use omni_connector::prelude::*;

use crate::{
    api::HrClient,
    people::{Colleague, Employee},
};

/// Whom to look for. What is left out does not matter.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PeopleQuery {
    /// Part of a name or job title
    query: Option<String>,
    /// A department, such as `Engineering`
    in_department: Option<String>,
    /// An office, such as `Berlin`
    in_location: Option<String>,
}

/// Somebody's place in the company.
#[derive(Debug, Serialize)]
pub(crate) struct OrgChart {
    person: Colleague,
    /// From the person's manager up to the top.
    managers: Vec<Colleague>,
    direct_reports: Vec<Colleague>,
}

/// Chains of managers are shorter; a longer one is a circle.
const TOP: usize = 20;

/// Find colleagues by name, job title, department or office.
#[action(read)]
pub(crate) async fn search_people(
    hr: HrClient,
    actor: Actor,
    query: Args<PeopleQuery>,
) -> Result<Vec<Colleague>, ActionError> {
    let me = hr.me(&actor).await?;
    let filter = json!({
        "query": query.query, "department": query.in_department, "location": query.in_location, "active": true,
    });
    Ok(shown(&me, hr.employees(filter).await?))
}

/// Whom somebody reports to, up to the top, and who reports to them.
#[action(read)]
pub(crate) async fn org_chart(
    hr: HrClient,
    actor: Actor,
    /// The person's address; mine when left out
    #[arg]
    person: Option<Email>,
) -> Result<OrgChart, ActionError> {
    let me = hr.me(&actor).await?;
    let person = match person {
        Some(email) => hr.employee_by_email(email.as_str()).await?,
        None => me.clone(),
    };
    if !person.is_shown_to(&me) {
        return Err(ActionError::forbidden(
            "this person is not in the directory",
        ));
    }
    let mut managers = Vec::new();
    let mut next = person.manager_no.clone();
    while let Some(employee_no) = next.take()
        && managers.len() < TOP
    {
        let manager = hr.employee(&employee_no).await?;
        next.clone_from(&manager.manager_no);
        managers.push(manager);
    }
    Ok(OrgChart {
        direct_reports: shown(&me, hr.reports_of(&person).await?),
        managers: shown(&me, managers),
        person: person.colleague(),
    })
}

fn shown(to: &Employee, people: Vec<Employee>) -> Vec<Colleague> {
    let people = people.into_iter().filter(|person| person.is_shown_to(to));
    people.map(Employee::colleague).collect()
}
