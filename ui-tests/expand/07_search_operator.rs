//! Search operators: methods, and a function outside the block.

#[connector]
impl Acme {
    /// `project:ops` finds the issues of one project.
    #[search_operator(attribute = "project_key")]
    fn project(issue: &Issue) -> &str {
        &issue.project
    }

    #[search_operator]
    fn watchers<'a>(issue: &'a Issue) -> Option<&'a [Email]> {
        issue.watchers.as_deref()
    }
}

/// `due:2026-08-22` finds the issues that are due on a day.
#[search_operator]
pub fn due(issue: &Issue) -> Option<Date> {
    issue.due
}
