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
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    use _omni::{AnyShape as _, AnyOutput as _};
    impl<AnyConnector: _omni::Connector> _omni::ActionFn<AnyConnector> for whoami
    where
        Option<Actor>: _omni::FromCall<_omni::CallOf<AnyConnector, _omni::OfAction>>,
    {
        const ACTION: _omni::Action<AnyConnector> = _omni::Described::read(
                "whoami",
                "Say who asks.",
            )
            .call(|_, mut call| {
                let mut input = call.input()?;
                let returned = whoami(
                    call.supply::<Option<Actor>>()?,
                    input.take::<String>()?,
                );
                _omni::called(async move { _omni::answer(returned.await) })
            })
            .args(&[_omni::Arg::of::<String>("greeting", "How to greet")])
            .input::<Option<Actor>>(_omni::Is::<Option<Actor>>::OBJECT)
            .output(_omni::Output::<Result<String>>::SCHEMA);
    }
};
