//! A read-only connector with skills, and with another path of the crate.
/// Wiki pages.
pub struct Wiki;
#[allow(deprecated, unused_mut, unused_qualifications, unused_variables)]
const _: () = {
    use ::omni::generated as _omni;
    impl _omni::Declared for Wiki {
        type Config = _omni::Value;
        type Credentials = _omni::Value;
        type State = _omni::Value;
        const TABLE: _omni::Table<Self> = _omni::table_of::<Wiki, _>(|| loop {});
        const NAME: &'static str = "wiki";
        const VERSION: &'static str = "2.1.0";
        const READ_ONLY: bool = true;
        const DESCRIPTION: _omni::Option<&'static str> = _omni::Some("Wiki pages.");
        const SOURCE_TYPES: &'static [_omni::SourceType] = &[
            _omni::SourceType::Confluence,
        ];
        const DECLARED_SKILLS: &'static [_omni::DeclaredSkill] = &[
            _omni::DeclaredSkill {
                id: "style",
                title: "House style",
                description: _omni::None,
                text: ::core::include_str!("style.md"),
                source_types: &[],
            },
            _omni::DeclaredSkill {
                id: "tone",
                title: "Tone",
                description: _omni::None,
                text: "Be kind.",
                source_types: &[_omni::SourceType::Confluence],
            },
        ];
        const EXTRA: _omni::Option<_omni::SchemaFn> = _omni::Some(
            _omni::input_schema::<PageExtra>,
        );
    }
    const _: () = _omni::assert_synced::<Wiki>(_omni::SyncType::Full);
};
