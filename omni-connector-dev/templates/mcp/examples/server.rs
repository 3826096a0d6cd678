//> transport=stdio
//! The server of the tests as a process: it answers on standard output.

#[path = "../tests/server/mod.rs"]
#[allow(dead_code, reason = "the rest is for the tests")]
mod server;

fn main() -> std::io::Result<()> {
    server::start().serve_stdio()
}
//<
