//! The kinds of documents: where each comes from, and which fields of a record make its id, title, text and attributes.

use crate::record::Record;

/// A line of a document's text.
pub(crate) struct Line {
    pub(crate) label: &'static str,
    pub(crate) keys: &'static [&'static str],
    /// Whether the label is there without a value.
    pub(crate) always: bool,
}

/// One kind.
pub(crate) struct Kind {
    /// The content type.
    pub(crate) name: &'static str,
    /// What ids begin with, behind `darwinbox:`.
    pub(crate) prefix: &'static str,
    pub(crate) path: &'static str,
    pub(crate) title: fn(&Record) -> Option<String>,
    /// The title of a record that has none.
    pub(crate) untitled: &'static str,
    /// Whether a blank line follows the heading.
    pub(crate) gap: bool,
    pub(crate) lines: &'static [Line],
    /// A second attribute, and the fields that it is read from.
    pub(crate) second: (&'static str, &'static [&'static str]),
    /// Texts of `status` with which everybody may see a record.
    pub(crate) shown: &'static [&'static str],
}

impl Kind {
    /// What the ids of all documents of the kind begin with.
    pub(crate) fn id(&self) -> String {
        format!("darwinbox:{}:", self.prefix)
    }
}

const fn line(label: &'static str, keys: &'static [&'static str]) -> Line {
    Line {
        label,
        keys,
        always: false,
    }
}

const fn always(label: &'static str, keys: &'static [&'static str]) -> Line {
    Line {
        label,
        keys,
        always: true,
    }
}

const ACTIVE: &[&str] = &["active"];
/// A vacancy is not inactive.
const OPEN: &[&str] = &["active", "open"];

const USUAL: &[Line] = &[
    always("Code", &["code"]),
    line("Description", &["description"]),
    always("Status", &["status"]),
];

const fn kind(
    name: &'static str,
    path: &'static str,
    untitled: &'static str,
    code: &'static str,
) -> Kind {
    Kind {
        name,
        prefix: name,
        path,
        title: |record| record.first(&["name", "code"]),
        untitled,
        gap: true,
        lines: USUAL,
        second: (code, &["code"]),
        shown: ACTIVE,
    }
}

/// The lists that are asked for as they are.
pub(crate) const LISTS: [Kind; 10] = [
    Kind {
        title: |record| record.first(&["department_name", "name"]),
        lines: &[
            always("Code", &["department_code", "code"]),
            line("Parent Department Code", &["parent_department_code"]),
            line("Top Department", &["top_department"]),
            line("Business Unit", &["business_unit"]),
            line("Cost Center", &["cost_center"]),
            line("Department HOD", &["departments_hod"]),
            line("Status", &["status"]),
            line("Effective From", &["effective_from_date"]),
        ],
        second: ("department_code", &["department_code", "code"]),
        ..kind(
            "department",
            "orgmasterapi/departmentlist",
            "Department",
            "",
        )
    },
    kind(
        "designation",
        "orgmasterapi/designationlist",
        "unknown",
        "designation_code",
    ),
    Kind {
        title: office,
        gap: false,
        lines: &[
            line("Work Area", &["work_area"]),
            line("Company", &["company_name"]),
            line("Address", &["address"]),
            line("City", &["city"]),
            line("State", &["state"]),
            line("Country", &["country"]),
            line("Pin Code", &["pin_code"]),
            line("Location Head", &["location_head"]),
            line("Status", &["status"]),
        ],
        second: ("office_location_code", &["loc_type_id"]),
        ..kind(
            "office_location",
            "orgmasterapi/officelocationlist",
            "Office Location",
            "",
        )
    },
    kind(
        "business_unit",
        "orgmasterapi/businessunitlist",
        "unknown",
        "business_unit_code",
    ),
    kind(
        "division",
        "orgmasterapi/divisionlist",
        "unknown",
        "division_code",
    ),
    kind(
        "cost_center",
        "orgmasterapi/costcenterlist",
        "unknown",
        "cost_center_code",
    ),
    kind(
        "group_company",
        "orgmasterapi/groupcompanylist",
        "unknown",
        "group_company_code",
    ),
    Kind {
        title: |record| record.first(&["job_level", "grade"]),
        gap: false,
        lines: &[
            line("Code", &["job_level_code"]),
            line("Grade", &["grade"]),
            line("Grade Code", &["grade_code"]),
            line("Status", &["status"]),
            line("Effective From", &["effective_from"]),
            line("Created Date", &["created_date"]),
            line("Updated Date", &["updated_date"]),
        ],
        second: ("job_level_code", &["job_level_code"]),
        ..kind("job_level", "orgmasterapi/joblevellist", "Job Level", "")
    },
    Kind {
        title: |record| record.text("name"),
        lines: &[
            always("Code", &["position_code"]),
            line("Status", &["status"]),
        ],
        second: ("position_code", &["position_code"]),
        shown: OPEN,
        ..kind("position", "orgmasterapi/getpositionMaster", "Position", "")
    },
    Kind {
        prefix: "job",
        title: |record| record.text("job_title"),
        lines: &[always("Job ID", &["job_id"])],
        second: ("job_id", &["job_id"]),
        shown: OPEN,
        ..kind("ats_job", "JobsApiv3/Joblist", "Job", "")
    },
];

/// What is known of each employee's past: tables that are asked for by the numbers of employees.
pub(crate) const HISTORIES: [Kind; 3] = [
    Kind {
        lines: &[
            line("Employee ID", &["Employee ID"]),
            line("Name", &["Name"]),
            line("Job Level Name", &["Job Level Name"]),
            line("From", &["From"]),
            line("To", &["To"]),
            line("Event", &["Event"]),
            line("Sub Event", &["Sub Event"]),
        ],
        ..history("employee_job_level", "orgmasterapi/employeeJobLevel")
    },
    Kind {
        lines: &[
            line("Employee ID", &["Employee ID"]),
            line("Name", &["Name"]),
            line("Company Name", &["Company Name"]),
            line("Area", &["Area"]),
            line("City", &["City"]),
            line("State", &["State"]),
            line("Country", &["Country"]),
            line("Work Area Code", &["Work Area Code"]),
            line("Pin Code", &["Pin Code"]),
            line("Location Head", &["Location Head"]),
            line("From", &["From"]),
            line("To", &["To"]),
            line("Event", &["Event"]),
            line("Sub Event", &["Sub Event"]),
        ],
        ..history("employee_location", "orgmasterapi/employeeLocation")
    },
    Kind {
        lines: &[
            line("Employee ID", &["Employee ID"]),
            line("Name", &["Name"]),
            line("Manager Name", &["Manager Name"]),
            line("From", &["From"]),
            line("To", &["To"]),
            line("Event", &["Event"]),
            line("Sub Event", &["Sub Event"]),
        ],
        ..history("employee_manager", "orgmasterapi/employeeManager")
    },
];

const fn history(name: &'static str, path: &'static str) -> Kind {
    Kind {
        title: |record| record.first(&["Name", "Employee ID"]),
        gap: false,
        second: ("employee_id", &["Employee ID"]),
        ..kind(name, path, "Employee record", "")
    }
}

/// The column of a history that its attribute is read from.
pub(crate) fn column(kind: &Kind) -> &'static str {
    match kind.name {
        "employee_job_level" => "Job Level Name",
        "employee_location" => "Area",
        _ => "Manager Name",
    }
}

/// Holidays, which are asked for by an employee and a year.
pub(crate) const HOLIDAY: Kind = Kind {
    title: |record| record.text("name"),
    gap: false,
    lines: &[
        line("Date", &["date"]),
        line("Repeats", &["holiday_repeats"]),
        line("Optional", &["is_optional"]),
        line("National", &["is_national"]),
    ],
    second: ("holiday_date", &["date"]),
    ..kind("holiday", "leavesactionapi/holidaylist", "Holiday", "")
};

fn office(record: &Record) -> Option<String> {
    match (record.text("work_area"), record.text("city")) {
        (Some(area), Some(city)) => Some(format!("{area} — {city}")),
        (area, city) => area.or(city).or_else(|| record.text("company_name")),
    }
}
