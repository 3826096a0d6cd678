//! What other systems call: with and without a source in the path.
impl Acme {
    #[allow(
        clippy::missing_errors_doc,
        clippy::needless_pass_by_value,
        clippy::unused_async,
        clippy::unused_self,
    )]
    async fn push(&self, request: WebhookRequest) -> Result<Webhook> {
        self.read(request.json()?)
    }
    #[allow(
        clippy::missing_errors_doc,
        clippy::needless_pass_by_value,
        clippy::unused_async,
        clippy::unused_self,
    )]
    async fn push_of(
        &self,
        request: WebhookRequest,
        key: Credentials<ApiKey>,
    ) -> Result<Webhook> {
        request.verify_hmac_sha256(&key.secret, "x-signature")?;
        Ok(Webhook::ignore())
    }
}
const _: () = {
    use ::omni_connector::generated as _omni;
    impl _omni::Methods for Acme {
        const SYNCS: &'static [_omni::Sync<Self>] = &[];
        const ACTIONS: &'static [_omni::Action<Self>] = &[];
        const OPERATORS: &'static [_omni::Operator] = &[];
        const WEBHOOKS: &'static [_omni::WebhookFn<Self>] = &[
            _omni::WebhookFn {
                path: "/hooks/acme",
                call: _omni::WebhookThunk::Plain(|connector, mut call| {
                    let returned = Self::push(
                        connector,
                        call.supply::<WebhookRequest>()?,
                    );
                    _omni::Ok(
                        _omni::Box::pin(async move { _omni::asked_for(returned.await) }),
                    )
                }),
            },
            _omni::WebhookFn {
                path: "/hooks/acme/{source_id}",
                call: _omni::WebhookThunk::OfSource(|connector, mut call| {
                    let returned = Self::push_of(
                        connector,
                        call.supply::<WebhookRequest>()?,
                        call.supply::<Credentials<ApiKey>>()?,
                    );
                    _omni::Ok(
                        _omni::Box::pin(async move { _omni::asked_for(returned.await) }),
                    )
                }),
            },
        ];
    }
};
