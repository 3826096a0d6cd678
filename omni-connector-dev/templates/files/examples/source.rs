//! Keeps the folder of the tests until Ctrl-C, so that the connector can be tried without files of one's own.

#[path = "../tests/source/mod.rs"]
mod source;

use std::thread;

use omni_connector_dev::testing::Source;

fn main() {
    let source = source::start();
    println!(
        "{} files are in a folder; read them in another terminal with",
        source::FILES
    );
    let folder = source.url();
    //> access=public
    println!("  cargo omni sync archetype --set folder={folder}");
    //<
    //> access=settings
    println!(
        "  cargo omni sync archetype --set folder={folder} --set readers=ada@example.com --set readers=bo@example.com"
    );
    //<
    loop {
        thread::park();
    }
}
