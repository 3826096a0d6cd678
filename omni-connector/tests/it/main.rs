//! The runtime's promises, over real HTTP: one program, so that what the tests share is compiled once.

mod access;
mod actions;
mod content;
mod credentials;
mod http;
mod incoming;
mod inventory;
mod losses;

mod model;
mod north_star;
mod partitions;
mod pipeline;
mod recorded;
mod runs;
mod schemas;
mod sign_ins;
mod support;
mod telemetry;
mod walks;
mod webhooks;
