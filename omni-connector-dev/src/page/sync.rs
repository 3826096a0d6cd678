//! The pane of the runs: what can be done now, what each run did, its checkpoints, and the doubts about the source.

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use omni_connector::{RunReport, SyncType};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::{
    Page,
    answer::{Ask, answer},
    diff::{self, Change},
    frame::{Frame, Pane},
    kills, run,
    show::{ago, bytes, count, counted, encoded, foreign, json, seconds, stamp},
};
use crate::{
    rules::{self, Doubt, Progress, Refusal, Trial},
    store::{
        StoreError,
        bounds::{self, Bound},
        checkpoints,
        history::{self, SavedCheckpoint},
        reports,
        runs::{self as rows, RefusedEvent, RunStatus},
        textless::Textless,
    },
    workbench::PlannedKill,
};

/// The number of listed runs.
const RUNS: usize = 30;
/// The number of named items per list.
pub(super) const NAMED: usize = 50;

/// The data of the pane.
#[derive(Serialize)]
pub(super) struct Data {
    runs: Vec<Progress>,
    pub(super) run: Option<Shown>,
    doubts: Option<Vec<Doubt>>,
    checkpoint: Option<Value>,
    /// The planned kill of the connector.
    kill: Option<PlannedKill>,
}

/// The selected run.
#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) progress: Progress,
    /// Documents a second at the latest looks, while the run goes on.
    pub(super) rates: Vec<f64>,
    pub(super) report: Option<RunReport>,
    pub(super) refused: Vec<RefusedEvent>,
    pub(super) textless: Textless,
    pub(super) notes: Vec<crate::extract::FileNote>,
    pub(super) checkpoints: Vec<Saved>,
    /// The bound of the run, if a person set one.
    pub(super) bound: Option<Bound>,
    /// What is different now, if the run tries one item again.
    pub(super) trial: Option<Trial>,
}

/// A checkpoint of the run, with what differs from the one before.
#[derive(Serialize)]
pub(super) struct Saved {
    #[serde(flatten)]
    pub(super) saved: SavedCheckpoint,
    pub(super) changes: Vec<Change>,
}

impl Saved {
    /// The checkpoints of a run, the newest first.
    fn all(saved: Vec<SavedCheckpoint>) -> Vec<Self> {
        let changes: Vec<_> = saved
            .iter()
            .zip(saved.iter().skip(1))
            .map(
                |(now, before)| match (&before.checkpoint, &now.checkpoint) {
                    (Some(before), Some(now)) => diff::changes(before, now),
                    _ => Vec::new(),
                },
            )
            .chain([Vec::new()])
            .collect();
        let both = saved.into_iter().zip(changes);
        both.map(|(saved, changes)| Self { saved, changes })
            .collect()
    }
}

pub(super) async fn pane(State(page): State<Page>, ask: Ask) -> Result<Response, Refusal> {
    let frame = Frame::read(&page, &ask).await?;
    let data = read(&page, &frame, ask.owned("run")).await?;
    Ok(answer(&ask, &frame, Pane::Sync, &data, render))
}

async fn read(page: &Page, frame: &Frame, wanted: Option<String>) -> Result<Data, StoreError> {
    let shared = &page.shared;
    let Some(one) = &frame.source else {
        return Ok(Data {
            runs: Vec::new(),
            run: None,
            doubts: None,
            checkpoint: None,
            kill: None,
        });
    };
    let id = one.source.id.clone();
    let (runs, checkpoint) = shared
        .store
        .read(move |db| {
            let runs = rows::latest(db, Some(&id), RUNS)?.into_iter();
            let runs = runs.map(|run| {
                let effects = rows::effects(db, &run.id)?;
                Ok::<_, StoreError>(Progress { run, effects })
            });
            Ok::<_, StoreError>((
                runs.collect::<Result<Vec<_>, _>>()?,
                checkpoints::find(db, &id)?,
            ))
        })
        .await?;
    let wanted = wanted.or_else(|| runs.first().map(|one| one.run.id.clone()));
    let progress = match &wanted {
        Some(id) => rules::progress(shared, id).await?,
        None => None,
    };
    // Ignore a run of another source.
    let progress = progress.filter(|progress| progress.run.source_id == one.source.id);
    let run = match progress {
        None => None,
        Some(progress) => {
            let row = progress.run.clone();
            let (report, checkpoints, bound, trial) = shared
                .store
                .read(move |db| {
                    Ok::<_, StoreError>((
                        reports::find(db, &row.id)?,
                        history::of_run(db, &row.id)?,
                        bounds::find(db, &row.id)?,
                        rules::trial(db, &row)?,
                    ))
                })
                .await?;
            let id = &progress.run.id;
            let rates = match progress.run.status {
                RunStatus::Running => page.memory(|memory| {
                    let documents = progress.effects.documents();
                    memory.samples.take(id, documents, Instant::now())
                }),
                _ => Vec::new(),
            };
            Some(Shown {
                rates,
                report,
                refused: rules::refusals(shared, id, NAMED).await?,
                textless: rules::textless(shared, id, NAMED).await?,
                notes: shared.file_notes.of(id),
                checkpoints: Saved::all(checkpoints),
                bound,
                trial,
                progress,
            })
        }
    };
    Ok(Data {
        runs,
        run,
        // Doubts need every document, and say little during a run.
        doubts: match frame.running {
            Some(_) => None,
            None => Some(page.doubts(&one.source.id).await?),
        },
        checkpoint,
        kill: frame.bench().and_then(|bench| bench.kill.clone()),
    })
}

