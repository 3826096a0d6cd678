//! Serves the source of the tests until Ctrl-C, so that the connector can be tried without Exemplar.

#[path = "../tests/source/mod.rs"]
mod source;

//> auth=key|bearer|basic|oauth
use std::fs;
//<
use std::thread;

use omni_connector_dev::testing::Source;

fn main() -> std::io::Result<()> {
    let source = source::start();
    //> auth=key|bearer|basic|oauth
    let file = "target/source-login.json";
    fs::create_dir_all("target")?;
    fs::write(file, source::login().to_string())?;
    //<
    println!(
        "{} issues are served; read them in another terminal with",
        source::ISSUES
    );
    //> auth=none
    println!("  cargo omni sync exemplar --set api_url={}", source.url());
    //<
    //> auth=key|bearer|basic|oauth
    println!(
        "  cargo omni sync exemplar --set api_url={} --credentials {file}",
        source.url()
    );
    //<
    loop {
        thread::park();
    }
}
