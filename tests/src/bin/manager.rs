//! Runs the development manager as a process: `manager FOLDER PORT`. Prints the id of its source
//! and runs until it is killed.

use anyhow::{Context, Result};
use omni_connector_dev::{Manager, Storage};
use omni_connector_tests::{
    crawler::{Blocks, Wiki},
    served::options,
};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || {
        arguments
            .next()
            .context("usage: manager FOLDER PORT PAGES PER_PAGE")
    };
    let mut options = options();
    options.storage = Storage::Folder(argument()?.into());
    options.port = argument()?.parse()?;
    let wiki = Wiki {
        pages: argument()?.parse()?,
        per_page: argument()?.parse()?,
        blocks: Blocks::Nothing,
    };
    let manager = Manager::start(options).await?;
    let config = serde_json::to_value(wiki)?;
    let source = manager.source("wiki", "web", config).await?;
    println!("{}", source.id);
    std::future::pending().await
}
