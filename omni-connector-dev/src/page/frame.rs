//! The frame of every pane: the connector and its state, the source, the person for whom documents are shown, and the
//! navigation.

use maud::{DOCTYPE, Markup, html};
use omni_connector::Manifest;

use super::{
    Notice, Page,
    answer::Ask,
    log, palette,
    show::{count, counted, encoded, foreign, terminal},
};
use crate::{
    lookup,
    rules::{self, Listed, Progress},
    store::{StoreError, review, runs},
    workbench::{Bench, Line, Phase},
};

/// The most addresses suggested while a person types.
const OFFERED: usize = 200;

/// The panes, in the order of their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pane {
    Source,
    Sync,
    Requests,
    Documents,
    Actions,
    Contract,
}

impl Pane {
    pub(super) const ALL: [Self; 6] = [
        Self::Source,
        Self::Sync,
        Self::Requests,
        Self::Documents,
        Self::Actions,
        Self::Contract,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::Sync => "Sync",
            Self::Requests => "Requests",
            Self::Documents => "Documents",
            Self::Actions => "Actions",
            Self::Contract => "Contract",
        }
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Source => "/dev/source",
            Self::Sync => "/dev/sync",
            Self::Requests => "/dev/requests",
            Self::Documents => "/dev/documents",
            Self::Actions => "/dev/actions",
            Self::Contract => "/dev/contract",
        }
    }

    /// Returns the lines of its icon, on a grid of 16 × 16.
    fn picture(self) -> &'static str {
        match self {
            Self::Source => {
                "M3 4c0-1.1 2.2-2 5-2s5 .9 5 2-2.2 2-5 2-5-.9-5-2v8c0 1.1 2.2 2 5 2s5-.9 5-2V4M3 8c0 1.1 2.2 2 5 2s5-.9 5-2"
            }
            Self::Sync => {
                "M13 6A5.2 5.2 0 0 0 3.6 5M3 2.5V5.5H6M3 10a5.2 5.2 0 0 0 9.4 1M13 13.5v-3h-3"
            }
            Self::Requests => "M2 4h5M5 8h7M9 12h5",
            Self::Documents => "M4 1.8h5l3 3v9.4H4zM9 1.8v3h3M6 8h4M6 11h4",
            Self::Actions => "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z",
            Self::Contract => {
                "M8 1.5 13 3.5v4c0 3.3-2 5.6-5 7-3-1.4-5-3.7-5-7v-4zM5.8 8l1.6 1.6 3-3.2"
            }
        }
    }
}

/// The data that every pane shows.
pub(super) struct Frame {
    pub(super) sources: Vec<Listed>,
    /// The source selected in the URL, else the newest one that the connector serves.
    pub(super) source: Option<Listed>,
    pub(super) manifest: Option<Manifest>,
    pub(super) viewer: Option<String>,
    pub(super) running: Option<Progress>,
    bench: Bench,
    lines: Vec<Line>,
    log: log::Filter,
    offered: Vec<String>,
    documents: u64,
    notice: Option<Notice>,
}

impl Frame {
    pub(super) async fn read(page: &Page, ask: &Ask) -> Result<Self, StoreError> {
        let shared = &page.shared;
        let sources = rules::listed(shared).await?;
        let first = shared.registry.first();
        let wanted = ask.get("source");
        let chosen = sources
            .iter()
            .position(|one| Some(one.source.id.as_str()) == wanted);
        let chosen = chosen.or_else(|| {
            sources.iter().rposition(|one| {
                let types = first.as_ref().map(|manifest| &manifest.source_types);
                types.is_none_or(|types| types.contains(&one.source.source_type))
            })
        });
        let (offered, running) = shared
            .store
            .read(|db| Ok::<_, StoreError>((review::addresses(db, OFFERED)?, runs::running(db)?)))
            .await?;
        let source_id = chosen.map(|index| sources[index].source.id.clone());
        let running = running
            .into_iter()
            .find(|run| Some(&run.source_id) == source_id.as_ref());
        let running = match running {
            Some(run) => rules::progress(shared, &run.id).await?,
            None => None,
        };
        let mut sources = sources;
        let documents = sources.iter().map(|one| one.documents).sum();
        let source = chosen.map(|index| sources.swap_remove(index));
        sources.sort_by_key(|one| one.source.created_at);
        let manifest = match &source {
            Some(one) => lookup::connector(shared, &one.source).or(first),
            None => first,
        };
        Ok(Self {
            viewer: ask.owned("as"),
            bench: shared.workbench.bench(),
            lines: shared.workbench.lines(),
            log: log::Filter::of(ask),
            notice: page.memory(|memory| {
                let is_read = ask.shows_notices();
                is_read.then(|| memory.notice.take()).flatten()
            }),
            source,
            sources,
            manifest,
            running,
            offered,
            documents,
        })
    }

