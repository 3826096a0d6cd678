//! One run: its results, skipped items with reasons, failures, and saved checkpoints.

use maud::{Markup, html};
use omni_connector::{Failure, RunReport, Skip};
use time::OffsetDateTime;

use super::{
    diff,
    frame::{Frame, Pane},
    rate,
    show::{ago, bytes, count, cut, foreign, json, outward, seconds, stamp},
    sync::{NAMED, Saved, Shown, brought, why},
};
use crate::{
    rules::{Outcome, Trial},
    store::runs::RunStatus,
};

/// The number of checkpoints shown with their differences.
const SHOWN: usize = 30;

/// Renders the light of a status, with its name for screen readers.
pub(super) fn light(status: RunStatus) -> Markup {
    let (light, name) = match status {
        RunStatus::Running => ("busy", "running"),
        RunStatus::Completed => ("good", "completed"),
        RunStatus::Failed => ("bad", "failed"),
        RunStatus::Cancelled => ("idle", "cancelled"),
    };
    html! { span class={ "light " (light) } title=(name) {} span.hidden { (name) } }
}

pub(super) fn render(frame: &Frame, shown: &Shown) -> Markup {
    let run = &shown.progress.run;
    let effects = &shown.progress.effects;
    let end = run.completed_at.unwrap_or_else(OffsetDateTime::now_utc);
    let took = end - run.started_at;
    let word = match run.status {
        RunStatus::Running => "goes on",
        RunStatus::Completed => "completed",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    };
    html! {
        section.card {
            h2 { (light(run.status)) " " (run.sync_type.to_string()) " run " (word) }
            p.quiet { "began " (ago(run.started_at)) " · " (seconds(took)) " · " (brought(&shown.progress)) (rate(effects.documents(), took)) }
            @if let Some(message) = &run.error_message {
                pre.fault tabindex="0" { (foreign(message)) }
            }
            @if run.status == RunStatus::Running { (now(shown.report.as_ref())) (rate::line(&shown.rates)) }
            dl.numbers {
                (number("new", effects.created))
                (number("changed", effects.updated))
                (number("same as before", effects.unchanged))
                (number("gone", effects.deleted))
                (number("not taken", effects.refused))
                @if let Some(report) = &shown.report {
                    (number("looked at", report.scanned))
                    (number("skipped", report.skipped))
                    (number("failed", report.failed))
                    (number("held back", report.held_back))
                }
                div { dt { "text" } dd { (bytes(effects.content_bytes)) } }
            }
            @if shown.report.is_none() && run.status != RunStatus::Running {
                p.quiet { "The connector gave no report of this run, so skips and failures are unknown here." }
            }
        }
        @if let Some(trial) = &shown.trial { (tried(frame, trial)) }
        @if let Some(report) = &shown.report {
            (failures(frame, &run.id, &report.failures, report.failed))
            (skips(frame, report))
        }
        (refusals(frame, shown))
        (files(shown))
        (checkpoints(frame, &shown.checkpoints))
    }
}

