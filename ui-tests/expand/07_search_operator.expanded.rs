//! Search operators: methods, and a function outside the block.
impl Acme {
    /// `project:ops` finds the issues of one project.
    fn project(issue: &Issue) -> &str {
        &issue.project
    }
    fn watchers<'a>(issue: &'a Issue) -> Option<&'a [Email]> {
        issue.watchers.as_deref()
    }
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    pub struct Block;
    impl _omni::Methods<Block> for Acme {
        const OPERATOR_METHODS: &'static [_omni::Operator] = &[
            _omni::Operator::of::<
                Issue,
                &str,
            >("project", |item| _omni::read(item, Self::project))
                .attribute("project_key"),
            _omni::Operator::of::<
                Issue,
                Option<&'_ [Email]>,
            >("watchers", |item| _omni::read(item, Self::watchers)),
        ];
    }
};
/// `due:2026-08-22` finds the issues that are due on a day.
pub fn due(issue: &Issue) -> Option<Date> {
    issue.due
}
#[doc(hidden)]
#[allow(non_camel_case_types)]
pub struct due {}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    impl _omni::OperatorFn for due {
        const OPERATOR: _omni::Operator = _omni::Operator::of::<
            Issue,
            Option<Date>,
        >("due", |item| _omni::read(item, due));
    }
};
