//! The connector to read first: three notes in memory, one action and one search operator.

use omni_connector::prelude::*;

/// A note: its author and its text.
struct Note(&'static str, &'static str);

const NOTES: [Note; 3] = [
    Note("ada", "The engine weaves algebra"),
    Note("mary", "Fossils of Lyme"),
    Note("ada", "On Bernoulli numbers"),
];

/// Three notes that are kept in memory.
#[connector(name = "hello", source_types = [Notion])]
struct Hello;

#[connector]
impl Hello {
    #[sync]
    async fn sync(&self, ctx: SyncContext) -> Result<()> {
        for (number, note) in NOTES.iter().enumerate() {
            let document = Document::new(format!("note-{number}"), DocumentPermissions::public());
            ctx.upsert(document.title(note.1).text(note.1).attributes_of(note))
                .await?;
        }
        Ok(())
    }

    /// Count the notes that contain a word.
    #[action(read)]
    async fn count(
        &self,
        /** The word to look for */
        #[arg]
        word: String,
    ) -> Result<usize> {
        Ok(NOTES.iter().filter(|note| note.1.contains(&word)).count())
    }

    /// `author:ada` finds the notes of one author.
    #[search_operator]
    fn author(note: &Note) -> &str {
        note.0
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::run(Hello).await
}
