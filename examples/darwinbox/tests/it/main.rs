//! The connector against a fake of the HR system and the real development manager.

mod actions;
mod changes;
mod deletes;
mod hr;
mod manifest;
mod params;
mod permissions;
mod refusals;
mod support;
mod sync;
