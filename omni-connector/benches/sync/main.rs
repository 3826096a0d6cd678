//! Measures the speed of a run, compared to the sequence of the published SDK and to a bare client that sends the same
//! bytes.
//!
//! ```text
//! cargo bench -p omni-connector --bench sync                      prints the table
//! cargo bench -p omni-connector --bench sync -- --json PATH       also writes its rows
//! cargo bench -p omni-connector --bench sync -- --quick           fewer rounds, about three minutes
//! cargo bench -p omni-connector --bench sync -- --growth          only the rows of a run of 300,000 files
//! ```
//!
//! Managers are separate processes: this binary, started again with the name of a part as its first argument. The three
//! candidates of a row take turns, round after round, and a ratio is the median of the rounds' ratios. So other load on
//! the machine affects all three.

mod data;
mod development;
mod files;
mod growth;
mod limit;
mod memory;
mod null;
mod ours;
mod part;
mod sequence;
mod table;

use std::{
    env,
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use limit::Rate;
use table::{Row, Table};

/// The options on the command line.
#[derive(Debug, Default)]
struct Options {
    json: Option<PathBuf>,
    quick: bool,
    /// Measures the rows of a run that grows and no others.
    growth: bool,
}

impl Options {
    fn rounds(&self) -> usize {
        if self.quick { 3 } else { 7 }
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["null", delay] => null::serve(Duration::from_millis(delay.parse()?), None),
        ["null", delay, folder] => null::serve(Duration::from_millis(delay.parse()?), Some(folder)),
        ["development", folder] => development::serve(folder),
        ["search", ref counts @ ..] => development::search(counts),
        ["growth", files] => growth::measure(files.parse()?),
        ["memory", manager, documents] => memory::measure(manager, documents.parse()?),
        _ => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            runtime.block_on(all(&options(&words)?))
        }
    }
}

fn options(words: &[&str]) -> Result<Options> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            // Added by cargo.
            "--bench" => {}
            "--quick" => options.quick = true,
            "--growth" => options.growth = true,
            "--json" => options.json = words.next().map(PathBuf::from),
            other => bail!(
                "unknown argument `{other}`\nhelp: use `--json PATH`, `--quick` or `--growth`"
            ),
        }
    }
    Ok(options)
}

async fn all(options: &Options) -> Result<()> {
    let mut table = Table::default();
    if options.growth {
        for row in growth::rows()? {
            table.add(row);
        }
        return table.finish(options.json.as_deref());
    }
    for delay in [0, 1, 10] {
        let manager = part::Part::start(&["null", &delay.to_string()])?;
        let url = manager.next_line()?;
        table.add(documents(options, &url, delay).await?);
        table.add(events(options, &url, delay).await?);
        if delay == 0 {
            table.add(author_alone(options, &url).await?);
        }
    }
    for row in development::rows(options).await? {
        table.add(row);
    }
    for row in files::rows(options).await? {
        table.add(row);
    }
    table.add(development::search_row()?);
    table.add(memory::row()?);
    if !options.quick {
        for row in growth::rows()? {
            table.add(row);
        }
    }
    table.finish(options.json.as_deref())
}

/// Measures documents of 2 KB, each with its own content.
async fn documents(options: &Options, url: &str, delay: u64) -> Result<Row> {
    let (many, few) = match delay {
        0 => (20_000, 2_000),
        1 => (10_000, 200),
        _ => (2_000, 40),
    };
    let ours = ours::Connector::serve(url).await?;
    let mut row = Row::new(
        format!("documents of 2 KB, {delay} ms"),
        match delay {
            0 => "the two cores, shared with the manager: one HTTP request a document",
            1 => "the cores, about equally with the answer times: 16 requests at once",
            _ => "the manager's answer time: 16 requests at once",
        },
    );
    for _ in 0..options.rounds() {
        let ours = ours.documents(many).await?;
        let limit = limit::documents(url, data::NULL_RUN, many).await?;
        let sequence = sequence::documents(url, data::NULL_RUN, few).await?;
        row.round(ours, Some(sequence), Some(limit));
    }
    ours.stop().await?;
    Ok(row)
}

/// Measures events whose contents are already stored.
async fn events(options: &Options, url: &str, delay: u64) -> Result<Row> {
    let (many, few) = match delay {
        0 => (500_000, 2_000),
        1 => (200_000, 200),
        _ => (40_000, 40),
    };
    let ours = ours::Connector::serve(url).await?;
    let mut row = Row::new(
        format!("events only, {delay} ms"),
        match delay {
            0 => "one core: the author's building of an event, then its encoding",
            _ => "the manager's answer time: batches of 500, one after the other",
        },
    );
    for _ in 0..options.rounds() {
        let ours = ours.events(many).await?;
        let limit = limit::events(url, data::NULL_RUN, many).await?;
        let sequence = sequence::events(url, data::NULL_RUN, few).await?;
        row.round(ours, Some(sequence), Some(limit));
    }
    ours.stop().await?;
    Ok(row)
}

/// Measures the author's work for these events without any runtime, on the single core of a sync function. No runtime
/// can be faster.
async fn author_alone(options: &Options, url: &str) -> Result<Row> {
    const MANY: usize = 500_000;
    let mut row = Row::new(
        "bound: events built by the author, not sent",
        "one core: five texts and a list of readers a document",
    );
    for _ in 0..options.rounds() {
        let started = Instant::now();
        for number in 0..MANY {
            drop(black_box(data::document(number).stored(data::CONTENT)));
        }
        let author = Rate::of(MANY, started);
        let limit = limit::events(url, data::NULL_RUN, MANY).await?;
        row.round(author, None, Some(limit));
    }
    Ok(row)
}
