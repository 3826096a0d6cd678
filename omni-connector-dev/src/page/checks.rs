//! What `cargo omni check` finds, as a person asks for it on the pane of the contract.

use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::{
    frame::Frame,
    show::{counted, foreign},
};
use crate::workbench::Checks;

/// What the command prints.
#[derive(Deserialize)]
struct Found {
    lines: Vec<Line>,
    warnings: u64,
    failed: u64,
}

/// What is found about one rule.
#[derive(Deserialize)]
struct Line {
    depth: String,
    rule: String,
    verdict: String,
    place: String,
    message: String,
    help: Option<String>,
}

/// Renders the checks of a connector whose package `cargo omni dev` builds.
pub(super) fn render(frame: &Frame) -> Markup {
    let Some(bench) = frame.bench().filter(|bench| bench.is_package) else {
        return html! {};
    };
    html! {
        section.card id="checks" data-live="" {
            h2 { "Checks" }
            @match &bench.checks {
                None => p.quiet { "Builds the package, looks at its manifest, and runs its tests and conformance checks." },
                Some(Checks::Running) => { p { "They run. Building and running the tests takes minutes the first time." } div.progress { span {} } },
                Some(Checks::Failed { why }) => pre.fault tabindex="0" { (foreign(why)) },
                Some(Checks::Done { found, is_current }) => {
                    @if !is_current { p.waiting { "Of an earlier build." } }
                    (table(found))
                },
            }
            @if bench.checks != Some(Checks::Running) {
                form method="post" action=(frame.link("/dev/bench", &[])) { button name="order" value="check" { "Run the checks" } }
            }
        }
    }
}

fn table(found: &Value) -> Markup {
    let Ok(found) = Found::deserialize(found) else {
        return html! { p.fault { "What the command found cannot be read." } };
    };
    html! {
        p {
            @match (found.failed, found.warnings) {
                (0, 0) => { span.chip.good { "good" } " All of " (counted(found.lines.len() as u64, "check")) " passed." },
                (0, warnings) => { span.chip { (counted(warnings, "warning")) } },
                (failed, _) => span.chip.bad { (failed) " failed" },
            }
        }
        div.scroll tabindex="0" role="region" aria-label="Checks" {
            table {
                thead { tr { th { "Rule" } th { "Verdict" } th { "What was found" } } }
                tbody {
                    @for line in &found.lines {
                        tr {
                            td { (foreign(&line.rule)) br; span.quiet { (line.depth) } }
                            td { span.chip.good[line.verdict == "ok"].bad[line.verdict == "fail"] { (line.verdict.replace('_', " ")) } }
                            td {
                                @if !line.place.is_empty() { strong { (foreign(&line.place)) } ": " }
                                (foreign(&line.message))
                                @if let Some(help) = &line.help { p.help { (foreign(help)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
