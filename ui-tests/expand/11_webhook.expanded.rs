//! Webhooks, with and without a source in the path.
impl Acme {
    #[allow(clippy::needless_pass_by_value, clippy::unused_async)]
    async fn push(&self, request: WebhookRequest) -> Result<Webhook> {
        self.read(request.json()?)
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn push_of(
        &self,
        request: WebhookRequest,
        key: Credentials<ApiKey>,
    ) -> Result<Webhook> {
        request.verify_hmac_sha256(&key.secret, "x-signature")?;
        Ok(Webhook::ignore())
    }
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    pub struct Block;
    impl _omni::Methods<Block> for Acme {
        const WEBHOOK_METHODS: &'static [_omni::WebhookFn<Self>] = &[
            _omni::WebhookFn::plain(
                "/hooks/acme",
                |connector: &Self, mut call| {
                    let future = connector.push(call.supply::<WebhookRequest>()?);
                    _omni::pending(future, _omni::webhook_answer)
                },
            ),
            _omni::WebhookFn::of_source(
                "/hooks/acme/{source_id}",
                |connector: &Self, mut call| {
                    let future = connector
                        .push_of(
                            call.supply::<WebhookRequest>()?,
                            call.supply::<Credentials<ApiKey>>()?,
                        );
                    _omni::pending(future, _omni::webhook_answer)
                },
            ),
        ];
    }
};
