//! The pane of the documents: searched as in Omni, each with its readers, and why one is not found.

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use omni_connector::{PersonSyncRecord, SearchOperator};
use serde::Serialize;

use super::{
    Page,
    answer::{Ask, answer},
    document::{self, Shown},
    frame::{Frame, Pane},
    show::{count, counted, cut, foreign},
};
use crate::{
    rules::{self, Layer, Refusal},
    store::{
        StoreError, operators, people,
        review::{self, Group, Usage},
        search::{self, Hit, Hits, Query},
    },
};

/// Hits on one page.
const PAGE: usize = 50;
/// The most hits that a request can ask for.
const MOST: usize = 2000;
/// The most groups and people that are listed.
const LISTED: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Tab {
    Documents,
    Groups,
    People,
    Why,
}

/// The data of the pane.
#[derive(Serialize)]
pub(super) struct Data {
    tab: Tab,
    query: String,
    limit: usize,
    hits: Hits,
    document: Option<Shown>,
    operators: Vec<(SearchOperator, Usage)>,
    groups: Vec<(Group, Vec<String>)>,
    people: Vec<PersonSyncRecord>,
    item: Option<String>,
    layers: Vec<Layer>,
}

pub(super) async fn pane(State(page): State<Page>, ask: Ask) -> Result<Response, Refusal> {
    let frame = Frame::read(&page, &ask).await?;
    let data = read(&page, &frame, &ask).await?;
    Ok(answer(&ask, &frame, Pane::Documents, &data, render))
}

async fn read(page: &Page, frame: &Frame, ask: &Ask) -> Result<Data, StoreError> {
    let store = &page.shared.store;
    let tab = match ask.get("tab") {
        Some("groups") => Tab::Groups,
        Some("people") => Tab::People,
        Some("why") => Tab::Why,
        _ => Tab::Documents,
    };
    let limit = ask
        .get("n")
        .and_then(|n| n.parse().ok())
        .unwrap_or(PAGE)
        .clamp(1, MOST);
    let query = ask.owned("q").unwrap_or_default();
    let viewer = frame.viewer.clone();
    let source = frame
        .source
        .as_ref()
        .map(|one| one.source.id.clone())
        .unwrap_or_default();
    let mut data = Data {
        tab,
        query: query.clone(),
        limit,
        hits: Hits::default(),
        document: None,
        operators: Vec::new(),
        groups: Vec::new(),
        people: Vec::new(),
        item: ask.owned("item"),
        layers: Vec::new(),
    };
    match tab {
        Tab::Documents => {
            let wanted = ask.owned("doc");
            let (hits, document, operators) = store
                .read(move |db| {
                    let asked = Query {
                        text: query,
                        viewer: viewer.clone(),
                        limit,
                    };
                    let hits = search::search(db, &asked)?;
                    let wanted = wanted.or_else(|| hits.hits.first().map(|hit| hit.id.clone()));
                    let document = match wanted {
                        Some(id) => Shown::read(db, &id, viewer.as_deref())?,
                        None => None,
                    };
                    Ok::<_, StoreError>((hits, document, operators::all(db)?))
                })
                .await?;
            data.hits = hits;
            data.document = document;
            data.operators = page.usage(operators).await?;
        }
        Tab::Groups => {
            data.groups = store
                .read(move |db| {
                    let groups = review::groups(db, &source, LISTED)?.into_iter();
                    let with_members = groups.map(|group| {
                        let members = people::members_of(db, &source, &group.email)?;
                        Ok((group, members))
                    });
                    with_members.collect::<Result<_, StoreError>>()
                })
                .await?;
        }
        Tab::People => {
            data.people = store
                .read(move |db| people::of_source(db, &source, LISTED))
                .await?;
        }
        Tab::Why => {
            if let Some(item) = &data.item {
                let words = (!query.is_empty()).then_some(query);
                data.layers = rules::explain(&page.shared, item.clone(), words, viewer).await?;
            }
        }
    }
    Ok(data)
}

fn render(frame: &Frame, data: &Data) -> Markup {
    let tabs = [
        (Tab::Documents, "", "Documents"),
        (Tab::Groups, "groups", "Groups"),
        (Tab::People, "people", "People"),
        (Tab::Why, "why", "Why is it not found?"),
    ];
    html! {
        div.title {
            h1 { "Documents" @if let Some(viewer) = &frame.viewer { span.quiet { " as " (viewer) " sees them" } } }
            nav.tabs aria-label="Lists" {
                @for (tab, name, title) in tabs {
                    a href=(frame.link(Pane::Documents.path(), &[("tab", name)])) aria-current=[(tab == data.tab).then_some("page")] { (title) }
                }
            }
        }
        @match data.tab {
            Tab::Documents => { (found(frame, data)) },
            Tab::Groups => { (groups(frame, &data.groups)) },
            Tab::People => { (listed_people(frame, &data.people)) },
            Tab::Why => { (explained(frame, data)) },
        }
    }
}

