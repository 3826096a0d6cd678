//! Darwinbox, in this process: its envelopes, keys, tokens and tables, over a harbour of three people. It knows no more than the facts
//! that are known of the real one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use omni_connector::prelude::*;
use tokio::{net::TcpListener, task::JoinHandle};

/// `hr-user:hr-pass`, as HTTP's basic authentication has it.
const BASIC: &str = "Basic aHItdXNlcjpoci1wYXNz";

/// How calls of one endpoint go wrong.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// This status, and a body that says why.
    Status(u16),
    /// Status 200, and this body.
    Body(&'static str),
    /// Status 200, and `status` 0.
    Refuses,
    /// The call is acted on, and answered with 502.
    AfterActing,
    /// No answer comes.
    Hangs,
}

/// Everything that Darwinbox knows.
pub(crate) struct World {
    pub(crate) people: Vec<Value>,
    pub(crate) lists: BTreeMap<String, Value>,
    pub(crate) tables: BTreeMap<String, (Vec<&'static str>, Vec<Value>)>,
    /// Holidays by year.
    pub(crate) holidays: BTreeMap<String, Value>,
    pub(crate) leaves: Vec<Value>,
    /// The faults, by endpoint, each with the number of calls that it still affects.
    pub(crate) troubles: BTreeMap<String, (Trouble, usize)>,
    /// Calls so far: endpoint, body and how they were authorised.
    pub(crate) calls: Vec<(String, Value, String)>,
    /// The only token that works, and the only refresh token and code.
    pub(crate) token: String,
    pub(crate) refresh: String,
    code: Option<String>,
    tokens: usize,
}

/// The running system.
pub(crate) struct Fake {
    pub(crate) url: String,
    world: Shared,
    server: JoinHandle<()>,
}

type Shared = Arc<Mutex<World>>;

/// Turns rows into a table.
pub(crate) fn row(cells: &[&str]) -> Value {
    json!(cells)
}

impl World {
    fn new() -> Self {
        let recorded: Value = serde_json::from_str(include_str!("recorded.json")).unwrap();
        let source = &recorded["source"];
        let lists = source["lists"].as_object().unwrap().clone();
        let holiday = json!({
            "id": "H1", "name": "Harbour day", "date": "2026-06-01", "year": "2026", "holiday_repeats": "Yes",
            "is_optional": "No", "is_national": "Yes",
        });
        let tables = [
            (
                "employeeJobLevel",
                vec!["Employee ID", "Name", "Job Level Name", "From", "Salary"],
                ["E1", "Ada Light", "Senior", "01-02-2019", "9"].as_slice(),
            ),
            (
                "employeeLocation",
                vec!["Employee ID", "Name", "Area", "City", "From"],
                &["E1", "Ada Light", "North pier", "Oslo", "01-02-2019"],
            ),
            (
                "employeeManager",
                vec!["Employee ID", "Name", "Manager Name", "From"],
                &["E2", "Bob Boat", "Ada Light", "01-03-2020"],
            ),
        ];
        let tables = tables.map(|(name, columns, cells)| {
            (format!("orgmasterapi/{name}"), (columns, vec![row(cells)]))
        });
        Self {
            people: source["people"].as_array().unwrap().clone(),
            lists: lists
                .into_iter()
                .map(|(path, list)| (path[1..].to_owned(), list))
                .collect(),
            tables: tables.into(),
            // Of this year, whichever it is: the recording knows one only.
            holidays: [(
                OffsetDateTime::now_utc().year().to_string(),
                json!([holiday]),
            )]
            .into(),
            leaves: Vec::new(),
            troubles: BTreeMap::new(),
            calls: Vec::new(),
            token: String::new(),
            refresh: "refresh-0".to_owned(),
            code: Some("code-0".to_owned()),
            tokens: 0,
        }
    }

    pub(crate) fn person(&mut self, id: &str) -> &mut Value {
        self.people
            .iter_mut()
            .find(|person| person["employee_id"] == id)
            .unwrap()
    }

    pub(crate) fn list(&mut self, name: &str) -> &mut Vec<Value> {
        self.lists.get_mut(name).unwrap().as_array_mut().unwrap()
    }