    /// Returns the URL of a pane, with the current source and person.
    pub(super) fn link(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let mut link = path.to_owned();
        let source = self
            .source
            .as_ref()
            .map(|one| ("source", one.source.id.as_str()));
        let viewer = self.viewer.as_deref().map(|viewer| ("as", viewer));
        let mut sign = '?';
        for (name, value) in source
            .into_iter()
            .chain(viewer)
            .chain(parameters.iter().copied())
        {
            if !value.is_empty() {
                link.push(sign);
                link.extend([name, "=", &encoded(value)]);
                sign = '&';
            }
        }
        link
    }

    /// Renders the current selections as hidden fields of a search form.
    pub(super) fn kept(&self) -> Markup {
        html! {
            @if let Some(one) = &self.source { input type="hidden" name="source" value=(one.source.id); }
            @if let Some(viewer) = &self.viewer { input type="hidden" name="as" value=(viewer); }
        }
    }

    /// Renders the whole page.
    pub(super) fn page(&self, pane: Pane, content: Markup) -> Markup {
        let name = self
            .manifest
            .as_ref()
            .map_or("omni dev", |manifest| &manifest.display_name);
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (pane.name()) " – " (name) " – omni dev" }
                    link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='6' fill='none' stroke='%235b5bd6' stroke-width='3'/%3E%3C/svg%3E";
                    link rel="stylesheet" href="/dev/assets/page.css";
                    script src="/dev/assets/page.js" defer {}
                }
                body {
                    a.skip href="#content" { "Skip to the content" }
                    (self.header(pane))
                    (self.panes(pane))
                    main id="content" tabindex="-1" {
                        (self.notice())
                        (self.tape())
                        div id="compiler" data-live="" { (self.compiler(pane)) }
                        (content)
                    }
                    (log::render(&self.lines, &self.log, matches!(self.bench.phase, Phase::NotRunning(_)), pane.path(), &self.kept()))
                    (keys())
                    (palette::dialog(self))
                }
            }
        }
    }

    fn header(&self, pane: Pane) -> Markup {
        html! {
            header.top {
                div.brand {
                    @match &self.manifest {
                        Some(manifest) => { strong { (manifest.display_name) } " " span.version { (manifest.version) } },
                        None if self.bench.name.is_empty() => { strong { "No connector" } },
                        None => { strong { (self.bench.name) } },
                    }
                }
                div.state id="state" data-live="" role="status" { (self.light()) }
                form.choices method="get" action=(pane.path()) {
                    @if self.sources.is_empty() {
                        @if let Some(one) = &self.source { input type="hidden" name="source" value=(one.source.id); span.quiet { "Source" } span.one-source { (foreign(&one.source.name)) } }
                    } @else {
                        label for="choose-source" { "Source" }
                        select id="choose-source" name="source" data-submit="" {
                            @if let Some(one) = &self.source { option value=(one.source.id) selected { (one.source.name) } }
                            @for one in &self.sources { option value=(one.source.id) { (one.source.name) } }
                        }
                    }
                    label for="seen-by" { "Seen by" }
                    input id="seen-by" type="email" name="as" value=[self.viewer.as_deref()] list="people" placeholder="everything" autocomplete="off";
                    datalist id="people" { @for address in &self.offered { option value=(address) {} } }
                    button.small type="submit" { "Show" }
                }
            }
        }
    }

    /// Renders the state as text, with a light.
    fn light(&self) -> Markup {
        let (light, words) = match &self.bench.phase {
            Phase::Building => ("busy", "building".to_owned()),
            Phase::Blocked => ("busy", "waiting until another build has ended".to_owned()),
            Phase::BuildFailed(_) => ("bad", "does not compile".to_owned()),
            Phase::Starting => ("busy", "starting, not registered yet".to_owned()),
            Phase::NotRunning(what) => (
                "bad",
                what.lines().next().unwrap_or("not running").to_owned(),
            ),
            _ if self.running.is_some() => {
                let effects = self
                    .running
                    .as_ref()
                    .map(|progress| progress.effects.documents());
                (
                    "busy",
                    format!(
                        "syncing, {}",
                        counted(effects.unwrap_or_default(), "document")
                    ),
                )
            }
            Phase::Serving => ("good", "registered, idle".to_owned()),
            Phase::Unmanaged if self.manifest.is_some() => ("good", "registered".to_owned()),
            Phase::Unmanaged => ("idle", "no connector has registered".to_owned()),
        };
        html! {
            span class={ "light " (light) } {}
            span { (words) }
            @if let (Phase::Serving, Some(built)) = (&self.bench.phase, self.bench.built_in) {
                span.quiet { " · built in " (format!("{:.1} s", built.as_secs_f64())) }
            }
        }
    }

    fn panes(&self, current: Pane) -> Markup {
        let counter = |pane| match pane {
            Pane::Source => Some(self.sources.len() as u64 + u64::from(self.source.is_some())),
            Pane::Documents => Some(
                self.source
                    .as_ref()
                    .map_or(self.documents, |one| one.documents),
            ),
            Pane::Actions => self
                .manifest
                .as_ref()
                .map(|manifest| manifest.actions.len() as u64),
            Pane::Sync | Pane::Requests | Pane::Contract => None,
        };
        html! {
            nav.panes aria-label="Panes" id="panes" data-live="" {
                @for (index, pane) in Pane::ALL.into_iter().enumerate() {
                    a href=(self.link(pane.path(), &[])) aria-current=[(pane == current).then_some("page")] data-key=(index + 1) {
                        svg viewBox="0 0 16 16" aria-hidden="true" { path d=(pane.picture()) {} }
                        span { (pane.name()) }
                        @if let Some(number) = counter(pane) { span.counter { (count(number)) } }
                    }
                }
            }
        }
    }

    /// Renders which tape plays or is recorded.
    fn tape(&self) -> Markup {
        html! {
            @if let Some(file) = &self.bench.replays { div.notice.tape role="status" { p { "The tape " code { (foreign(file)) } " answers in place of the source." } } }
            @if let Some(file) = &self.bench.records { div.notice.tape role="status" { p { "Requests and answers are recorded into " code { (foreign(file)) } "." } } }
        }
    }

    fn notice(&self) -> Markup {
        html! {
            @if let Some(notice) = &self.notice {
                div.notice.bad[notice.is_error] role=(if notice.is_error { "alert" } else { "status" }) {
                    @for line in notice.text.lines() { p { (foreign(line)) } }
                }
            }
        }
    }

    /// Renders the compiler's messages, the end of a process, and the changes of the last restart.
    fn compiler(&self, pane: Pane) -> Markup {
        html! {
            @match &self.bench.phase {
                Phase::BuildFailed(text) => {
                    section.compiler aria-label="The compiler's words" {
                        h2 { "It does not compile" }
                        p.quiet { @if self.bench.is_running { "The process from before still serves. Save a change to build again." } @else { "Save a change to build again." } }
                        pre tabindex="0" { (terminal(text)) }
                    }
                },
                Phase::NotRunning(what) => {
                    section.compiler aria-label="The connector does not run" {
                        h2 { "The connector does not run" }
                        pre tabindex="0" { (terminal(what)) }
                        form method="post" action=(self.link("/dev/bench", &[("to", pane.path())])) {
                            button.primary name="order" value="restart" { "Start it again" }
                        }
                    }
                },
                _ => @if !self.bench.news.is_empty() {
                    details.news { summary { "What the last restart changed" } ul { @for line in &self.bench.news { li { (line) } } } }
                },
            }
        }
    }

    /// Returns the state of the development command, if it accepts orders.
    pub(super) fn bench(&self) -> Option<&Bench> {
        (self.bench.phase != Phase::Unmanaged).then_some(&self.bench)
    }
}

fn keys() -> Markup {
    html! {
        dialog id="keys" aria-labelledby="keys-title" {
            h2 id="keys-title" { "Keys" }
            dl {
                dt { kbd { "1" } " – " kbd { "6" } } dd { "the panes" }
                dt { kbd { "/" } } dd { "search" }
                dt { kbd { "r" } } dd { "sync" }
                dt { kbd { "x" } } dd { "kill the connector" }
                dt { kbd { "⌘K" } " or " kbd { "Ctrl K" } } dd { "go anywhere" }
                dt { kbd { "?" } } dd { "these keys" }
            }
            form method="dialog" { button { "Close" } }
        }
    }
}
