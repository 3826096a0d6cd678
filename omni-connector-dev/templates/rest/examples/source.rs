//! Serves the source of the tests until Ctrl-C, so that the connector can be tried without Exemplar.

#[path = "../tests/source/mod.rs"]
mod source;

use std::{fs, thread};

use omni_connector_dev::testing::Source;

fn main() -> std::io::Result<()> {
    let source = source::start();
    let file = "target/source-login.json";
    fs::create_dir_all("target")?;
    fs::write(file, source::login().to_string())?;
    println!(
        "{} issues are served; read them in another terminal with",
        source::ISSUES
    );
    println!(
        "  cargo omni sync exemplar --set api_url={} --credentials {file}",
        source.url()
    );
    loop {
        thread::park();
    }
}
