//! A connector without an annotated block.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
struct Github;

fn main() {
    let _ = Github;
}
