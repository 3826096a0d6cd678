//! The struct: its keys become the trait impl.
/// Issues and comments of Acme Tracker.
struct Acme {
    http: HttpClient,
}
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni_connector::generated as _omni;
    impl _omni::Declared for Acme {
        type Config = Settings;
        type Credentials = ApiKey;
        type State = Cursor;
        const TABLE: _omni::Table<Self> = _omni::table_of::<Acme, _>(|| loop {});
        const NAME: &'static str = "acme";
        const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
        const DISPLAY_NAME: _omni::Option<&'static str> = _omni::Some("Acme Tracker");
        const DESCRIPTION: _omni::Option<&'static str> = _omni::Some(
            "Issues and comments of Acme Tracker.",
        );
        const SOURCE_TYPES: &'static [_omni::SourceType] = &[
            _omni::SourceType::Jira,
            _omni::SourceType::Confluence,
        ];
        const SYNC_MODES: &'static [_omni::SyncType] = &[
            _omni::SyncType::Full,
            _omni::SyncType::Incremental,
        ];
        const LISTED_ACTIONS: &'static [_omni::Action<Self>] = &[
            <reports::monthly as _omni::ActionFn<Self>>::ACTION,
        ];
        const LISTED_OPERATORS: &'static [_omni::Operator] = &[
            <issues::project as _omni::OperatorFn>::OPERATOR,
        ];
        const CONFIG_SCHEMA: _omni::Option<_omni::SchemaFn> = _omni::type_schema!(
            Settings
        );
        const CREDENTIALS_SCHEMA: _omni::Option<_omni::SchemaFn> = _omni::type_schema!(
            ApiKey
        );
        const STATE_SCHEMA: _omni::Option<_omni::SchemaFn> = _omni::type_schema!(Cursor);
    }
    const _: () = _omni::assert_unique_action::<Acme>(0);
    const _: () = _omni::assert_unique_operator::<Acme>(0);
    const _: () = _omni::assert_synced::<Acme>(_omni::SyncType::Full);
    const _: () = _omni::assert_synced::<Acme>(_omni::SyncType::Incremental);
};
