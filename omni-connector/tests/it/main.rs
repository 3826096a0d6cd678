//! The runtime's promises, over real HTTP. It is one program, so that shared code is compiled once.

mod access;
mod actions;
mod content;
mod credentials;
mod http;
mod incoming;
mod inventory;
mod logs;
mod losses;

mod model;
mod north_star;
mod partitions;
mod pipeline;
mod quiet;
mod recorded;
mod runs;
mod schemas;
mod secrets;
mod sign_ins;
mod support;
mod telemetry;
mod walks;
mod webhooks;
