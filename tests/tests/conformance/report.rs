//! The table of results.

use std::fmt::Write;

/// The results of the rows of one suite.
#[derive(Debug, Default)]
pub(crate) struct Report {
    table: String,
    holding: usize,
    broken: Vec<String>,
    left_out: usize,
}

/// The result of a row.
pub(crate) enum Outcome {
    Holds,
    Broken(String),
    /// Skipped: its requirement is missing.
    LeftOut(String),
}

impl Report {
    pub(crate) fn add(&mut self, section: &str, name: &str, outcome: Outcome) {
        let verdict = match outcome {
            Outcome::Holds => {
                self.holding += 1;
                "holds".to_owned()
            }
            Outcome::LeftOut(why) => {
                self.left_out += 1;
                format!("left out: {why}")
            }
            Outcome::Broken(why) => {
                self.broken.push(format!("§{section} {name}: {why}"));
                format!("BROKEN: {why}")
            }
        };
        let _ = writeln!(self.table, "§{section:<5} {name:<88} {verdict}");
    }

    /// Prints the table. Panics when a row fails, or when none passes.
    pub(crate) fn close(self, suite: &str) {
        println!("\n{suite}\n{}", self.table);
        let left_out = match self.left_out {
            0 => String::new(),
            count => format!(", {count} left out"),
        };
        println!("{suite}: {} rows hold{left_out}", self.holding);
        assert!(
            self.broken.is_empty(),
            "{suite}:\n{}",
            self.broken.join("\n")
        );
        assert!(self.holding > 0, "{suite}: there is no row");
    }
}
