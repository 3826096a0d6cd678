//! Skills in the attribute of a struct.

use crate::wire::{Skill, SourceType};

/// A skill in the attribute of a struct.
#[derive(Debug)]
pub struct DeclaredSkill {
    /// Its id.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// When to use it.
    pub description: Option<&'static str>,
    /// What it teaches.
    pub text: &'static str,
    /// Where it applies; everywhere when empty.
    pub source_types: &'static [SourceType],
}

impl DeclaredSkill {
    pub(super) fn to_skill(&self) -> Skill {
        Skill {
            id: self.id.to_owned(),
            title: self.title.to_owned(),
            description: self.description.map(str::to_owned),
            source_types: self.source_types.to_vec(),
            content: Some(self.text.to_owned()),
            mcp_prompt: None,
        }
    }
}
