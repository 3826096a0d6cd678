//! The programs that these tests start: `mcp-test-server`, a server with many faults, and
//! `mcp-test-connector`, a connector for the server named in the environment.
