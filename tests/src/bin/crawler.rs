//! The crawler as a process of its own, with its settings in the environment.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    omni_connector::run(omni_connector_tests::crawler::Crawler).await
}
