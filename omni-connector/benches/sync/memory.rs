//! The memory of a run, measured in separate processes.

use std::fs;

use anyhow::{Context, Result};

use crate::{limit::Rate, ours, part::Part, table::Row};

const FEW: usize = 10_000;
const MANY: usize = 1_000_000;

/// Compares the peak memory of a run with many documents to that of one with few.
pub(crate) fn row() -> Result<Row> {
    let manager = Part::start(&["null", "0"])?;
    let url = manager.next_line()?;
    let peak = |documents: usize| -> Result<f64> {
        let part = Part::start(&["memory", &url, &documents.to_string()])?;
        Ok(part.next_line()?.parse()?)
    };
    let mut row = Row::new(
        "peak KB, 1,000,000 documents ÷ 10,000",
        "the bounds of a run: 2,000 items or 32 MB on their way, 10,000 texts remembered",
    );
    row.round(Rate(peak(MANY)?), None, Some(Rate(peak(FEW)?)));
    Ok(row)
}

/// Runs with this number of documents of 2 KB, and prints the peak of the resident set in KB.
pub(crate) fn measure(manager: &str, documents: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let connector = ours::Connector::serve(manager).await?;
        connector.documents(documents).await?;
        println!("{}", peak("self")?);
        connector.stop().await
    })
}

/// Returns the peak of a process's resident set in KB.
pub(crate) fn peak(process: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.context("the system does not report the peak of memory")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}
