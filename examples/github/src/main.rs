//! The process of the connector.

#[tokio::main]
async fn main() -> omni_connector::Result<()> {
    omni_connector::run(github::GitHub::from_env()?).await
}
