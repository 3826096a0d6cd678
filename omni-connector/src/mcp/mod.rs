//! Bridges between a connector and the Model Context Protocol (`protocol.md` §9): an MCP server behind it, whose tools
//! become its actions, and the connector itself as an MCP server.
//!
//! Both need the feature `mcp`. Without it a connector contains neither.

#[cfg(not(feature = "mcp"))]
mod absent;
#[cfg(feature = "mcp")]
mod bridged;
#[cfg(feature = "mcp")]
mod inward;
#[cfg(feature = "mcp")]
mod outward;
#[cfg(not(feature = "mcp"))]
mod unbuilt;

#[cfg(not(feature = "mcp"))]
pub(crate) use absent::{bridged, serve_mcp};
#[cfg(feature = "mcp")]
pub(crate) use bridged::bridged;
#[cfg(feature = "mcp")]
pub(crate) use outward::serve as serve_mcp;
