//! The manager's rules, one topic a file: checks in the order of `protocol.md`, changes, and
//! answers as data. Must never know HTTP requests or their bodies.

mod access;
mod actions;
mod catalog;
mod checkpoints;
mod contents;
mod doubts;
mod events;
mod explain;
mod manual_run;
mod mcp;
mod named;
mod oauth_clients;
mod progress;
mod refusal;
mod registration;
mod reports;
mod source_item;
mod sources;
mod trials;
mod webhooks;

pub(crate) use access::{Access, ReadingGroup};
pub use actions::{ActionAnswer, ActionError};
pub(crate) use actions::{ActionCall, DryRun, call, dry_run, missing_scopes};
pub(crate) use catalog::{
    Offer, OfferedSkill, connectors, offered_actions, offered_prompts, offered_resources,
    offered_skills,
};
pub(crate) use checkpoints::{resume_from, rewind, set_checkpoint};
pub(crate) use contents::{FileToRead, Reading, store_file, store_text, text_of_file};
pub(crate) use doubts::{Doubt, dismiss, doubts};
pub(crate) use events::accept;
pub(crate) use explain::{Layer, explain};
pub(crate) use manual_run::{
    ManualRun, ModeReason, Only, StartedRun, give_up, resume_all, sync_manually,
};
pub(crate) use mcp::{LoadedSkill, load_skill, prompt, resource};
#[cfg(feature = "cli")]
pub(crate) use named::{Change, usual_provider};
pub(crate) use named::{
    Changes, Described, Description, Descriptions, Listed, Secret, change, describe, find_one,
    listed, remove_source, take_back,
};
pub(crate) use oauth_clients::keep_oauth_client;
pub use progress::Progress;
pub(crate) use progress::{progress, refusals, textless};
pub(crate) use refusal::{NUL_IN_TEXT, Refusal};
pub(crate) use registration::{
    Notified, credential_ready, first_registration, golden_file, register, registration_at,
};
pub(crate) use reports::{Report, report, save_connector_state};
pub(crate) use source_item::{MadeOf, SourceItem};
pub(crate) use sources::{
    Overview, Schedule, SyncConfig, active_sources, all_sources, connector_config, one_source,
    owner_credential, owner_email, refresh_remote_mcp, schedules, served_source, sources_of_type,
    sync_config,
};
pub(crate) use trials::{Outcome, Trial, trial, try_again};
pub(crate) use webhooks::{Delivered, Delivery, deliver, secret_fields, webhooks};
