//! Darwinbox, an HR system: its people, policies and announcements for search, and what people ask HR for as actions.
//!
//! The connector's key sees everybody. What one person may see or do is decided here, by the person who acts.

mod admin;
mod api;
mod cursor;
mod dates;
mod directory;
mod documents;
mod notices;
mod people;
mod requests;
mod self_service;
mod sync;
mod team;

use omni_connector::{prelude::*, wire::token};

use cursor::Cursor;

/// People, policies and announcements of Darwinbox, and the errands that people run at HR.
#[connector(
    name = "darwinbox",
    display_name = "Darwinbox",
    source_types = [Darwinbox],
    sync_modes = [full, incremental],
    config = Settings,
    credentials = ApiKey,
    state = Cursor,
    actions = [
        self_service::my_profile,
        self_service::my_leave_balance,
        self_service::my_requests,
        self_service::apply_for_leave,
        self_service::cancel_request,
        self_service::regularise_attendance,
        self_service::my_payslips,
        self_service::my_payslip,
        self_service::holidays,
        team::my_team,
        team::team_leave_calendar,
        team::pending_approvals,
        team::approve_request,
        team::reject_request,
        directory::search_people,
        directory::org_chart,
        documents::fetch_file,
        admin::headcount,
        admin::new_joiners,
        admin::leavers,
    ],
    search_operators = [
        people::department,
        people::location,
        people::manager,
        notices::department,
    ],
    skill(id = "darwinbox_leave", title = "How leave works", file = "leave.md"),
)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Darwinbox;

/// What an admin fills in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Settings {
    /// Where the HR system is, such as `https://acme.darwinbox.in`
    api_url: Url,
    /// Whether people who are not employed by the company belong to its directory
    #[serde(default)]
    include_contractors: bool,
}

/// What the HR system knows the connector by.
#[derive(Clone, Deserialize, JsonSchema)]
pub struct ApiKey {
    /// Names the key
    api_key: String,
    /// Proves it
    api_secret: SecretString,
}

impl Settings {
    /// The address of the group of everybody in a department.
    fn department_group(&self, department: &str) -> String {
        let host = self.api_url.host_str().unwrap_or("darwinbox");
        format!("{}@departments.{host}", token(department))
    }
}
