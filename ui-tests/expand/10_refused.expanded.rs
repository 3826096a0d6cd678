//! What is left where something was refused: the items as written, one error, and stubs that report nothing more.
struct Acme;
::core::compile_error! {
    "unknown key `nmae`\nhelp: did you mean `name`?"
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    impl _omni::Declared for Acme {
        type Config = Settings;
        type Credentials = _omni::Value;
        type State = _omni::Value;
        const NAME: &'static str = "";
        const VERSION: &'static str = "";
        const SOURCE_TYPES: &'static [_omni::SourceType] = _omni::SourceType::ALL;
        const MODES: &'static [_omni::SyncType] = _omni::SyncType::ALL;
    }
};
impl Acme {
    fn sync(&self, ctx: SyncContext) -> Result<()> {
        Ok(())
    }
}
::core::compile_error! {
    "sync `sync` must be an `async fn`\nhelp: write `async fn`"
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    impl _omni::Methods for Acme {
        const SYNCS: &'static [_omni::Sync<Self>] = &[
            _omni::Sync::new(|_, _| ::core::unreachable!()),
        ];
    }
};
