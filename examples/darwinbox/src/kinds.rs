//! The kinds of documents: their endpoints, and the fields for their titles, texts and attributes.
//!
//! Fields are written as `code`, or as `department_code|code`, which means the first one with a value.

/// One kind.
pub(crate) struct Kind {
    /// The content type.
    pub(crate) name: &'static str,
    /// The prefix of ids, after `darwinbox:`.
    pub(crate) prefix: &'static str,
    pub(crate) path: &'static str,
    /// The fields of the title. Fields joined by `+` form one part of it.
    pub(crate) title: &'static str,
    /// The title of a record without one.
    pub(crate) untitled: &'static str,
    /// Whether an empty line follows the heading.
    pub(crate) gap: bool,
    /// The lines of the text, as `Label = fields`. A label with `!` appears even without a value. Without fields, the
    /// label is the field.
    pub(crate) lines: &'static str,
    /// The fields of the attribute that the kind's operator reads. The default is the title.
    pub(crate) value: &'static str,
    /// A second attribute, and its fields.
    pub(crate) second: (&'static str, &'static str),
    /// The values of `status` with which everybody may see a record.
    pub(crate) shown: &'static [&'static str],
}

impl Kind {
    /// Returns the prefix of the ids of all documents of the kind.
    pub(crate) fn id(&self) -> String {
        format!("darwinbox:{}:", self.prefix)
    }

    /// Returns the lines: label, fields, and whether the label appears without a value.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        self.lines.split(',').map(|line| {
            let (label, fields) = line.split_once('=').unwrap_or((line, line));
            let label = label.trim();
            (
                label.trim_end_matches('!'),
                fields.trim(),
                label.ends_with('!'),
            )
        })
    }
}

/// The statuses of a current vacancy.
const OPEN: &[&str] = &["active", "open"];

const fn kind(name: &'static str, path: &'static str, code: &'static str) -> Kind {
    Kind {
        name,
        prefix: name,
        path,
        title: "name|code",
        untitled: "unknown",
        gap: true,
        lines: "Code! = code, Description = description, Status! = status",
        value: "",
        second: (code, "code"),
        shown: &["active"],
    }
}

/// The lists that are requested as they are.
pub(crate) const LISTS: [Kind; 10] = [
    Kind {
        title: "department_name|name",
        untitled: "Department",
        lines: "Code! = department_code|code, Parent Department Code = parent_department_code, \
                Top Department = top_department, Business Unit = business_unit, Cost Center = cost_center, \
                Department HOD = departments_hod, Status = status, Effective From = effective_from_date",
        second: ("department_code", "department_code|code"),
        ..kind("department", "orgmasterapi/departmentlist", "")
    },
    kind(
        "designation",
        "orgmasterapi/designationlist",
        "designation_code",
    ),
    Kind {
        title: "work_area+city|company_name",
        untitled: "Office Location",
        gap: false,
        lines: "Work Area = work_area, Company = company_name, Address = address, City = city, State = state, \
                Country = country, Pin Code = pin_code, Location Head = location_head, Status = status",
        second: ("office_location_code", "loc_type_id"),
        ..kind("office_location", "orgmasterapi/officelocationlist", "")
    },
    kind(
        "business_unit",
        "orgmasterapi/businessunitlist",
        "business_unit_code",
    ),
    kind("division", "orgmasterapi/divisionlist", "division_code"),
    kind(
        "cost_center",
        "orgmasterapi/costcenterlist",
        "cost_center_code",
    ),
    kind(
        "group_company",
        "orgmasterapi/groupcompanylist",
        "group_company_code",
    ),
    Kind {
        title: "job_level|grade",
        untitled: "Job Level",
        gap: false,
        lines: "Code = job_level_code, Grade = grade, Grade Code = grade_code, Status = status, \
                Effective From = effective_from, Created Date = created_date, Updated Date = updated_date",
        second: ("job_level_code", "job_level_code"),
        ..kind("job_level", "orgmasterapi/joblevellist", "")
    },
    Kind {
        title: "name",
        untitled: "Position",
        lines: "Code! = position_code, Status = status",
        second: ("position_code", "position_code"),
        shown: OPEN,
        ..kind("position", "orgmasterapi/getpositionMaster", "")
    },
    Kind {
        prefix: "job",
        title: "job_title",
        untitled: "Job",
        lines: "Job ID! = job_id",
        second: ("job_id", "job_id"),
        shown: OPEN,
        ..kind("ats_job", "JobsApiv3/Joblist", "")
    },
];

/// The tables about each employee's past, requested by the numbers of employees. Only these columns are shown.
pub(crate) const HISTORIES: [Kind; 3] = [
    Kind {
        lines: "Employee ID, Name, Job Level Name, From, To, Event, Sub Event",
        value: "Job Level Name",
        ..history("employee_job_level", "orgmasterapi/employeeJobLevel")
    },
    Kind {
        lines: "Employee ID, Name, Company Name, Area, City, State, Country, Work Area Code, Pin Code, Location Head, From, To, \
                Event, Sub Event",
        value: "Area",
        ..history("employee_location", "orgmasterapi/employeeLocation")
    },
    Kind {
        lines: "Employee ID, Name, Manager Name, From, To, Event, Sub Event",
        value: "Manager Name",
        ..history("employee_manager", "orgmasterapi/employeeManager")
    },
];

const fn history(name: &'static str, path: &'static str) -> Kind {
    Kind {
        title: "Name|Employee ID",
        untitled: "Employee record",
        gap: false,
        second: ("employee_id", "Employee ID"),
        ..kind(name, path, "")
    }
}

/// Holidays, requested by an employee and a year.
pub(crate) const HOLIDAY: Kind = Kind {
    title: "name",
    untitled: "Holiday",
    gap: false,
    lines: "Date = date, Repeats = holiday_repeats, Optional = is_optional, National = is_national",
    second: ("holiday_date", "date"),
    ..kind("holiday", "leavesactionapi/holidaylist", "")
};
