//! The attribute on a function.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
fn github() {}

fn main() {
    github();
}
