//! Tests MCP servers behind a connector, and a connector behind MCP clients: real processes, real
//! pipes, real HTTP.

mod declared;
mod inward;
mod numbers;
mod odd;
mod outward;
mod support;
mod versions;
mod weight;
