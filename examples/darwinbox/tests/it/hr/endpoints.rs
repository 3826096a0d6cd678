//! What each endpoint of the HR system answers. It trusts its key: whom it acts for is the connector's to know.

use omni_connector::prelude::*;

use super::Company;

pub(super) enum Answer {
    Data(Value),
    List(Vec<Value>),
    File(&'static [u8]),
    Refused(&'static str, String),
}

use Answer::{Data, File, List, Refused};

pub(super) fn ask(company: &mut Company, endpoint: &str, query: &Value) -> Answer {
    match endpoint {
        "account/whoami" => Data(json!({ "key": "darwin" })),
        "employees/get" => employee(company, query),
        "employees/list" => List(employees(company, query)),
        "notices/get" => match find(&company.notices, "notice_id", query) {
            Some(notice) => Data(notice.clone()),
            None => not_found("notice"),
        },
        "notices/list" => List(changed(&company.notices, query).cloned().collect()),
        "notices/file" => File(b"%PDF notice"),
        "leave/balance" => Data(json!([
            { "leave_type": "annual", "entitled": 30, "available": 12.5 },
            { "leave_type": "sick", "entitled": 10, "available": 10 },
        ])),
        "leave/apply" => apply(company, query),
        "attendance/regularise" => {
            let mut request = query.clone();
            request["kind"] = "attendance".into();
            (request["from"], request["to"]) = (query["date"].clone(), query["date"].clone());
            add_request(company, request)
        }
        "requests/get" => match find(&company.requests, "request_id", query) {
            Some(request) => Data(request.clone()),
            None => not_found("request"),
        },
        "requests/list" => List(requests(company, query)),
        "requests/cancel" => set_status(company, query, "cancelled"),
        "requests/decide" if query["decision"] == "approve" => {
            set_status(company, query, "approved")
        }
        "requests/decide" => set_status(company, query, "rejected"),
        "payslips/list" => Data(json!(["2026-08", "2026-07"])),
        "payslips/file" if query["month"] == "2026-08" => File(b"%PDF payslip"),
        "payslips/file" => not_found("payslip"),
        "holidays/list" => Data(json!([
            { "date": format!("03-10-{}", query["year"]), "name": format!("Unity Day, {}", query["location"].as_str().unwrap()) },
        ])),
        "reports/headcount" => Data(json!([
            { "name": query["group_by"], "count": company.employees.len() },
        ])),
        _ => Refused("NO_SUCH_ENDPOINT", format!("there is no `{endpoint}`")),
    }
}

fn not_found(what: &str) -> Answer {
    Refused("NOT_FOUND", format!("No such {what}"))
}

fn find<'a>(records: &'a [Value], key: &str, query: &Value) -> Option<&'a Value> {
    records.iter().find(|record| record[key] == query[key])
}

fn employee(company: &Company, query: &Value) -> Answer {
    let same = |key: &str, employee: &Value| {
        let wanted = query[key].as_str().unwrap_or_default();
        employee[key].as_str().unwrap().eq_ignore_ascii_case(wanted)
    };
    let found = company
        .employees
        .iter()
        .find(|employee| same("email", employee) || same("employee_no", employee));
    found.map_or_else(|| not_found("employee"), |employee| Data(employee.clone()))
}

fn employees(company: &Company, query: &Value) -> Vec<Value> {
    let given = |key: &str| query[key].as_str().map(str::to_lowercase);
    let text = |employee: &Value, key: &str| employee[key].as_str().unwrap_or("").to_lowercase();
    let in_period = |employee: &Value, key: &str, [from, to]: [&str; 2]| {
        let day = sortable(&text(employee, key));
        given(from).is_none_or(|from| !day.is_empty() && sortable(&from) <= day)
            && given(to).is_none_or(|to| day <= sortable(&to))
    };
    let fits = |employee: &&Value| {
        ["department", "location", "manager_no"]
            .iter()
            .all(|key| given(key).is_none_or(|wanted| text(employee, key) == wanted))
            && given("query").is_none_or(|part| {
                text(employee, "name").contains(&part)
                    || text(employee, "job_title").contains(&part)
            })
            && (query["active"] != true || employee["left_on"] == "")
            && in_period(employee, "joined_on", ["joined_from", "joined_to"])
            && in_period(employee, "left_on", ["left_from", "left_to"])
    };
    changed(&company.employees, query)
        .filter(fits)
        .cloned()
        .collect()
}

/// What changed in or after the minute that the query names.
fn changed<'a>(records: &'a [Value], query: &Value) -> impl Iterator<Item = &'a Value> {
    let since = query["updated_since"].as_str().map(sortable);
    records.iter().filter(move |record| {
        let updated = sortable(record["updated_on"].as_str().unwrap());
        since.as_ref().is_none_or(|since| *since <= updated)
    })
}

/// `22-08-2026 10:00:00` as `2026-08-22 10:00:00`.
fn sortable(text: &str) -> String {
    let (day, time) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts: Vec<_> = day.split('-').collect();
    parts.reverse();
    format!("{} {time}", parts.join("-")).trim().to_owned()
}

fn apply(company: &mut Company, query: &Value) -> Answer {
    let (from, to) = (&query["from"], &query["to"]);
    let overlaps = |request: &Value| {
        request["employee_no"] == query["employee_no"]
            && (request["from"] == *from || request["to"] == *to)
    };
    if company.requests.iter().any(overlaps) {
        return Refused(
            "CONFLICT",
            format!("There is a request for {}", from.as_str().unwrap()),
        );
    }
    if query["leave_type"] == "casual" && from != to {
        return Refused("INVALID", "Casual leave is for single days".to_owned());
    }
    let mut request = query.clone();
    request["kind"] = "leave".into();
    add_request(company, request)
}

fn add_request(company: &mut Company, mut request: Value) -> Answer {
    request["request_id"] = format!("R{}", company.requests.len() + 1).into();
    request["status"] = "pending".into();
    company.requests.push(request.clone());
    Data(request)
}

fn requests(company: &Company, query: &Value) -> Vec<Value> {
    let of = query["employee_nos"].as_array().unwrap();
    let fits = |request: &&Value| {
        of.contains(&request["employee_no"])
            && (query["status"].is_null() || request["status"] == query["status"])
    };
    company.requests.iter().filter(fits).cloned().collect()
}

fn set_status(company: &mut Company, query: &Value, status: &str) -> Answer {
    let id = &query["request_id"];
    let request = company
        .requests
        .iter_mut()
        .find(|request| request["request_id"] == *id);
    let request = request.unwrap();
    request["status"] = status.into();
    request["decided_by"] = query["by"].clone();
    Data(request.clone())
}