    fn granted(&mut self, grant: &Value) -> Value {
        let is_known =
            grant["client_id"] == "hr-client" && grant["client_secret"] == "client-s3cret";
        let works = match grant["grant_type"].as_str() {
            Some("client_credentials") => true,
            Some("refresh_token") => grant["refresh_token"] == self.refresh.as_str(),
            Some("authorization_code") => self
                .code
                .take()
                .is_some_and(|code| grant["code"] == code.as_str()),
            _ => false,
        };
        if !is_known || !works {
            return json!({ "status": 0, "message": "Invalid grant" });
        }
        self.tokens += 1;
        self.token = format!("token-{}", self.tokens);
        self.refresh = format!("refresh-{}", self.tokens);
        json!({ "access_token": self.token, "refresh_token": self.refresh, "expires_in": "3600" })
    }

    fn answer(&mut self, path: &str, query: &Value) -> Option<Value> {
        if let Some(list) = self.lists.get(path) {
            return Some(json!({ "status": 1, "message": "Loaded", "data": list }));
        }
        if let Some((columns, rows)) = self.tables.get(path) {
            let asked = query["employee_number"].as_array().unwrap();
            assert!(asked.len() <= 100);
            let rows: Vec<_> = rows
                .iter()
                .filter(|row| row[0] == "" || asked.contains(&row[0]))
                .collect();
            return Some(json!({ "status": 1, "cols": columns, "data": rows }));
        }
        Some(match path {
            "masterapi/employee" => {
                let asked = query["employee_ids"].as_array();
                let is_asked =
                    |person: &&Value| asked.is_none_or(|ids| ids.contains(&person["employee_id"]));
                let people: Vec<_> = self.people.iter().filter(is_asked).collect();
                json!({ "status": 1, "employee_data": people })
            }
            "leavesactionapi/holidaylist" => {
                let none = json!([]);
                let year = self
                    .holidays
                    .get(query["year"].as_str().unwrap())
                    .unwrap_or(&none);
                json!({ "status": 1, "holidays": year, "errors": [], "message": "Loaded" })
            }
            "leavesactionapi/leavebalance" => json!({ "status": 1, "data": [{
                "employee_no": query["employee_nos"][0], "leave_name": "Annual", "currently_availabel_balance": 12.5,
                "yearly_allotment": "30", "taken": 3, "salary": "s3cret-pay",
            }] }),
            "leavesactionapi/leaveActionTakenLeaves" => {
                let asked = query["employee_no"].as_array().unwrap();
                let is_asked = |leave: &&Value| asked.contains(&leave["employee_no"]);
                let of_state = |leave: &&Value| match query["action"].as_str().unwrap() {
                    "1" => leave["state"] == "pending",
                    "2" => leave["state"] == "approve",
                    _ => true,
                };
                let leaves: Vec<_> = self
                    .leaves
                    .iter()
                    .filter(is_asked)
                    .filter(of_state)
                    .collect();
                json!({ "status": 1, "data": leaves })
            }
            "leavesactionapi/importleave" => self.import(&query["data"][0]),
            "leavesactionapi/leaveaction" => {
                let is_it = |leave: &&mut Value| {
                    leave["id"] == query["leave_id"] && leave["employee_no"] == query["employee_no"]
                };
                match self.leaves.iter_mut().find(is_it) {
                    Some(leave) => {
                        leave["state"] = query["action"].clone();
                        json!({ "status": 1, "message": "Done" })
                    }
                    None => {
                        json!({ "status": 0, "message": "No such leave", "errors": ["leave_id is invalid"] })
                    }
                }
            }
            "orgmasterapi/getTasks" => {
                json!({ "status": 1, "data": { "total_count": 1, "tasks_data": { "policy": {
                "count": 1, "details": { "1": {
                    "title": "Sign the policy", "headers_data": { "Policy Name": "Conduct" }, "salary": "s3cret-pay",
                } },
            } } } })
            }
            "AttendanceDataApi/monthly" => {
                json!({ "status": 1, "data": [{ "emp": query["emp_number_list"][0], "shift": "Early", "month": query["month"] }] })
            }
            "attendanceDataApi/timesheetdatewise" => {
                json!({ "status": 1, "data": [{ "from": query["from"], "hours": "7:30" }] })
            }
            _ => return None,
        })
    }

