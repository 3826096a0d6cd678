//! An action that takes all of its input as one struct.
impl Acme {
    /// Find issues.
    #[allow(
        clippy::missing_errors_doc,
        clippy::needless_pass_by_value,
        clippy::unused_async,
        clippy::unused_self,
    )]
    async fn find_issues(&self, Args(query): Args<Query>) -> Result<Vec<Issue>> {
        self.query(query).await
    }
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    use _omni::{AnyShape as _, AnyOutput as _};
    pub struct Block;
    impl _omni::Methods<Block> for Acme {
        const ACTION: &'static [_omni::Action<Self>] = &[
            _omni::Described::read("find", "Find issues.")
                .call(|connector, mut call| {
                    let returned = Self::find_issues(
                        connector,
                        call.supply::<Args<Query>>()?,
                    );
                    _omni::called(async move { _omni::answer(returned.await) })
                })
                .input::<
                    Args<Query>,
                >(
                    _omni::whole_input::<
                        Self,
                        Args<Query>,
                    >(_omni::Is::<Args<Query>>::OBJECT, true),
                )
                .output(_omni::Output::<Result<Vec<Issue>>>::SCHEMA)
                .admin_only()
                .hidden(),
        ];
    }
};
