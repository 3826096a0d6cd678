//! Prints the rows, on the terminal and as JSON.

use std::{fs::File, path::Path};

use anyhow::Result;
use serde::Serialize;

use crate::limit::Rate;

/// A row. Rates are medians over the rounds; ratios are medians of the rounds' ratios.
#[derive(Debug)]
pub(crate) struct Row {
    name: String,
    bottleneck: String,
    rounds: Vec<Round>,
}

#[derive(Debug)]
struct Round {
    ours: f64,
    sequence: Option<f64>,
    limit: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Line {
    row: String,
    ours: f64,
    sequence: Option<f64>,
    limit: Option<f64>,
    vs_sequence: Option<f64>,
    vs_limit: Option<f64>,
    bottleneck: String,
}

#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Line>);

impl Row {
    pub(crate) fn new(name: impl Into<String>, bottleneck: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            bottleneck: bottleneck.into(),
            rounds: Vec::new(),
        }
    }

    pub(crate) fn round(&mut self, ours: Rate, sequence: Option<Rate>, limit: Option<Rate>) {
        self.rounds.push(Round {
            ours: ours.0,
            sequence: sequence.map(|Rate(rate)| rate),
            limit: limit.map(|Rate(rate)| rate),
        });
    }

    fn median(&self, of: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
        let mut values: Vec<f64> = self.rounds.iter().filter_map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }

    fn line(self) -> Line {
        Line {
            ours: self.median(|round| Some(round.ours)).unwrap_or_default(),
            sequence: self.median(|round| round.sequence),
            limit: self.median(|round| round.limit),
            vs_sequence: self.median(|round| Some(round.ours / round.sequence?)),
            vs_limit: self.median(|round| Some(round.ours / round.limit?)),
            row: self.name,
            bottleneck: self.bottleneck,
        }
    }
}

impl Table {
    /// Prints the row at once, so that people see the progress.
    pub(crate) fn add(&mut self, row: Row) {
        if self.0.is_empty() {
            println!(
                "{:<44} {:>10} {:>10} {:>10} {:>8} {:>8}  bottleneck",
                "row", "ours", "sequence", "limit", "÷ seq.", "÷ limit"
            );
        }
        let line = row.line();
        let number = |value: Option<f64>, digits: usize| {
            value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
        };
        println!(
            "{:<44} {:>10} {:>10} {:>10} {:>8} {:>8}  {}",
            line.row,
            number(Some(line.ours), 0),
            number(line.sequence, 0),
            number(line.limit, 0),
            number(line.vs_sequence, 1),
            number(line.vs_limit, 2),
            line.bottleneck
        );
        self.0.push(line);
    }

    pub(crate) fn finish(&self, json: Option<&Path>) -> Result<()> {
        if let Some(path) = json {
            serde_json::to_writer_pretty(File::create(path)?, &self.0)?;
        }
        Ok(())
    }
}
