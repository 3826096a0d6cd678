//! What the manager has of a setup's source: documents, people, groups, checkpoints, and the events of a run.

use omni_connector::PersonSyncRecord;
use serde_json::Value;

use super::{
    documents::Documents,
    setup::{PATIENCE, Setup},
    waiting::reached,
};
use crate::store::{checkpoints, people, runs::Run, search::Query};

impl Setup {
    /// Returns the documents of the source.
    ///
    /// # Panics
    /// Panics if the store cannot be read.
    pub async fn documents(&self) -> Documents {
        let found = Documents::of(self.manager.store(), &self.source.id).await;
        found.expect("a store in memory is read")
    }

    /// Returns the ids of the source's documents, sorted.
    ///
    /// # Panics
    /// Panics if the store cannot be read.
    pub async fn ids(&self) -> Vec<String> {
        let documents = self.documents().await;
        documents.ids().into_iter().map(str::to_owned).collect()
    }

    /// Waits until the documents satisfy a condition.
    ///
    /// # Panics
    /// Panics if they do not within a minute. The message shows the current documents.
    pub async fn until(&self, are_right: impl Fn(&Documents) -> bool) -> Documents {
        let look = async || Some(self.documents().await).filter(&are_right);
        if let Some(found) = reached(PATIENCE, look).await {
            return found;
        }
        let found = self.documents().await;
        panic!("the documents are not as they should be:\n{found}")
    }

    /// Waits until the source has documents with these ids, and no others. The ids are sorted.
    ///
    /// # Panics
    /// Panics if they are not within a minute.
    pub async fn until_ids(&self, ids: &[&str]) {
        let look = async || (self.documents().await.ids() == ids).then_some(());
        if reached(PATIENCE, look).await.is_none() {
            assert_eq!(self.ids().await, ids, "the documents after {PATIENCE:?}");
        }
    }

    /// Returns the addresses of a group's members, sorted.
    ///
    /// # Panics
    /// Panics if the store cannot be read.
    pub async fn members(&self, group: &str) -> Vec<String> {
        let (id, group) = (self.source.id.clone(), group.to_owned());
        let store = self.manager.store();
        let read = store.read(move |db| people::members_of(db, &id, &group));
        read.await.expect("a store in memory is read")
    }

    /// Returns the person with that address; none if Omni does not know the person.
    ///
    /// # Panics
    /// Panics if the store cannot be read.
    pub async fn person(&self, email: &str) -> Option<PersonSyncRecord> {
        let (id, email) = (self.source.id.clone(), email.to_owned());
        let store = self.manager.store();
        let read = store.read(move |db| people::find_person(db, &id, &email));
        let found = read.await.expect("a store in memory is read");
        found.map(|(person, _)| person)
    }

    /// Returns the source's checkpoint: that of its latest completed run.
    ///
    /// # Panics
    /// Panics if the store cannot be read.
    pub async fn checkpoint(&self) -> Option<Value> {
        self.checkpoint_of(self.source.id.clone()).await
    }

    /// Returns the checkpoint that a run saved so far.
    ///
    /// # Panics
    /// Panics if the store cannot be read.
    pub async fn saved_by(&self, run: &Run) -> Option<Value> {
        self.checkpoint_of(run.id.clone()).await
    }

    async fn checkpoint_of(&self, owner: String) -> Option<Value> {
        let store = self.manager.store();
        let read = store.read(move |db| checkpoints::find(db, &owner));
        read.await.expect("a store in memory is read")
    }

    /// Searches as a person, or with `None` without restrictions. Returns the ids of the first hundred documents.
    ///
    /// # Panics
    /// Panics if the store cannot be read.
    pub async fn search(&self, text: &str, viewer: Option<&str>) -> Vec<String> {
        let query = Query {
            text: text.to_owned(),
            viewer: viewer.map(str::to_owned),
            limit: 100,
        };
        let hits = self.manager.store().search(query).await;
        let hits = hits.expect("a store in memory is read").hits;
        hits.into_iter().map(|hit| hit.document_id).collect()
    }

    /// Returns the accepted events of a run, in order, with the stored text as `content` in place of the content's id.
    /// The ids of run and source are omitted.
    ///
    /// ```no_run
    /// # async fn example(setup: omni_connector_dev::testing::Setup) {
    /// # use omni_connector_dev::testing::{Setup, SyncType};
    /// // `setup` is from `Setup::of(…).recorded()`.
    /// let run = setup.sync(SyncType::Incremental).await.progress.run;
    /// let events = setup.events(&run).await;
    /// assert_eq!(events[0]["document_id"], "OPS-7");
    /// assert_eq!(events[0]["content"], "The disk of db1 is full.");
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics if the setup was not built with [`recorded`](super::SetupBuilder::recorded).
    pub async fn events(&self, run: &Run) -> Vec<Value> {
        let Some(recording) = &self.recording else {
            panic!("events are kept only by a setup with `Setup::of(…).recorded()`")
        };
        recording.events(self.manager.store(), &run.id).await
    }
}
