//! The conformance suite: the protocol, row by row, against real processes over real HTTP. The rows
//! are data in `rows/`, each with its section of `protocol.md`. The `README.md` of this crate
//! explains their format and how to test another manager.

mod ask;
mod bad_input;
mod connector;
mod manager;
mod peer;
mod process;
mod report;
mod roles;
mod row;
mod shape;
