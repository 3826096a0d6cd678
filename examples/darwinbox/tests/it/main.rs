//! The connector against a fake of the HR system and the real development manager.

mod actions;
mod hr;
mod manifest;
mod refusals;
mod support;
mod sync;
