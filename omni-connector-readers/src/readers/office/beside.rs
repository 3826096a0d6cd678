//! Reads the texts that belong to a part and are parts of their own: charts, diagrams, drawings and
//! comments. Omni reads none of them.

use quick_xml::events::Event;

use super::{
    package::{Package, Related},
    slides,
    xml::{self, Events},
};
use crate::readers::parts::Parts;

/// Greatest depth of parts within parts, such as the shapes of a chart of a drawing.
const DEEPEST: usize = 4;

/// Text of a part other than the body, or why it cannot be read.
pub(super) struct Beside {
    /// The kind of text, for people.
    pub(super) what: String,
    text: Result<String, String>,
}

impl Beside {
    /// Emits the text as one part, and reports that Omni loses it.
    pub(super) fn give(self, parts: &mut Parts<'_>) {
        let Self { what, text } = self;
        parts.part(what.clone(), |parts| {
            give(&what, &text?, parts);
            Ok(())
        });
    }

    /// Emits the text within another part, or reports why it cannot be read.
    pub(super) fn give_within(self, parts: &mut Parts<'_>) {
        match self.text {
            Ok(text) => give(&self.what, &text, parts),
            Err(why) => parts.lost(self.what, why),
        }
    }
}

/// Emits a text and reports that Omni loses it. Skips a chart's numbers, which no search finds.
pub(super) fn give(what: &str, text: &str, parts: &mut Parts<'_>) {
    let words = |line: &&str| line.contains(char::is_alphabetic) || what != "charts";
    let lines: Vec<_> = text.trim().lines().filter(words).collect();
    if lines.iter().any(|line| !line.trim().is_empty()) {
        parts.omni_loses(what);
        parts.text("\n");
        parts.text(&lines.join("\n"));
        parts.text("\n");
    }
}

/// Returns the texts that belong to a part, in the order of its relationships.
pub(super) fn of(package: &mut Package<'_>, part: &str) -> Vec<Beside> {
    let mut all = Vec::new();
    add(package, part, 0, &mut all);
    all
}

fn add(package: &mut Package<'_>, part: &str, depth: usize, all: &mut Vec<Beside>) {
    let related = package.related(part);
    let has = |kind: &str| related.iter().any(|related| related.kind == kind);
    for Related { kind, name, .. } in &related {
        let what = match kind.as_str() {
            "chart" | "chartEx" | "chartUserShapes" => "charts",
            "diagramData" => "diagrams",
            "drawing" => "drawings",
            "notesSlide" => "notes of slides",
            "comments" | "threadedComment" => "comments",
            // A chart's own numbers are in its embedded workbook.
            "oleObject" | "package" if depth == 0 => {
                let file = name.rsplit('/').next().unwrap_or_default();
                all.push(Beside {
                    what: format!("embedded file `{file}`"),
                    text: Err("files in documents are not read".to_owned()),
                });
                continue;
            }
            _ => continue,
        };
        let text = package.part(name).and_then(|xml| match kind.as_str() {
            "chartEx" => leaves(&xml),
            "comments" if has("threadedComment") => single_comments(&xml),
            _ => slides::text(&xml),
        });
        all.push(Beside {
            what: what.to_owned(),
            text: if what == "diagrams" && !has_words(&text) {
                drawn(package, &related).unwrap_or(text)
            } else {
                text
            },
        });
        if depth < DEEPEST && what != "comments" {
            add(package, name, depth + 1, all);
        }
    }
}

fn has_words(text: &Result<String, String>) -> bool {
    text.as_ref()
        .is_ok_and(|text| text.contains(char::is_alphanumeric))
}

/// Returns the text of the drawing that Office saves beside a diagram's data.
fn drawn(package: &mut Package<'_>, related: &[Related]) -> Option<Result<String, String>> {
    let mut texts = related
        .iter()
        .filter(|related| related.kind == "diagramDrawing")
        .map(|related| {
            package
                .part(&related.name)
                .and_then(|xml| slides::text(&xml))
        })
        .filter(has_words)
        .flatten()
        .collect::<Vec<_>>();
    texts.dedup();
    (!texts.is_empty()).then(|| Ok(texts.join("\n")))
}

/// Reads the comments of a sheet besides those that repeat a conversation for older programs. Excel names the author of
/// these `tc=` and an id.
fn single_comments(xml: &str) -> Result<String, String> {
    let mut events = Events::of(xml);
    let (mut authors, mut text) = (Vec::new(), String::new());
    let (mut is_author, mut is_text, mut is_shown) = (false, false, false);
    while let Some(event) = events.next() {
        match &event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "author" => {
                    is_author = true;
                    authors.push(String::new());
                }
                "comment" => {
                    let author = xml::attribute(tag, "authorId").and_then(|id| id.parse().ok());
                    let author = author.and_then(|id: usize| authors.get(id));
                    is_shown = author.is_some_and(|name| !name.starts_with("tc="));
                }
                name => is_text = name == "t",
            },
            Event::End(tag) => {
                (is_author, is_text) = (false, false);
                if is_shown && tag.local_name().as_ref() == "comment" {
                    text.push('\n');
                }
            }
            other if is_author => {
                if let Some(name) = authors.last_mut() {
                    name.extend(xml::characters(other));
                }
            }
            other if is_text && is_shown => text.extend(xml::characters(other)),
            _ => {}
        }
    }
    events.end().map(|()| text)
}

/// Reads the names and values of a chart in the format of 2014, one a line.
fn leaves(xml: &str) -> Result<String, String> {
    let mut events = Events::of(xml);
    let (mut text, mut is_leaf) = (String::new(), false);
    while let Some(event) = events.next() {
        match &event {
            Event::Start(tag) => is_leaf = matches!(tag.local_name().as_ref(), "pt" | "v" | "t"),
            Event::End(_) if std::mem::take(&mut is_leaf) => text.push('\n'),
            other if is_leaf => text.extend(xml::characters(other)),
            _ => {}
        }
    }
    events.end().map(|()| text)
}
