//! What the tests of this crate start: `mcp-test-server`, a server with everything that can go wrong, and
//! `mcp-test-connector`, a connector with whatever server the environment names.
