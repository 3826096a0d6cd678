//! Keeps the database of the tests until Ctrl-C, so that the connector can be tried without Prototype.

#[path = "../tests/source/mod.rs"]
mod source;

use std::thread;

use omni_connector_dev::testing::Source;

fn main() {
    let source = source::start();
    println!(
        "{} issues are in a database; read them in another terminal with",
        source::ISSUES
    );
    println!(
        "  cargo omni sync prototype --set database={}",
        source.url()
    );
    loop {
        thread::park();
    }
}
