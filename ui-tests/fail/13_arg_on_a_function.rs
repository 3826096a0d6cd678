//! `#[arg]` on an item.

use omni_connector::arg;

#[arg(max = 3)]
fn limit() {}

fn main() {
    limit();
}
