//! The connector against a fake of GitHub that has a state, and the real development manager.

mod changes;
mod fake;
mod faults;
mod forms;
mod kill;
mod lists;
mod server;
mod support;
mod world;
