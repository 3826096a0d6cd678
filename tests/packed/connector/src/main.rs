//! A connector that uses only the framework's published packages.

use omni_connector::prelude::*;

#[derive(Serialize)]
struct Note {
    title: &'static str,
    topic: &'static str,
}

const NOTES: [Note; 2] = [
    Note {
        title: "Tea",
        topic: "kitchen",
    },
    Note {
        title: "Fire drill",
        topic: "safety",
    },
];

/// Notes of the house.
#[connector(name = "outside", source_types = [Web], sync_modes = [full])]
struct Notes;

#[connector]
impl Notes {
    #[sync]
    async fn sync(&self, ctx: SyncContext) -> Result<()> {
        for note in &NOTES {
            let document = Document::new(note.title, DocumentPermissions::public())
                .title(note.title)
                .text(note.title)
                .attributes_of(note);
            ctx.upsert(document).await?;
        }
        Ok(())
    }

    /// Count the notes of a topic.
    #[action(read)]
    async fn count_notes(
        &self,
        /// The topic
        #[arg]
        topic: String,
    ) -> Result<usize> {
        Ok(NOTES.iter().filter(|note| note.topic == topic).count())
    }

    /// `topic:safety` finds the notes about safety.
    #[search_operator]
    fn topic(note: &Note) -> &str {
        note.topic
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::run(Notes).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use omni_connector::{ServerConfig, SyncType, prelude::*};
    use omni_connector_dev::{Manager, Options, store::runs::RunStatus};

    #[tokio::test]
    async fn a_connector_built_from_the_packages_syncs() {
        let manager = Manager::start(Options::default()).await.unwrap();
        let config = ServerConfig::loopback(manager.url());
        let server = tokio::spawn(omni_connector::serve_with_config(super::Notes, config));
        let registered = manager
            .registration("outside", Duration::from_secs(60))
            .await;
        assert_eq!(registered.unwrap().actions[0].name, "count_notes");
        let source = manager.source("Notes", "web", json!({})).await.unwrap();
        let run = manager.sync(&source.id, SyncType::Full).await.unwrap();
        let outcome = manager.wait(&run.id, |_| {}).await.unwrap();
        assert_eq!(outcome.run.status, RunStatus::Completed);
        assert_eq!(outcome.run.documents_scanned, 2);
        server.abort();
        manager.shutdown().await;
    }
}
