//! An action that lives elsewhere and serves every connector that has what it needs.
/// Say who asks.
#[cfg(feature = "whoami")]
#[allow(
    clippy::missing_errors_doc,
    clippy::needless_pass_by_value,
    clippy::unused_async,
    clippy::unused_self,
)]
pub async fn whoami(actor: Option<Actor>, greeting: String) -> Result<String> {
    Ok(greeting + &actor.map_or_else(String::new, |actor| actor.email))
}
#[cfg(feature = "whoami")]
#[doc(hidden)]
#[allow(non_camel_case_types)]
pub struct whoami {}
#[cfg(feature = "whoami")]
const _: () = {
    use ::omni_connector::generated as _omni;
    use _omni::AnyShape as _;
    use _omni::AnyOutput as _;
    impl<AnyConnector: _omni::Connector> _omni::ActionFn<AnyConnector> for whoami
    where
        Option<Actor>: _omni::FromCall<_omni::CallOf<AnyConnector, _omni::OfAction>>,
    {
        const ACTION: _omni::Action<AnyConnector> = _omni::Action {
            name: "whoami",
            description: "Say who asks.",
            mode: _omni::ActionMode::Read,
            args: &[_omni::Arg::of::<String>("greeting", "How to greet")],
            input: _omni::input_once(
                &[
                    _omni::input::<
                        AnyConnector,
                        Option<Actor>,
                    >(_omni::Shape::<Option<Actor>>::IS_OBJECT),
                ],
                1,
            ),
            output: _omni::Output::<Result<String>>::SCHEMA,
            scopes: _omni::None,
            source_types: &[],
            admin_only: false,
            hidden: false,
            timeout: _omni::None,
            call: |_, mut call| {
                let mut input = call.input()?;
                let returned = whoami(
                    call.supply::<Option<Actor>>()?,
                    input.take::<String>()?,
                );
                _omni::Ok(_omni::Box::pin(async move { _omni::answer(returned.await) }))
            },
        };
    }
};
