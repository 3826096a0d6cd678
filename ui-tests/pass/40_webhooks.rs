//! Webhooks with and without a source in the path, and custom arguments.

use omni_connector::{
    arguments::{Call, FromCall},
    prelude::*,
};

#[derive(Deserialize)]
struct Key {
    secret: SecretString,
}

struct Client(String);

impl<C: Call> FromCall<C> for Client {
    fn from_call(call: &mut C) -> Result<Self, ActionError> {
        Ok(Self(call.manager().url().to_owned()))
    }
}

type Incoming = WebhookRequest;

/// Pages.
#[connector(name = "pages", source_types = [Notion], credentials = Key)]
struct Pages;

#[connector]
impl Pages {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }

    #[webhook(path = "/hooks/pages")]
    async fn about_all(&self, manager: ManagerClient, request: Incoming) -> Result<Webhook> {
        ensure!(!manager.url().is_empty());
        let source: String = request.json()?;
        Ok(Webhook::sync(source))
    }

    #[webhook(path = "/hooks/pages/{source_id}")]
    async fn about_one(
        &self,
        request: WebhookRequest,
        source: Source,
        key: Credentials<Key>,
        client: Client,
    ) -> Result<Webhook, ActionError> {
        request.verify_hmac_sha256(&key.secret, "x-signature")?;
        Ok(Webhook::run(source.id, |ctx| async move {
            Ok(ctx.delete(client.0).await?)
        }))
    }

    #[cfg(any())]
    #[webhook(path = "/hooks/pages")]
    async fn never(&self) -> Result<Webhook> {
        Ok(Webhook::ignore())
    }
}

fn main() {
    assert_eq!(Pages.webhooks(), ["/hooks/pages", "/hooks/pages/{source_id}"]);
}
