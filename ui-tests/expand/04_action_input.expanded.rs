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
const _: () = {
    use ::omni_connector::generated as _omni;
    use _omni::AnyShape as _;
    use _omni::AnyOutput as _;
    impl _omni::Methods for Acme {
        const SYNCS: &'static [_omni::Sync<Self>] = &[];
        const ACTIONS: &'static [_omni::Action<Self>] = &[
            _omni::Action {
                name: "find",
                description: "Find issues.",
                mode: _omni::ActionMode::Read,
                args: &[],
                input: _omni::input_once(
                    &[
                        _omni::input::<
                            Self,
                            Args<Query>,
                        >(_omni::Shape::<Args<Query>>::IS_OBJECT),
                    ],
                    0,
                ),
                output: _omni::Output::<Result<Vec<Issue>>>::SCHEMA,
                scopes: _omni::None,
                source_types: &[],
                admin_only: true,
                hidden: true,
                timeout: _omni::None,
                call: |connector, mut call| {
                    let returned = Self::find_issues(
                        connector,
                        call.supply::<Args<Query>>()?,
                    );
                    _omni::Ok(
                        _omni::Box::pin(async move { _omni::answer(returned.await) }),
                    )
                },
            },
        ];
        const OPERATORS: &'static [_omni::Operator] = &[];
    }
};
