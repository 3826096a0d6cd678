//! A block with nothing to collect.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

#[connector]
impl Github {
    fn help(&self) {}
}

fn main() {
    Github.help();
}
