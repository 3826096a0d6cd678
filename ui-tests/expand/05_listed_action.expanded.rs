//! A function outside the block, as an action of one connector.
/// Count the issues of one month.
#[allow(clippy::missing_errors_doc, clippy::needless_pass_by_value)]
pub(crate) async fn monthly(acme: &Acme, config: Config<Settings>) -> Result<u32> {
    acme.count(config).await
}
#[doc(hidden)]
#[allow(non_camel_case_types)]
pub(crate) struct monthly {}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    impl _omni::ActionFn<Acme> for monthly {
        const ACTION: _omni::Action<Acme> = _omni::ActionHead::read(
                "monthly",
                "Count the issues of one month.",
            )
            .call(|connector, mut call| {
                let future = monthly(connector, call.supply::<Config<Settings>>()?);
                _omni::pending(future, _omni::action_answer)
            })
            .output(_omni::result_schema!(Result < u32 >));
    }
};