fn number(name: &str, number: u64) -> Markup {
    html! { div.zero[number == 0] { dt { (name) } dd { (count(number)) } } }
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn rate(documents: u64, took: time::Duration) -> Markup {
    let seconds = took.as_seconds_f64();
    html! { @if documents > 0 && seconds > 1.0 { " · " (format!("{:.0}", documents as f64 / seconds)) " a second" } }
}

/// Renders the connector's current work.
fn now(report: Option<&RunReport>) -> Markup {
    html! {
        div.progress { span {} }
        @if let Some(report) = report {
            @if let Some(waiting) = &report.waiting_for { p.waiting { "Waiting: " (foreign(waiting)) } }
            @if let Some(current) = &report.current { p.quiet { "Now: " (foreign(&cut(current, 200))) } }
        }
    }
}

/// Renders what is different now for an item that is tried again.
fn tried(frame: &Frame, trial: &Trial) -> Markup {
    let before = trial.tried_run.as_deref().unwrap_or_default();
    html! {
        section.card id="tried" {
            h2 { "Tried again: " (foreign(&cut(&trial.item, 120))) }
            @if trial.is_refetch { p.quiet { "The connector fetched this item by itself, with its " code { "#[refetch]" } ". No checkpoint is published." } }
            @else { p.quiet { "The run is repeated against " @match &trial.tape { Some(tape) => { "the tape " code { (foreign(tape)) } }, None => "the source" } " from where the first one began, only this item is taken, and no checkpoint is published." } }
            dl.members {
                dt { a href=(frame.link(Pane::Sync.path(), &[("run", before)])) { "Before" } }
                dd { (outcome(frame, &trial.before)) }
                dt { "Now" }
                dd { (outcome(frame, &trial.now)) }
            }
        }
    }
}

fn outcome(frame: &Frame, outcome: &Outcome) -> Markup {
    html! {
        @match outcome {
            Outcome::Sent { document } => {
                span.chip.good { "sent" }
                @if let Some(document) = document { " " a href=(frame.link(Pane::Documents.path(), &[("doc", document)])) { "the document" } }
            },
            Outcome::Deleted => span.chip { "deleted" },
            Outcome::Failed { stage, cause } => { span.chip.bad { "failed" } " " (stage) ": " (foreign(&cut(cause, 400))) },
            Outcome::Skipped { reason } => { span.chip { "skipped" } " " (foreign(&cut(reason, 400))) },
            Outcome::Awaited => span.chip { "the run goes on" },
            Outcome::Unknown => { span.chip.bad { "not met" } " the connector neither sent nor named it" },
        }
    }
}

fn failures(frame: &Frame, run: &str, failures: &[Failure], all: u64) -> Markup {
    html! {
        @if !failures.is_empty() {
            section.card {
                h2 { "Failures " span.counter.bad { (count(all)) } }
                div.scroll tabindex="0" role="region" aria-label="Failures" {
                    table {
                        thead { tr { th { "Item" } th { "Stage" } th { "Cause" } th {} } }
                        tbody {
                            @for failure in failures.iter().take(NAMED) {
                                tr {
                                    td { a href=(why(frame, &failure.item)) { (foreign(&cut(&failure.item, 80))) } @if let Some(link) = &failure.link { br; (outward(link)) } }
                                    td { (serde_json::to_value(failure.stage).unwrap_or_default().as_str().unwrap_or_default()) }
                                    td { (foreign(&cut(&failure.cause, 400))) }
                                    td {
                                        form method="post" action=(frame.link("/dev/sync/try", &[])) {
                                            input type="hidden" name="run" value=(run);
                                            input type="hidden" name="item" value=(failure.item);
                                            button.small title="Repeats the run from where it began, and takes only this item" { "Try again" }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                @if failures.len() > NAMED || all > failures.len() as u64 { p.quiet { "The first " (failures.len().min(NAMED)) " are named." } }
            }
        }
    }
}

fn skips(frame: &Frame, report: &RunReport) -> Markup {
    let of = |reason: &str| -> Vec<&Skip> {
        report
            .skips
            .iter()
            .filter(|skip| skip.reason == reason)
            .take(NAMED)
            .collect()
    };
    html! {
        @if !report.reasons.is_empty() {
            section.card {
                h2 { "Skipped " span.counter { (count(report.skipped)) } }
                @for (reason, times) in &report.reasons {
                    details {
                        summary { (foreign(reason)) " " span.counter { (count(*times)) } }
                        ul { @for skip in of(reason) {
                            li { a href=(why(frame, &skip.item)) { (foreign(&cut(&skip.item, 120))) } @if let Some(detail) = &skip.detail { " " span.quiet { (foreign(&cut(detail, 300))) } } }
                        } }
                    }
                }
            }
        }
    }
}

fn refusals(frame: &Frame, shown: &Shown) -> Markup {
    html! {
        @if !shown.refused.is_empty() {
            section.card {
                h2 { "Sent, and not taken " span.counter.bad { (count(shown.progress.effects.refused)) } }
                p.quiet { "Omni's indexer would put these events aside without a word to the connector." }
                table {
                    thead { tr { th { "Subject" } th { "Reason" } } }
                    tbody { @for one in &shown.refused { tr { td { a href=(why(frame, &one.subject)) { (foreign(&cut(&one.subject, 120))) } } td { (foreign(&one.reason)) } } } }
                }
            }
        }
    }
}

fn files(shown: &Shown) -> Markup {
    html! {
        @if shown.textless.total > 0 || !shown.notes.is_empty() {
            section.card {
                h2 { "Files " span.counter { (count(shown.textless.total)) } }
                table {
                    thead { tr { th { "File" } th { "What people should know" } } }
                    tbody {
                        @for file in &shown.textless.files { tr { td { (foreign(&cut(&file.name, 120))) } td { "no text: " (foreign(&file.reason)) } } }
                        @for note in shown.notes.iter().take(NAMED) { tr { td { (foreign(&cut(&note.file, 120))) } td { (note.part.as_deref().unwrap_or_default()) " " (foreign(&note.reason)) } } }
                    }
                }
            }
        }
    }
}

/// The checkpoints as a line of time, each with what differs from the one before.
fn checkpoints(frame: &Frame, all: &[Saved]) -> Markup {
    html! {
        section.card {
            h2 { "Checkpoints " span.counter { (count(all.len() as u64)) } }
            @if all.is_empty() { p.quiet { "This run saved none, or they are older than the last 200 of the source." } }
            ol.timeline {
                @for Saved { saved: one, changes } in all.iter().take(SHOWN) {
                    li {
                        details {
                            summary {
                                time datetime=(stamp(one.saved_at)) { (clock(one.saved_at)) }
                                " after " (count(one.documents)) " documents " span.quiet { "· " (bytes(one.size)) }
                                @match &changes[..] {
                                    [] => {},
                                    [only] => { " " code { (only.place) } },
                                    _ => span.quiet { " · " (changes.len()) " changes" },
                                }
                            }
                            @match &one.checkpoint {
                                None => p.quiet { "Too large to keep every version." },
                                Some(now) => {
                                    (diff::render(changes))
                                    (json(now))
                                    form method="post" action=(frame.link("/dev/sync/rewind", &[])) {
                                        input type="hidden" name="saved" value=(one.id);
                                        button.small title="The next run goes on from this checkpoint" { "Rewind to here" }
                                        " "
                                        button.small name="now" value="1" title="Rewinds, and starts a run from this checkpoint at once" { "Resume from here now" }
                                    }
                                },
                            }
                        }
                    }
                }
            }
            @if all.len() > SHOWN { p.quiet { "and " (all.len() - SHOWN) " earlier ones" } }
            @if !all.is_empty() { p.quiet { "A rewound source is read anew from there: " a href=(frame.link(Pane::Documents.path(), &[])) { "its documents" } " stay." } }
        }
    }
}

fn clock(time: OffsetDateTime) -> String {
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}
