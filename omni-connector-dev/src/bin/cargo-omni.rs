//! `cargo omni`: see [`omni_connector_dev::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    omni_connector_dev::cli::main()
}
