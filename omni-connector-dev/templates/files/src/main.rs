//! The connector as a process.

#[tokio::main]
async fn main() -> omni_connector::Result<()> {
    omni_connector::run(archetype::Archetype).await
}
