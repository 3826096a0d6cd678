//! A function outside the block, as an action of every connector that has its arguments.
/// Say who asks.
#[cfg(feature = "whoami")]
#[allow(
    clippy::missing_errors_doc,
    clippy::needless_pass_by_value,
    clippy::unused_async
)]
pub async fn whoami(actor: Option<Actor>, greeting: String) -> Result<String> {
    Ok(greeting + &actor.map_or_else(String::new, |actor| actor.email))
}
#[cfg(feature = "whoami")]
#[doc(hidden)]
#[allow(non_camel_case_types)]
pub struct whoami {}
#[cfg(feature = "whoami")]
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    impl<AnyConnector: _omni::Connector> _omni::ActionFn<AnyConnector> for whoami
    where
        Option<Actor>: _omni::FromCall<_omni::CallOf<AnyConnector, _omni::OfAction>>,
    {
        const ACTION: _omni::Action<AnyConnector> = _omni::ActionHead::read(
                "whoami",
                "Say who asks.",
            )
            .call(|_, mut call| {
                let mut input = call.input()?;
                let future = whoami(
                    call.supply::<Option<Actor>>()?,
                    input.take::<String>()?,
                );
                _omni::pending(future, _omni::action_answer)
            })
            .args(&[_omni::Arg::of::<String>("greeting", "How to greet")])
            .output(_omni::result_schema!(Result < String >));
    }
};
