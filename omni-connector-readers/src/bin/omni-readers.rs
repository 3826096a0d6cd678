//! Reads one file: see [`omni_connector_readers`].

use std::process::ExitCode;

fn main() -> ExitCode {
    omni_connector_readers::main(std::env::args().nth(1).as_deref())
}
