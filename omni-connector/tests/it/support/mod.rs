//! The parts of these tests: a connector whose `sync` is a closure, served here or in another process, and a scripted
//! manager. Tests across crates use `omni_connector_dev::testing` instead, on which this crate cannot depend.

mod answers;
mod log;
mod manager;
mod process;
mod scripted;
mod served;

pub(crate) use log::Log;
pub(crate) use manager::{Instead, Manager, source};
pub(crate) use process::Process;
pub(crate) use scripted::Scripted;
pub(crate) use served::{Served, serve, serve_with};
