//! Indexes the people and organisation lists of Darwinbox, an HR system, and offers self-service actions.
//!
//! The connector's key sees all employees. `gates.rs` decides who may act, and for whom, before any request.

mod answers;
mod credentials;
mod cursor;
mod dates;
mod employees;
mod gates;
mod hr;
mod kinds;
mod lists;
mod operators;
mod record;
mod self_service;
mod settings;
mod sync;
mod team;

use omni_connector::prelude::*;

use credentials::Secret;
use cursor::Cursor;
use settings::Settings;

/// People and organisation of Darwinbox, and what people do there every day: leave, attendance, tasks.
#[connector(
    name = "darwinbox",
    display_name = "Darwinbox",
    source_types = [Darwinbox],
    sync_modes = [full, incremental],
    config = Settings,
    credentials = Secret,
    state = Cursor,
    actions = [
        self_service::get_my_profile,
        self_service::get_my_leave_balance,
        self_service::get_holiday_calendar,
        self_service::get_my_leave_requests,
        self_service::get_my_pending_tasks,
        self_service::get_my_attendance,
        self_service::get_my_timesheet,
        self_service::apply_my_leave,
        self_service::revoke_my_leave,
        team::list_pending_leave_approvals,
        team::get_team_leave_calendar,
        team::approve_leave_request,
        team::reject_leave_request,
        team::find_employee,
    ],
    search_operators = [
        operators::location,
        operators::position,
        operators::department,
        operators::designation,
        operators::division,
        operators::business_unit,
        operators::cost_center,
        operators::company,
        operators::job,
        operators::job_level,
        operators::employee_job_level,
        operators::employee_location,
        operators::employee_manager,
    ],
    skill(id = "darwinbox_leave", title = "How leave works", file = "leave.md"),
)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Darwinbox;
