//! `cargo omni documents`: what a source has brought, and one document with its text and its readers.

use std::fmt;

use clap::Args;
use console::style;
use indicatif::HumanCount;
use serde::Deserialize;

use super::{
    Code, Failure, Interrupts, Output,
    checkpoint::Change,
    output::{printable, printable_lines},
    page::{Place, Use, part, with_page},
};
use crate::{rules::SourceItem, store::search::Hits};

/// List the documents, or show one with its text and who can see it
#[derive(Debug, Args)]
#[command(after_help = "\
`cargo omni search` finds documents by words, `cargo omni explain` says why one is not found.

  cargo omni documents
  cargo omni documents book-00012 --as ann@example.com")]
pub(super) struct Arguments {
    /// Id or address of a document
    document: Option<String>,
    /// Show what this person sees
    #[arg(long = "as", value_name = "EMAIL")]
    viewer: Option<String>,
    /// The most documents to list
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    place: Place,
}

/// One document as the page shows it.
#[derive(Deserialize)]
struct Shown {
    document: Document,
    text: String,
    access: Access,
    source_item: Option<SourceItem>,
    versions: Vec<Earlier>,
}

/// An earlier version, with what the next one changed.
#[derive(Deserialize)]
struct Earlier {
    until: String,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "document_id")]
    id: String,
    title: String,
    attributes: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Access {
    public: bool,
    users: Vec<String>,
    groups: Vec<Group>,
    is_hidden: bool,
    verdict: Option<Verdict>,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    members: Option<Vec<String>>,
    is_domain: bool,
}

#[derive(Deserialize)]
struct Verdict {
    email: String,
    sees: bool,
    reason: String,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let Arguments {
        document,
        viewer,
        limit,
        place,
    } = arguments;
    with_page(&place, Use::Read, interrupts, async |page| {
        let limit = limit.to_string();
        let parameters = [
            ("doc", document.as_deref()),
            ("as", viewer.as_deref()),
            ("n", Some(limit.as_str())),
        ];
        let shown = page.pane("documents", &parameters).await?;
        let Some(wanted) = &document else {
            let hits: Hits = part(&shown["hits"])?;
            output.result(&shown["hits"], List(&hits));
            return Ok(Code::Done);
        };
        if shown["document"].is_null() {
            let failure = Failure::failed(format!("there is no document `{wanted}`"));
            return Err(failure.help(format!("`cargo omni explain {wanted}` says why")));
        }
        let one: Shown = part(&shown["document"])?;
        output.result(&shown["document"], one);
        Ok(Code::Done)
    })
    .await
}

struct List<'a>(&'a Hits);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Hits { total, hits, .. }) = self;
        for hit in hits {
            let (id, title) = (printable(&hit.document_id), printable(&hit.title));
            writeln!(f, "{}  {}", style(id).green(), style(title).bold())?;
        }
        let (shown, total) = (HumanCount(hits.len() as u64), HumanCount(*total));
        writeln!(f, "{shown} of {total} documents")
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            document,
            text,
            access,
            source_item,
            versions,
        } = self;
        writeln!(f, "{}", style(printable(&document.title)).bold())?;
        writeln!(f, "  id  {}", printable(&document.id))?;
        for (name, value) in &document.attributes {
            writeln!(
                f,
                "  {} = {}",
                printable(name),
                printable(&value.to_string())
            )?;
        }
        access.fmt(f)?;
        if let Some(item) = source_item {
            let (operation, place) = (printable(&item.operation), printable(&item.place));
            writeln!(
                f,
                "  probably made of `{operation}`, request {}, {place}",
                item.call
            )?;
            for (part, place) in &item.same {
                writeln!(f, "    {} from {}", printable(part), printable(place))?;
            }
        }
        for Earlier { until, changes } in versions {
            writeln!(f, "  earlier version until {until}; the next one changed")?;
            changes.iter().try_for_each(|change| change.fmt(f))?;
        }
        writeln!(f, "\n{}", printable_lines(text))
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Verdict {
            email,
            sees,
            reason,
        }) = &self.verdict
        {
            let sees = if *sees { "sees it" } else { "does not see it" };
            writeln!(f, "  {} {sees}: {}", printable(email), printable(reason))?;
        }
        if self.is_hidden {
            writeln!(f, "  nobody can see it: it names no reader")?;
        }
        if self.public {
            writeln!(f, "  everybody can see it")?;
        }
        for user in &self.users {
            writeln!(f, "  user   {}", printable(user))?;
        }
        for group in &self.groups {
            let members = match &group.members {
                Some(members) => format!("{} members", HumanCount(members.len() as u64)),
                None if group.is_domain => "everybody of this domain".to_owned(),
                None => "no source has sent it, so it lets nobody in".to_owned(),
            };
            writeln!(f, "  group  {}: {members}", printable(&group.name))?;
        }
        Ok(())
    }
}
