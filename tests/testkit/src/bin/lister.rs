//! A connector of a list that is paged by numbers, offsets or links: `PAGING` names the kind. `MISTAKE` names its one
//! mistake; without the variable it has none.

use std::{collections::BTreeSet, env};

use omni_connector::{Server, prelude::*};

/// A mistake that shows in the first run only.
const NEITHER: &str = "the total is not compared, and nothing is deleted";

/// Returns whether the process makes this mistake.
fn makes(mistake: &str) -> bool {
    env::var("MISTAKE").is_ok_and(|made| made == mistake)
}

#[derive(Deserialize)]
struct Settings {
    api_url: Url,
}

#[derive(Deserialize)]
struct Item {
    key: String,
    title: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    ids: BTreeSet<String>,
}

fn paging() -> Paging {
    let paging = match env::var("PAGING").as_deref() {
        Ok("offset") => Paging::offset("from").until_has_more("/more"),
        Ok("link header") => Paging::link_header(),
        _ => Paging::page_number("page").until_has_more("/more"),
    };
    let paging = paging.size("limit", 4);
    if makes("the total is not compared") || makes(NEITHER) {
        paging
    } else {
        paging.total("/total")
    }
}

/// Items of an imaginary list.
#[connector(name = "lister", source_types = [Jira], config = Settings, state = Known)]
struct Lister;

#[connector]
impl Lister {
    #[sync]
    async fn sync(
        &self,
        config: Config<Settings>,
        mut known: Checkpoint<Known>,
        ctx: SyncContext,
    ) -> Result<()> {
        let api = Api::at(&config.api_url);
        let mut pages = api.get("items").pages(paging()).items::<Item>("/items");
        let mut last = known.last()?.unwrap_or_default();
        if makes(NEITHER) {
            last.ids.clear();
        }
        let mut listing = ctx.listing(last.ids);
        let mut seen = BTreeSet::new();
        while let Some(page) = pages.next().await? {
            for item in &page {
                let document = Document::new(&item.key, DocumentPermissions::public())
                    .title(&item.title)
                    .text(&item.title);
                ctx.upsert(document).await?;
                listing.saw(&item.key);
                seen.insert(item.key.clone());
            }
        }
        let _proof = pages.finish()?;
        let deletions = ctx.delete_unseen(listing.finish()?).await?;
        seen.extend(deletions.held_back);
        known.ids = seen;
        known.save().await?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    Server::new(Lister).serve().await
}
