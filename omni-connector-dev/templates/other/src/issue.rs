//! One issue: its fields, who may read it, and its document.

use omni_connector::prelude::*;

/// An issue as Prototype has it.
#[derive(Debug, Default, Serialize)]
pub struct Issue {
    /// It is also the id of its document, which never changes.
    pub(crate) id: String,
    pub(crate) title: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) updated_at: Option<Timestamp>,
    //> access=groups
    pub(crate) team: Option<String>,
    //<
    //> access=item
    pub(crate) readers: Option<Vec<String>>,
    //<
}

impl Issue {
    /// An issue that Prototype does not have yet. It gets its id there.
    pub(crate) fn new(title: String, text: String) -> Self {
        Self {
            title: Some(title),
            text: Some(text),
            status: Some("open".to_owned()),
            ..Self::default()
        }
    }

    //> access=item
    /// The same with its only reader.
    pub(crate) fn read_by(mut self, person: Option<String>) -> Self {
        self.readers = person.map(|person| vec![person]);
        self
    }

    //<
    /// The document that Omni finds.
    pub(crate) fn document(&self) -> Document<'_> {
        // Who may read it. A document with unknown readers is not sent, so nobody sees it by mistake.
        //> access=public
        let access = Access::public();
        //<
        //> access=groups
        let access = match &self.team {
            Some(team) => Access::groups([team]),
            None => Access::unknown("Prototype names no team of this issue"),
        };
        //<
        //> access=item
        let access = match &self.readers {
            Some(readers) => Access::users(readers),
            None => Access::unknown("Prototype does not show the readers of this issue"),
        };
        //<
        let document = Document::new(&self.id, access)
            .title(self.title.as_deref().unwrap_or(&self.id))
            .text(self.text.as_deref().unwrap_or_default())
            .updated_at(self.updated_at.map(|at| at.0));
        let document = match &self.url {
            Some(url) => document.url(url),
            None => document,
        };
        document.attributes_of(self)
    }
}
