//! An action whose arguments are declared one by one.
impl Acme {
    /// Create an issue.
    #[allow(clippy::needless_pass_by_value)]
    async fn create_issue(
        &self,
        key: Credentials<ApiKey>,
        actor: Actor,
        project: String,
        priority: u8,
        labels: Vec<String>,
    ) -> Result<Issue> {
        self.post(key, actor, project, priority, labels).await
    }
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    pub struct Block;
    impl _omni::Methods<Block> for Acme {
        const ACTION_METHODS: &'static [_omni::Action<Self>] = &[
            _omni::ActionHead::write("create_issue", "Create an issue.")
                .call(|connector: &Self, mut call| {
                    let mut input = call.input()?;
                    let future = connector
                        .create_issue(
                            call.supply::<Credentials<ApiKey>>()?,
                            call.supply::<Actor>()?,
                            input.take::<String>()?,
                            input.take::<u8>()?,
                            input.take_or_default::<Vec<String>>()?,
                        );
                    _omni::pending(future, _omni::action_answer)
                })
                .args(
                    &[
                        _omni::Arg::of::<String>("project", "Project key, such as `OPS`")
                            .example("\"OPS\"")
                            .pattern("^[A-Z]+$"),
                        _omni::Arg::of::<u8>("priority", "How urgent it is")
                            .default("3")
                            .min(_omni::Bound::Int(1))
                            .max(_omni::Bound::Int(5)),
                        _omni::Arg::of::<Vec<String>>("labels", "At most fifty labels")
                            .optional()
                            .max_items(50),
                    ],
                )
                .output(_omni::result_schema!(Result < Issue >))
                .scopes(&["issues:write"])
                .source_types(&[_omni::SourceType::Jira])
                .timeout(20),
        ];
    }
};
