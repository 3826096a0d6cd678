//! The report: a table of servers and features, failures with reasons, and the count.

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

/// One server or client on one transport.
struct Row {
    transport: &'static str,
    name: String,
    cells: BTreeMap<&'static str, String>,
    passed: usize,
    failed: usize,
}

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    passed: usize,
    failed: usize,
}

impl Report {
    pub(crate) fn row(&mut self, transport: &'static str, name: impl Into<String>) {
        let name = name.into();
        eprintln!("{name} over {transport}");
        self.rows.push(Row {
            transport,
            name,
            cells: BTreeMap::new(),
            passed: 0,
            failed: 0,
        });
    }

    pub(crate) fn cell(&mut self, column: &'static str, text: impl Display) {
        if let Some(row) = self.rows.last_mut() {
            row.cells.insert(column, text.to_string());
        }
    }

    /// Counts a setup; a failed one is printed.
    pub(crate) fn set_up(&mut self, result: anyhow::Result<()>) {
        if let Err(error) = result {
            self.check("set-up", Err(format!("{error:#}")));
        }
    }

    /// Counts one check; a failed one is printed.
    pub(crate) fn check(&mut self, what: impl Display, result: Result<(), String>) -> bool {
        let Err(reason) = result else {
            self.passed += 1;
            if let Some(row) = self.rows.last_mut() {
                row.passed += 1;
            }
            return true;
        };
        self.failed += 1;
        let row = self.rows.last_mut().map(|row| {
            row.failed += 1;
            &*row
        });
        let (name, transport) = row.map_or(("", ""), |row| (row.name.as_str(), row.transport));
        println!("FAILED {name} over {transport}: {what}: {reason}");
        false
    }

    pub(crate) fn finish(self) -> ExitCode {
        println!("| transport | driven | {} | checks |", COLUMNS.join(" | "));
        println!("|---|---{}|---|", "|---".repeat(COLUMNS.len()));
        for row in &self.rows {
            let cells: Vec<_> = COLUMNS
                .iter()
                .map(|column| row.cells.get(column).map_or("–", String::as_str))
                .collect();
            println!(
                "| {} | {} | {} | {}/{} |",
                row.transport,
                row.name,
                cells.join(" | "),
                row.passed,
                row.passed + row.failed,
            );
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
