//! The company's records, in the shapes in which the HR system sends them.

use omni_connector::prelude::*;

/// What the HR system knows.
pub(crate) struct Company {
    pub(crate) employees: Vec<Value>,
    pub(crate) requests: Vec<Value>,
    pub(crate) notices: Vec<Value>,
    /// Minutes since ten o'clock.
    pub(crate) minute: u32,
    pub(crate) calls: Vec<String>,
}

impl Company {
    /// Ada leads Bo (engineering) and Cy (a contractor); Hal is HR, and Ivy keeps out of the directory.
    pub(crate) fn new() -> Self {
        let mut company = Self {
            employees: vec![
                employee("E1", "Ada", "Engineering", None),
                employee("E2", "Bo", "Engineering", Some("E1")),
                employee("E3", "Cy", "Engineering", Some("E1")),
                employee("E4", "Hal", "People & Culture", None),
                employee("E5", "Ivy", "People & Culture", Some("E4")),
            ],
            requests: vec![
                request("R1", "E2", "pending", ["24-08-2026", "28-08-2026"]),
                request("R2", "E5", "pending", ["25-08-2026", "25-08-2026"]),
                request("R3", "E2", "approved", ["01-06-2026", "05-06-2026"]),
            ],
            notices: vec![
                notice("N1", "Travel policy", json!({ "scope": "everyone" })),
                notice(
                    "N2",
                    "On-call pay",
                    json!({ "scope": "departments", "departments": ["Engineering"] }),
                ),
                notice(
                    "N3",
                    "Board minutes",
                    json!({ "scope": "committee", "ids": [7] }),
                ),
            ],
            minute: 0,
            calls: Vec::new(),
        };
        company.employee("E3")["employee_type"] = "contractor".into();
        company.employee("E5")["confidential"] = true.into();
        company.notice("N1")["file_name"] = "Reisekosten 2026.pdf".into();
        company.notice("N2")["file_name"] = "On-call.pdf".into();
        company.minute += 1;
        company
    }

    /// The HR system's clock.
    pub(crate) fn now(&self) -> String {
        format!("22-08-2026 10:{:02}:00", self.minute)
    }

    /// A record to change; that it changes is noted.
    pub(crate) fn employee(&mut self, number: &str) -> &mut Value {
        touch(&self.now(), &mut self.employees, "employee_no", number)
    }

    pub(crate) fn notice(&mut self, id: &str) -> &mut Value {
        touch(&self.now(), &mut self.notices, "notice_id", id)
    }

    /// Newest first.
    pub(crate) fn hire(&mut self, mut employee: Value) {
        employee["updated_on"] = self.now().into();
        self.employees.insert(0, employee);
    }
}

fn touch<'a>(now: &str, records: &'a mut [Value], key: &str, id: &str) -> &'a mut Value {
    let mut records = records.iter_mut();
    let record = records.find(|record| record[key] == id).unwrap();
    record["updated_on"] = now.into();
    record
}

pub(crate) fn employee(number: &str, name: &str, department: &str, manager: Option<&str>) -> Value {
    let managers = [("E1", "Ada@Example.com"), ("E4", "hal@example.com")];
    let manager_email = managers.iter().find(|(number, _)| manager == Some(number));
    json!({
        "employee_no": number, "name": name, "email": format!("{name}@Example.com"), "job_title": "Specialist",
        "department": department, "location": "Berlin", "manager_no": manager,
        "manager_email": manager_email.map_or("", |(_, email)| email), "employee_type": "permanent",
        "joined_on": "01-03-2021", "left_on": "", "updated_on": "22-08-2026 09:00:00", "bank_account": "DE02",
    })
}

fn request(id: &str, employee: &str, status: &str, [from, to]: [&str; 2]) -> Value {
    json!({
        "request_id": id, "employee_no": employee, "kind": "leave", "leave_type": "annual", "status": status,
        "from": from, "to": to, "reason": "holiday",
    })
}

fn notice(id: &str, title: &str, audience: Value) -> Value {
    json!({
        "notice_id": id, "kind": "policy", "title": title, "body": format!("All about {title}."),
        "author": "hal@example.com", "audience": audience, "updated_on": "22-08-2026 09:00:00",
    })
}