fn found(frame: &Frame, data: &Data) -> Markup {
    let more = (data.limit + PAGE).min(MOST).to_string();
    html! {
        form.search method="get" action=(Pane::Documents.path()) role="search" {
            (frame.kept())
            label.hidden for="search" { "Search" }
            input id="search" type="search" name="q" value=(data.query) list="operators" placeholder="words, \"a phrase\", operator:value" autocomplete="off" data-search="";
            datalist id="operators" {
                @for (operator, usage) in &data.operators {
                    @for found in usage.values.iter().filter(|found| !found.is_cut) {
                        option value=(format!("{}:{}", operator.operator, quoted(&found.value))) {}
                    }
                }
                option value="type:" {} option value="by:" {} option value="in:" {} option value="before:" {} option value="after:" {}
            }
            button.primary { "Search" }
        }
        @for ignored in &data.hits.ignored { p.fault { code { (ignored) } " means nothing and is left out." } }
        div.columns.narrow-left {
            section.card.hits {
                h2.quiet { (counted(data.hits.total, if data.query.is_empty() { "document" } else { "hit" })) }
                @if data.hits.hits.is_empty() {
                    p { "Nothing is found." }
                    p.quiet { "Is something missing? " a href=(frame.link(Pane::Documents.path(), &[("tab", "why")])) { "Ask why it is not found." } }
                }
                ul {
                    @for hit in &data.hits.hits {
                        @let is_shown = data.document.as_ref().is_some_and(|shown| shown.document.id == hit.id);
                        li { (row(frame, data, hit, is_shown)) }
                    }
                }
                @if data.hits.total > data.hits.hits.len() as u64 && data.limit < MOST {
                    a.button href=(frame.link(Pane::Documents.path(), &[("q", &data.query), ("n", &more)])) { "More" }
                }
            }
            div.stack {
                @if let Some(shown) = &data.document { (document::render(frame, shown)) }
            }
        }
    }
}

fn row(frame: &Frame, data: &Data, hit: &Hit, is_shown: bool) -> Markup {
    let limit = data.limit.to_string();
    let link = frame.link(
        Pane::Documents.path(),
        &[("q", &data.query), ("n", &limit), ("doc", &hit.id)],
    );
    html! {
        a.hit href=(link) aria-current=[is_shown.then_some("true")] {
            strong { (foreign(&cut(&hit.title, 120))) }
            span.quiet { (foreign(hit.path.as_deref().unwrap_or(&hit.document_id))) }
            span.snippet { @for part in hit.snippet.iter().take(40) { @if part.is_match { mark { (cut(&part.text, 300)) } } @else { (foreign(&cut(&part.text, 300))) } } }
        }
    }
}

fn groups(frame: &Frame, groups: &[(Group, Vec<String>)]) -> Markup {
    html! {
        section.card {
            @if groups.is_empty() { p.quiet { "The source has sent no groups." } }
            @for (group, members) in groups {
                details {
                    summary {
                        strong { (foreign(group.name.as_deref().unwrap_or(&group.email))) } " " code { (group.email) } " " span.counter { (count(group.members)) }
                    }
                    ul.inline { @for member in members { li { a href=(person(frame, member)) { (foreign(member)) } } } }
                    @if members.is_empty() { p.quiet { "Nobody is in it." } }
                }
            }
        }
    }
}

fn listed_people(frame: &Frame, people: &[PersonSyncRecord]) -> Markup {
    html! {
        section.card {
            @if people.is_empty() { p.quiet { "The source has sent no people." } }
            @else {
                table {
                    thead { tr { th { "Address" } th { "Id in the source" } th {} } }
                    tbody { @for one in people { tr { td { (foreign(&one.email)) } td { code { (one.external_id) } } td { a href=(person(frame, &one.email)) { "what this person sees" } } } } }
                }
            }
        }
    }
}

/// Returns the link to the documents as a person sees them.
fn person(frame: &Frame, email: &str) -> String {
    let source = frame.source.as_ref().map(|one| one.source.id.as_str());
    format!(
        "{}?source={}&as={}",
        Pane::Documents.path(),
        source.unwrap_or_default(),
        super::show::encoded(email)
    )
}

fn explained(frame: &Frame, data: &Data) -> Markup {
    html! {
        section.card {
            p { "Give an id, or the address of an item in the source" @if frame.viewer.is_none() { ", and perhaps a person in “Seen by”" } ". The answer goes from layer to layer." }
            form.search method="get" action=(Pane::Documents.path()) {
                (frame.kept())
                input type="hidden" name="tab" value="why";
                input name="item" value=[data.item.as_deref()] aria-label="Id or address" placeholder="id or address" required data-search="";
                input name="q" value=(data.query) aria-label="Words that should find it" placeholder="words that should find it";
                button.primary { "Explain" }
            }
            ol.layers {
                @for layer in &data.layers {
                    li.answer[layer.is_answer] {
                        span.chip.bad[layer.is_answer] { (layer.name) } " "
                        (foreign(&cut(&layer.found, 600)))
                        @if let Some(document) = &layer.document { " " a href=(frame.link(Pane::Documents.path(), &[("doc", document)])) { "the document" } }
                        @if let Some(run) = &layer.run { " " a href=(frame.link(Pane::Sync.path(), &[("run", run)])) { "the run" } }
                    }
                }
            }
        }
    }
}

fn quoted(value: &str) -> String {
    if value.contains(char::is_whitespace) {
        format!("\"{value}\"")
    } else {
        value.to_owned()
    }
}
