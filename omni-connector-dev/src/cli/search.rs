//! `cargo omni search`: searches the synced documents as Omni does. Needs only the store.

use std::fmt::{self, Write};

use clap::Args;
use console::style;
use indicatif::HumanCount;
use serde::Serialize;

use super::{
    Code, Failure, Interrupts, Output, StoreFolder,
    client::Client,
    output::{printable, warning},
    session::start_manager,
};
use crate::store::{
    Store,
    search::{Hit, Hits, Query},
};

/// Search the documents that syncs have brought
#[derive(Debug, Args)]
#[command(after_help = "\
Words must all match; `seri*` matches beginnings, `\"two words\"` a phrase. Operators of the connectors and those of Omni
(by, in, type, before, after) are typed as `operator:value` or `operator:\"two words\"`.

  cargo omni search 'release notes ext:md after:2026-01'")]
pub(super) struct Arguments {
    /// The words to search for; without any, all documents, newest first
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// Show only what this person may see
    #[arg(long = "as", value_name = "EMAIL")]
    viewer: Option<String>,
    /// The most hits to print
    #[arg(long, default_value_t = 10)]
    limit: usize,
    #[command(flatten)]
    store: StoreFolder,
}

#[derive(Serialize)]
struct Found<'a> {
    query: &'a str,
    #[serde(rename = "as")]
    viewer: Option<&'a str>,
    #[serde(flatten)]
    hits: &'a Hits,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let folder = &arguments.store.folder;
    if !Store::is_in(folder) {
        return Err(Failure::no_store(folder));
    }
    let query = Query {
        text: arguments.text.join(" "),
        viewer: arguments.viewer,
        limit: arguments.limit,
    };
    // Reading needs no lock, so a search works while another command syncs.
    let manager = start_manager(folder, 0, None, interrupts).await?;
    let client = Client::new(manager.url())?;
    let hits = tokio::select! {
        hits = client.search(&query) => hits,
        () = interrupts.first() => Err(Failure::interrupted()),
    };
    manager.shutdown().await;
    let hits = hits?;
    for ignored in &hits.ignored {
        warning(format!("`{ignored}` means nothing and is left out"));
    }
    let found = Found {
        query: &query.text,
        viewer: query.viewer.as_deref(),
        hits: &hits,
    };
    output.result(&found, Page(&hits));
    Ok(Code::Done)
}

/// Hits, formatted for people.
struct Page<'a>(&'a Hits);

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Hits { total, hits, .. }) = self;
        for hit in hits {
            write_hit(f, hit)?;
        }
        match (*total, hits.len() as u64) {
            (0, _) => writeln!(f, "nothing found"),
            (1, 1) => writeln!(f, "1 document"),
            (total, shown) if total == shown => writeln!(f, "{} documents", HumanCount(total)),
            (total, shown) => writeln!(
                f,
                "{} of {} documents",
                HumanCount(shown),
                HumanCount(total)
            ),
        }
    }
}

fn write_hit(f: &mut fmt::Formatter<'_>, hit: &Hit) -> fmt::Result {
    writeln!(f, "{}", style(printable(&hit.title)).bold())?;
    let place = hit
        .path
        .as_ref()
        .or(hit.url.as_ref())
        .unwrap_or(&hit.document_id);
    write!(f, "  {}", style(printable(place)).green())?;
    writeln!(f, "  {}", style(printable(&hit.source.name)).dim())?;
    writeln!(f, "  {}", style(format!("document_id={}", hit.id)).dim())?;
    let mut line = String::new();
    for part in &hit.snippet {
        let text = printable(&part.text);
        if part.is_match {
            write!(line, "{}", style(text).yellow().bold())?;
        } else {
            line += &text;
        }
    }
    let line = line.trim();
    if !line.is_empty() {
        writeln!(f, "  {line}")?;
    }
    writeln!(f)
}
