//! The protocol, row by row, against real processes over real HTTP. The rows are data in `rows/`, each with its section of
//! `protocol.md`; `README.md` of this crate says how they are read and how to run them against another manager.

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
