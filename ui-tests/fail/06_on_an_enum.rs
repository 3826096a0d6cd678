//! The attribute on an enum.

use omni_connector::prelude::*;

#[connector(name = "github", source_types = [Github])]
enum Github {
    One,
}

fn main() {
    let _ = Github::One;
}