fn render(frame: &Frame, data: &Data) -> Markup {
    let Some(one) = &frame.source else {
        return html! {
            div.empty {
                h1 { "No source yet" }
                p { "A source is one connection of your connector to one system. Give it its settings, then sync." }
                a.button.primary href=(Pane::Source.path()) { "Give the settings" }
            }
        };
    };
    html! {
        div.title {
            h1 { (foreign(&one.source.name)) }
            div.actions id="control" data-live="" { (control(frame)) }
        }
        div.columns.wide-left {
            div.stack {
                div.stack id="run" data-live="" {
                    @match &data.run {
                        Some(shown) => { (run::render(frame, shown)) },
                        None => section.card { h2 { "No run yet" } p.quiet { "Press " kbd { "r" } " or the button “Sync”." } },
                    }
                }
            }
            div.stack {
                div id="doubts" data-live="" { (doubts(frame, data.doubts.as_deref())) }
                div id="runs" data-live="" { (list(frame, data)) }
                (checkpoint(frame, data.checkpoint.as_ref()))
            }
        }
    }
}

/// Renders the currently possible controls.
fn control(frame: &Frame) -> Markup {
    let modes = frame
        .manifest
        .as_ref()
        .map(|manifest| &manifest.sync_modes[..])
        .unwrap_or_default();
    let bench = frame.bench();
    html! {
        @if let Some(running) = &frame.running {
            form method="post" action=(frame.link("/dev/sync/cancel", &[])) {
                input type="hidden" name="run" value=(running.run.id);
                button { "Stop" }
            }
            form method="post" action=(frame.link("/dev/sync/begin", &[])) {
                button title="Hands the run to the connector again, where the process was lost" { "Resume" }
            }
        } @else {
            form.joined method="post" action=(frame.link("/dev/sync/begin", &[])) {
                select name="mode" aria-label="Mode" {
                    option value="" { "what is due" }
                    @for mode in modes { @if *mode != SyncType::Incremental { option value=(mode.to_string()) { (mode.to_string()) } } }
                }
                input.narrow type="number" name="first" min="1" placeholder="all" aria-label="Only the first documents" title="Stop the run after this number of documents; its checkpoint is not published";
                details.options {
                    summary { "Only some" }
                    div {
                        label { "Items matching" input name="matching" placeholder="part of an id, a title or an address" autocomplete="off"; }
                        label { "Changed since" input type="date" name="since"; }
                        p.help { "The connector reads as always. Documents that do not fit are left out, and then its checkpoint is not published." }
                    }
                }
                button.primary data-press="r" { "Sync" }
            }
        }
        @if let Some(bench) = bench {
            (kills::form(frame, bench))
            form method="post" action=(frame.link("/dev/bench", &[])) {
                button.bad name="order" value="kill" data-press="x" title="Ends the process as a crash would, starts it again and resumes the run" { "Kill now" }
                " "
                button name="order" value="restart" { "Restart" }
                @if bench.is_package {
                    " "
                    @if bench.is_watching { button name="order" value="pause" title="Saves do not build until this is pressed again" { "Pause reload" } }
                    @else { button name="order" value="watch" { "Resume reload" } }
                }
            }
        }
    }
}

