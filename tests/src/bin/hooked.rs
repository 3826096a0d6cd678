//! Runs a connector that another system calls: a change there starts a run, and a delete there
//! creates a run that the connector drives itself.

use std::time::Duration;

use omni_connector::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Key {
    webhook_secret: SecretString,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    deleted: Option<String>,
}

/// Items of an imaginary system that tells what happens to them.
#[connector(
    name = "hooked",
    display_name = "Hooked",
    source_types = [Web],
    sync_modes = [full, incremental],
    credentials = Key,
    state = Value,
)]
struct Hooked;

#[connector]
impl Hooked {
    #[sync]
    async fn sync(&self, ctx: SyncContext) -> Result<()> {
        ctx.delete("item-of-a-sync").await?;
        Ok(())
    }

    #[webhook(path = "/hooks/{source_id}")]
    async fn changed(
        &self,
        request: WebhookRequest,
        source: Source,
        key: Credentials<Key>,
    ) -> Result<Webhook> {
        request.verify_hmac_sha256(&key.webhook_secret, "x-hub-signature-256")?;
        let event: Event = request.json()?;
        Ok(match event.deleted {
            None => Webhook::sync(source.id),
            Some(item) => Webhook::run(source.id, move |ctx| delete(ctx, item)),
        })
    }
}

async fn delete(ctx: SyncContext, item: String) -> Result<()> {
    match item.as_str() {
        "endless" => loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if ctx.is_cancelled() {
                return Ok(());
            }
        },
        "impossible" => bail!("it cannot be deleted"),
        _ => Ok(ctx.delete(item).await?),
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::run(Hooked).await
}
