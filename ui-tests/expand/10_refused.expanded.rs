//! A refused declaration: the items as written, one error, and stubs for which rustc reports no more errors.
struct Acme;
::core::compile_error! {
    "unknown key `nmae`\nhelp: did you mean `name`?"
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    #[_omni::async_trait]
    impl _omni::Connector for Acme {
        type Config = Settings;
        type Credentials = _omni::Value;
        type State = _omni::Value;
        fn name(&self) -> &'static str {
            ::core::unreachable!()
        }
        fn version(&self) -> &'static str {
            ::core::unreachable!()
        }
        fn source_types(&self) -> _omni::Vec<_omni::SourceType> {
            ::core::unreachable!()
        }
        async fn sync(
            &self,
            _: _omni::Source,
            _: _omni::Option<_omni::ServiceCredential>,
            _: _omni::Option<Self::State>,
            _: _omni::SyncContext,
        ) -> _omni::Result<()> {
            ::core::unreachable!()
        }
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
    pub struct Block;
    impl _omni::Methods<Block> for Acme {
        const SYNC_METHODS: &'static [_omni::Sync<Self>] = &[
            _omni::Sync::new(|_, _| ::core::unreachable!()),
        ];
    }
};
