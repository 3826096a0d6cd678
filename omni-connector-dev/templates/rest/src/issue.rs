//! One issue: its fields, who may read it, and its document.

use omni_connector::prelude::*;

/// An issue as Exemplar sends it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Issue {
    id: String,
    //> field=title
    title: Option<String>,
    //<
    //> field=text
    text: Option<String>,
    //<
    //> field=url
    url: Option<String>,
    //<
    //> field=status
    pub(crate) status: Option<String>,
    //<
    //> field=updated_at
    updated_at: Option<Timestamp>,
    //<
    //> access=groups
    team: Option<String>,
    //<
    //> access=item
    readers: Option<Vec<String>>,
    //<
}

impl Issue {
    /// The id of its document, which never changes.
    pub(crate) fn id(&self) -> String {
        self.id.clone()
    }

    /// The document that Omni finds.
    pub(crate) fn document(&self) -> Document<'_> {
        let id = self.id();
        // Who may read it. A document with unknown readers is not sent, so nobody sees it by mistake.
        //> access=public
        let access = Access::public();
        //<
        //> access=groups
        let access = match &self.team {
            Some(team) => Access::groups([team]),
            None => Access::unknown("Exemplar names no team of this issue"),
        };
        //<
        //> access=item
        let access = match &self.readers {
            Some(readers) => Access::users(readers),
            None => Access::unknown("Exemplar does not show the readers of this issue"),
        };
        //<
        let document = Document::new(&id, access)
            //> field=title
            .title(self.title.as_deref().unwrap_or(&id))
            //<
            //> field=text
            .text(self.text.as_deref().unwrap_or_default())
            //<
            //> field=updated_at
            .updated_at(self.updated_at.map(|at| at.0))
            //<
            ;
        //> field=url
        let document = match &self.url {
            Some(url) => document.url(url),
            None => document,
        };
        //<
        document.attributes_of(self)
    }
}