    fn import(&mut self, leave: &Value) -> Value {
        if leave["revoke_leave"] == "Yes" {
            let before = self.leaves.len();
            self.leaves.retain(|known| {
                known["id"] != leave["leave_id"] || known["employee_no"] != leave["employee_no"]
            });
            return if self.leaves.len() < before {
                json!({ "status": 1, "message": "Revoked" })
            } else {
                json!({ "status": 0, "message": "No such leave" })
            };
        }
        if leave["leave_name"] != "Annual" {
            return json!({ "status": 0, "message": "Leave type is not assigned", "errors": [] });
        }
        let mut leave = leave.clone();
        leave["id"] = format!("L{}", self.leaves.len() + 1).into();
        leave["state"] = "pending".into();
        leave["from"] = leave["from_date"].clone();
        self.leaves.push(leave);
        json!({ "status": 1, "message": "Applied" })
    }
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World::new()));
        let routes = Router::new()
            .route("/{*path}", post(answer))
            .with_state(Arc::clone(&world));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, world, server }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Makes the next calls of an endpoint fail, as many as given.
    pub(crate) fn fails(&self, path: &str, trouble: Trouble, calls: usize) {
        self.world()
            .troubles
            .insert(path.to_owned(), (trouble, calls));
    }

    /// Bodies of all calls of an endpoint.
    pub(crate) fn calls(&self, path: &str) -> Vec<Value> {
        let world = self.world();
        let calls = world.calls.iter().filter(|(called, ..)| called == path);
        calls.map(|(_, body, _)| body.clone()).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(world): State<Shared>,
    Path(path): Path<String>,
    headers: HeaderMap,
    Json(query): Json<Value>,
) -> Response {
    let answer = answer_now(&mut world.lock().unwrap(), path, &headers, &query);
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

/// The answer; none if none comes.
fn answer_now(
    world: &mut World,
    path: String,
    headers: &HeaderMap,
    query: &Value,
) -> Option<Response> {
    let given = headers
        .get(header::AUTHORIZATION)
        .map(|given| given.to_str().unwrap().to_owned())
        .unwrap_or_default();
    world
        .calls
        .push((path.clone(), query.clone(), given.clone()));
    let trouble = match world.troubles.get_mut(&path) {
        Some((trouble, calls @ 1..)) => {
            *calls -= 1;
            Some(trouble.clone())
        }
        _ => None,
    };
    match &trouble {
        Some(Trouble::Status(status)) => {
            let refused = json!({ "message": format!("go away, {}", query["api_key"]) });
            return Some((StatusCode::from_u16(*status).unwrap(), Json(refused)).into_response());
        }
        Some(Trouble::Body(body)) => return Some((*body).into_response()),
        Some(Trouble::Refuses) => {
            let refused = json!({ "status": 0, "message": "Not today", "data": [] });
            return Some(Json(refused).into_response());
        }
        Some(Trouble::Hangs) => return None,
        Some(Trouble::AfterActing) | None => {}
    }
    if path.starts_with("oauth/") {
        return Some(Json(world.granted(query)).into_response());
    }
    let is_bearer = !world.token.is_empty() && given == format!("Bearer {}", world.token);
    if query["api_key"] != "hr-key" || (given != BASIC && !is_bearer) {
        return Some(StatusCode::UNAUTHORIZED.into_response());
    }
    if path == "masterapi/employee" && query["datasetKey"] != "hr-set" {
        return Some(StatusCode::FORBIDDEN.into_response());
    }
    Some(match (world.answer(&path, query), trouble) {
        (Some(_), Some(Trouble::AfterActing)) => StatusCode::BAD_GATEWAY.into_response(),
        (Some(answer), _) => Json(answer).into_response(),
        (None, _) => StatusCode::NOT_FOUND.into_response(),
    })
}
