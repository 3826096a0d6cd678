//! Webhooks, with and without a source in the path.

#[connector]
impl Acme {
    #[webhook(path = "/hooks/acme")]
    async fn push(&self, request: WebhookRequest) -> Result<Webhook> {
        self.read(request.json()?)
    }

    #[webhook(path = "/hooks/acme/{source_id}")]
    async fn push_of(&self, request: WebhookRequest, key: Credentials<ApiKey>) -> Result<Webhook> {
        request.verify_hmac_sha256(&key.secret, "x-signature")?;
        Ok(Webhook::ignore())
    }
}
