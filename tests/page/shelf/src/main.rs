//! A library of invented books for the stories of the page: enough to search, filter and interrupt.

use std::time::Duration;

use omni_connector::{
    http::{Api, ApiClient, Paging},
    prelude::*,
};
use serde::{Deserialize, Serialize, de::IgnoredAny};

const ROOMS: [&str; 4] = ["History", "Natural science", "Poetry", "Travel"];
const SUBJECTS: [&str; 6] = ["tides", "glaciers", "lighthouses", "moths", "bridges", "orchards"];

/// The settings, from which the page makes its form.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Library {
    /// The name of the library, as it stands above its door
    library: String,
    /// How many books it has
    #[serde(default = "sixty")]
    #[schemars(range(min = 1, max = 20000))]
    books: usize,
    /// Milliseconds between two books
    pause: Option<u64>,
    #[serde(default)]
    order: Order,
    /// Where notices about books are read
    catalogue: Option<Url>,
    /// Whether the missing book was found
    mended: Option<bool>,
    /// Rooms that are not read
    #[serde(default)]
    closed: Vec<String>,
    /// Who may take books home
    loans: Option<Loans>,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Title,
    Year,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Loans {
    #[serde(default = "fortnight")]
    days: u16,
    renewable: Option<bool>,
}

const fn sixty() -> usize {
    60
}

const fn fortnight() -> u16 {
    14
}

#[derive(Default, Serialize, Deserialize)]
struct Place {
    next: usize,
    room: String,
}

struct Book {
    room: &'static str,
    subject: &'static str,
}

/// The service with notices about books.
#[derive(Clone, FromCall)]
struct Catalogue {
    api: Api,
}

#[derive(Deserialize)]
struct Notice {
    id: String,
    text: String,
}

impl ApiClient for Catalogue {
    type Config = Library;
    type Credentials = IgnoredAny;

    fn connect(library: &Library, _: &IgnoredAny) -> Result<Self> {
        let nowhere = "http://127.0.0.1:9";
        let url = library.catalogue.as_ref().map_or(nowhere, Url::as_str);
        Ok(Self { api: Api::at(url) })
    }
}

impl Catalogue {
    async fn sync(&self, ctx: &SyncContext) -> Result<()> {
        let pages = self.api.get("notices").pages(Paging::cursor("/next"));
        let mut pages = pages.items::<Notice>("/notices");
        while let Some(page) = pages.next().await? {
            for notice in &page {
                let document = Document::new(&notice.id, DocumentPermissions::public());
                ctx.upsert(document.title(&notice.text).text(&notice.text)).await?;
            }
        }
        drop(pages.finish()?);
        Ok(())
    }
}

/// A library of made-up books.
#[connector(name = "shelf", display_name = "Shelf", source_types = [Notion], sync_modes = [full, incremental], config = Library, state = Place)]
struct Shelf;

#[connector]
impl Shelf {
    #[sync]
    async fn sync(
        &self,
        Config(library): Config<Library>,
        catalogue: Catalogue,
        mut place: Checkpoint<Place>,
        ctx: SyncContext,
    ) -> Result<()> {
        if library.catalogue.is_some() {
            catalogue.sync(&ctx).await?;
        }
        ctx.group(Group::new("readers@library.example", ["ann@library.example", "cleo@library.example"]).name("Readers")).await?;
        for number in place.next..library.books {
            let book = Book { room: ROOMS[number % ROOMS.len()], subject: SUBJECTS[number % SUBJECTS.len()] };
            let id = format!("book-{number:05}");
            if library.closed.iter().any(|room| room == book.room) {
                ctx.skip(id, "the room is closed");
                continue;
            }
            if number == 13 && library.mended != Some(true) {
                ctx.item_failed(id, "404 Not Found: the book is not on its shelf", Some("https://library.example/books/13"));
                continue;
            }
            let readers = match number % 10 {
                0 => DocumentPermissions::public(),
                1 => DocumentPermissions::users(["ben@library.example"]),
                _ => DocumentPermissions::users(["librarian@library.example"]).and_groups(["readers@library.example"]),
            };
            let title = format!("A short history of {}, volume {}", book.subject, number / SUBJECTS.len() + 1);
            let text = format!(
                "{title}\n\nFrom the room “{}” of {}. What is known about {} was written down by people who had the time to look. \
                 This volume gathers their notes, puts them in order, and says where they disagree.",
                book.room, library.library, book.subject
            );
            let document = Document::new(id, readers).title(title).text(text).path(format!("{}/{}", book.room, book.subject));
            let document = document.url(format!("https://library.example/books/{number}")).author("The librarian").attributes_of(&book);
            ctx.upsert(document).await?;
            if let Some(pause) = library.pause {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            if number % 10 == 9 || number + 1 == library.books {
                *place = Place { next: number + 1, room: book.room.to_owned() };
                place.save().await?;
            }
        }
        Ok(())
    }

    /// Reserve a book for a reader.
    #[action(write)]
    async fn reserve(
        &self,
        /** The number of the book, such as `book-00012` */
        #[arg]
        book: String,
        /** How many days it is kept */
        #[arg(default = 3)]
        days: u32,
    ) -> Result<String> {
        Ok(format!("{book} waits for {days} days"))
    }

    /// Put a notice about a book into the catalogue.
    #[action(write)]
    async fn announce(
        &self,
        Catalogue { api }: Catalogue,
        /** The notice */
        #[arg]
        text: String,
    ) -> Result<serde_json::Value> {
        Ok(api.post("notices").json(&serde_json::json!({ "text": text })).read().await?)
    }

    /// Count the books of a room.
    #[action(read)]
    async fn count(
        &self,
        /** The room */
        #[arg]
        room: String,
    ) -> Result<usize> {
        Ok(ROOMS.iter().filter(|known| **known == room).count() * 15)
    }

    /// `room:poetry` finds the books of one room.
    #[search_operator]
    fn room(book: &Book) -> &str {
        book.room
    }

    /// `subject:moths` finds the books about one thing.
    #[search_operator]
    fn subject(book: &Book) -> &str {
        book.subject
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    omni_connector::run(Shelf).await
}
