//! An action that lives elsewhere, of one connector.
/// Count the issues of one month.
#[allow(
    clippy::missing_errors_doc,
    clippy::needless_pass_by_value,
    clippy::unused_async,
    clippy::unused_self,
)]
pub(crate) async fn monthly(acme: &Acme, config: Config<Settings>) -> Result<u32> {
    acme.count(config).await
}
#[doc(hidden)]
#[allow(non_camel_case_types)]
pub(crate) struct monthly {}
const _: () = {
    use ::omni_connector::generated as _omni;
    use _omni::AnyShape as _;
    use _omni::AnyOutput as _;
    impl _omni::ActionFn<Acme> for monthly {
        const ACTION: _omni::Action<Acme> = _omni::Action {
            name: "monthly",
            description: "Count the issues of one month.",
            mode: _omni::ActionMode::Read,
            args: &[],
            input: _omni::input_once(
                &[
                    _omni::input::<
                        Acme,
                        Config<Settings>,
                    >(_omni::Shape::<Config<Settings>>::IS_OBJECT),
                ],
                0,
            ),
            output: _omni::Output::<Result<u32>>::SCHEMA,
            scopes: _omni::None,
            source_types: &[],
            admin_only: false,
            hidden: false,
            timeout: _omni::None,
            call: |connector, mut call| {
                let returned = monthly(connector, call.supply::<Config<Settings>>()?);
                _omni::Ok(_omni::Box::pin(async move { _omni::answer(returned.await) }))
            },
        };
    }
};
