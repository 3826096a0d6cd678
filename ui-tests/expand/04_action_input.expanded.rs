//! An action that takes all of its input as one struct.
impl Acme {
    /// Find issues.
    #[allow(clippy::needless_pass_by_value)]
    async fn find_issues(&self, Args(query): Args<Query>) -> Result<Vec<Issue>> {
        self.query(query).await
    }
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    pub struct Block;
    impl _omni::Methods<Block> for Acme {
        const ACTION_METHODS: &'static [_omni::Action<Self>] = &[
            _omni::ActionHead::read("find", "Find issues.")
                .call(|connector: &Self, mut call| {
                    let future = connector.find_issues(call.supply::<Args<Query>>()?);
                    _omni::pending(future, _omni::action_answer)
                })
                .input_of::<Args<Query>>()
                .output(_omni::result_schema!(Result < Vec < Issue > >))
                .admin_only()
                .hidden(),
        ];
    }
};
