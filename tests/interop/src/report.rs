//! What was seen: a table of servers and features, every failure with its reason, and the count.

use std::{collections::BTreeMap, fmt::Display, process::ExitCode};

const COLUMNS: [&str; 7] = [
    "tools",
    "resources",
    "prompts",
    "skills",
    "kept",
    "fresh",
    "faster",
];

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<(String, BTreeMap<&'static str, String>)>,
    passed: usize,
    failed: usize,
}

impl Report {
    pub(crate) fn row(&mut self, name: String) {
        eprintln!("{name}");
        self.rows.push((name, BTreeMap::new()));
    }

    pub(crate) fn cell(&mut self, column: &'static str, text: impl Display) {
        if let Some((_, cells)) = self.rows.last_mut() {
            cells.insert(column, text.to_string());
        }
    }

    /// Counts one check; a failed one is printed.
    pub(crate) fn check(&mut self, what: impl Display, result: Result<(), String>) -> bool {
        match &result {
            Ok(()) => self.passed += 1,
            Err(reason) => {
                self.failed += 1;
                let row = self.rows.last().map_or("", |(name, _)| name);
                println!("FAILED {row}: {what}: {reason}");
            }
        }
        result.is_ok()
    }

    pub(crate) fn finish(self) -> ExitCode {
        println!("| server | {} |", COLUMNS.join(" | "));
        println!("|---{}|", "|---".repeat(COLUMNS.len()));
        for (name, cells) in &self.rows {
            let cells: Vec<_> = COLUMNS
                .iter()
                .map(|column| cells.get(column).map_or("–", String::as_str))
                .collect();
            println!("| {name} | {} |", cells.join(" | "));
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
