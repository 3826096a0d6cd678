//! Runs the crawler as a process, configured by environment variables.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    omni_connector::run(omni_connector_tests::crawler::Crawler).await
}
