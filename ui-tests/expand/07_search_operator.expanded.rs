//! Operators: methods, and one that lives elsewhere.
impl Acme {
    /// `project:ops` finds the issues of one project.
    fn project(issue: &Issue) -> &str {
        &issue.project
    }
    fn watchers<'a>(issue: &'a Issue) -> Option<&'a [Email]> {
        issue.watchers.as_deref()
    }
}
const _: () = {
    use ::omni_connector::generated as _omni;
    impl _omni::Methods for Acme {
        const SYNCS: &'static [_omni::Sync<Self>] = &[];
        const ACTIONS: &'static [_omni::Action<Self>] = &[];
        const OPERATORS: &'static [_omni::Operator] = &[
            _omni::Operator {
                name: "project",
                attribute: "project_key",
                value_type: <&str as _omni::AttributeValue>::VALUE_TYPE,
                schema: <&str as _omni::AttributeValue>::schema,
                item: || _omni::TypeId::of::<Issue>(),
                read: |item| _omni::read(item, Self::project),
            },
            _omni::Operator {
                name: "watchers",
                attribute: "watchers",
                value_type: <Option<&'_ [Email]> as _omni::AttributeValue>::VALUE_TYPE,
                schema: <Option<&'_ [Email]> as _omni::AttributeValue>::schema,
                item: || _omni::TypeId::of::<Issue>(),
                read: |item| _omni::read(item, Self::watchers),
            },
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
const _: () = {
    use ::omni_connector::generated as _omni;
    impl _omni::OperatorFn for due {
        const OPERATOR: _omni::Operator = _omni::Operator {
            name: "due",
            attribute: "due",
            value_type: <Option<Date> as _omni::AttributeValue>::VALUE_TYPE,
            schema: <Option<Date> as _omni::AttributeValue>::schema,
            item: || _omni::TypeId::of::<Issue>(),
            read: |item| _omni::read(item, due),
        };
    }
};
