//! A read-only connector with skills, and with another path of the crate.

/// Wiki pages.
#[connector(
    name = "wiki",
    version = "2.1.0",
    source_types = [Confluence],
    skill(id = "style", title = "House style", file = "style.md"),
    skill(id = "tone", title = "Tone", text = "Be kind.", source_types = [Confluence]),
    extra = PageExtra,
    read_only,
    crate = ::omni,
)]
pub struct Wiki;