fn doubts(frame: &Frame, doubts: Option<&[Doubt]>) -> Markup {
    let Some(doubts) = doubts else {
        return html! { section.card { h2 { "Doubts" } p.quiet { "They come when the run is over." } } };
    };
    let dismissed = doubts.iter().filter(|doubt| doubt.dismissed.is_some());
    let (open, dismissed) = (doubts.len() - dismissed.clone().count(), dismissed.count());
    let action = frame.link("/dev/sync/doubt", &[]);
    html! {
        section.card {
            h2 { "Doubts" @if open > 0 { " " span.counter { (open) } } }
            @if open == 0 { p.quiet { "Nothing looks wrong" @if dismissed > 0 { ", beside what was dismissed" } "." } }
            ul.doubts {
                @for doubt in doubts {
                    li.serious[doubt.is_serious && doubt.dismissed.is_none()] {
                        span.chip.bad[doubt.is_serious] { (doubt.topic) } " " (foreign(&doubt.text))
                        @if let Some(search) = &doubt.search { " " a href=(frame.link(Pane::Documents.path(), &[("q", search)])) { "look" } }
                        details {
                            summary { @match &doubt.dismissed { Some(reason) => { "dismissed: " (foreign(reason)) }, None => { "dismiss" span.hidden { ": " (foreign(&doubt.text)) } } } }
                            form.joined method="post" action=(action) {
                                input type="hidden" name="text" value=(doubt.text);
                                @if doubt.dismissed.is_some() { button.small name="withdraw" value="1" { "It counts again" } }
                                @else { input name="reason" required autocomplete="off" aria-label="Why it is no problem" placeholder="why it is no problem"; button.small { "Dismiss" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Renders the choice of another run to compare with.
fn comparison(frame: &Frame, data: &Data) -> Markup {
    let shown = data.run.as_ref().map(|shown| &shown.progress.run.id);
    html! {
        @if let (Some(shown), true) = (shown, data.runs.len() > 1) {
            form.joined id="compare" method="get" action="/dev/sync/compare" {
                (frame.kept())
                input type="hidden" name="run" value=(shown);
                select name="with" aria-label="The other run" {
                    @for Progress { run, .. } in data.runs.iter().filter(|one| one.run.id != *shown) {
                        option value=(run.id) { (run.sync_type.to_string()) " " (stamp(run.started_at)) }
                    }
                }
                button.small { "Compare" }
            }
        }
    }
}

fn list(frame: &Frame, data: &Data) -> Markup {
    let shown = data
        .run
        .as_ref()
        .map(|shown| shown.progress.run.id.as_str());
    html! {
        section.card {
            h2 { "Runs" }
            (comparison(frame, data))
            @if data.runs.is_empty() { p.quiet { "None yet." } }
            @else {
                div.scroll tabindex="0" role="region" aria-label="Runs" {
                    table {
                        thead { tr { th { "Run" } th { "Began" } th.number { "new" } th.number { "changed" } th.number { "same" } th.number { "gone" } th.number { "took" } } }
                        tbody {
                            @for Progress { run, effects } in &data.runs {
                                tr.chosen[shown == Some(run.id.as_str())] {
                                    td { a href=(frame.link(Pane::Sync.path(), &[("run", &run.id)])) { (run::light(run.status)) " " (run.sync_type.to_string()) } }
                                    td { (ago(run.started_at)) }
                                    td.number { (count(effects.created)) }
                                    td.number { (count(effects.updated)) }
                                    td.number { (count(effects.unchanged)) }
                                    td.number { (count(effects.deleted)) }
                                    td.number { @if let Some(end) = run.completed_at { (seconds(end - run.started_at)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn checkpoint(frame: &Frame, checkpoint: Option<&Value>) -> Markup {
    let size = checkpoint.map_or(0, |checkpoint| checkpoint.to_string().len() as u64);
    let is_editable = size <= 64 << 10;
    html! {
        section.card {
            h2 { "Checkpoint of the source" }
            @match checkpoint {
                None => p.quiet { "None: the next run begins at the start." },
                Some(checkpoint) => {
                    p.quiet { (bytes(size)) " · the next incremental run goes on from it" }
                    @if is_editable { (json(checkpoint)) } @else { p.quiet { "It is too large to be shown." } }
                },
            }
            @if is_editable {
                details {
                    summary { "Edit" }
                    form method="post" action=(frame.link("/dev/sync/checkpoint", &[])) {
                        textarea.code name="checkpoint" rows="8" spellcheck="false" aria-label="Checkpoint, as JSON" {
                            @if let Some(checkpoint) = checkpoint { (serde_json::to_string_pretty(checkpoint).unwrap_or_default()) }
                        }
                        div.actions { button { "Save this checkpoint" } }
                    }
                }
            }
        }
    }
}

/// Returns the link from a run to the reason why one of its items is not found.
pub(super) fn why(frame: &Frame, item: &str) -> String {
    let link = frame.link(Pane::Documents.path(), &[("tab", "why")]);
    format!("{link}&item={}", encoded(item))
}

/// Formats `1,204 documents`, or the number so far during a run.
pub(super) fn brought(progress: &Progress) -> String {
    let documents = counted(progress.effects.documents(), "document");
    match progress.run.status {
        RunStatus::Running => format!("{documents} so far"),
        _ => documents,
    }
}
