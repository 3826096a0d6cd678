//! Starts the connector.

#[tokio::main]
async fn main() -> omni_connector::prelude::Result<()> {
    omni_connector::run(web::Web).await
}
