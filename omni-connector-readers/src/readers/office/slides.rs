//! Reads presentations: slides in the deck's order, with their charts and notes.

use quick_xml::events::Event;

use super::{
    beside,
    package::{Package, Related},
    xml::{self, Alternatives, Events},
};
use crate::readers::{Refusal, parts::Parts};

pub(super) fn read(package: &mut Package<'_>, parts: &mut Parts<'_>) -> Result<(), Refusal> {
    let by_name = slides_by_name(package);
    let by_deck = slides_by_deck(package);
    let in_file = |deck: &Vec<String>| {
        let there = deck.iter().filter(|name| package.has(name));
        there.cloned().collect::<Vec<_>>()
    };
    if by_deck
        .as_ref()
        .is_some_and(|deck| in_file(deck) != by_name)
    {
        parts.omni_loses("the order of slides");
    }
    let slides = by_deck.unwrap_or(by_name);
    if slides.is_empty() && package.main("ppt/presentation.xml").is_err() {
        return Err("it has neither a presentation nor slides".to_owned());
    }
    for (index, name) in slides.iter().enumerate() {
        let title = format!("Slide {}", index + 1);
        let xml = package.part(name);
        let beside = beside::of(package, name);
        parts.part(format!("slide {}", index + 1), |parts| {
            parts.text(&title);
            parts.text("\n");
            let read = slide(&xml?, parts);
            for text in beside {
                text.give_within(parts);
            }
            parts.text("\n");
            read
        });
    }
    Ok(())
}

/// Returns the slides in the deck's order. Returns `None` when the presentation lists no existing
/// slide, as some programs write it.
fn slides_by_deck(package: &mut Package<'_>) -> Option<Vec<String>> {
    let main = package.main("ppt/presentation.xml").ok()?;
    let deck = package.part(&main).ok()?;
    let related = package.related(&main);
    let mut slides = Vec::new();
    let mut events = Events::of(&deck);
    while let Some(tag) = events.next_tag() {
        if tag.local_name().as_ref() != "sldId" {
            continue;
        }
        // The slide's own id has no prefix, the relationship's id has one.
        let mut attributes = tag.attributes();
        let named = attributes.with_checks(false).flatten().find_map(|id| {
            let is_relationship = id.key.local_name().as_ref() == "id" && id.key.as_ref() != "id";
            let is_named = |related: &&Related| is_relationship && related.id == *id.value;
            related.iter().find(is_named)
        });
        slides.extend(named.map(|related| related.name.clone()));
    }
    // A listed slide that is missing is reported.
    slides
        .iter()
        .any(|name| package.has(name))
        .then_some(slides)
}

/// Returns the slides ordered by the numbers in their names, as Omni reads them.
fn slides_by_name(package: &Package<'_>) -> Vec<String> {
    let mut slides: Vec<(u32, String)> = package
        .names()
        .filter_map(|name| {
            let number = name
                .strip_prefix("ppt/slides/slide")?
                .strip_suffix(".xml")?;
            Some((number.parse().ok()?, name.to_owned()))
        })
        .collect();
    slides.sort_unstable();
    slides.into_iter().map(|(_, name)| name).collect()
}

fn slide(xml: &str, parts: &mut Parts<'_>) -> Result<(), String> {
    let mut has_split_word = false;
    let mut has_reference = false;
    let mut before = None;
    let read = paragraphs(xml, &mut |event| match event {
        Piece::Run(text) => {
            let splits = |before: char| before.is_alphanumeric();
            has_split_word |= before.is_some_and(splits) && text.starts_with(char::is_alphanumeric);
            before = text.chars().next_back().or(before);
            parts.text(text);
            !parts.is_full()
        }
        // Omni replaces entities such as `&amp;`, which are not words, by a space.
        Piece::Reference(text) if !text.contains(char::is_alphanumeric) => {
            before = None;
            parts.text(" ");
            true
        }
        Piece::Reference(text) => {
            has_reference = true;
            before = text.chars().next_back();
            parts.text(text);
            true
        }
        Piece::Line => {
            before = None;
            parts.text("\n");
            true
        }
    });
    if has_split_word {
        parts.omni_loses("words of several runs");
    }
    if has_reference {
        parts.omni_loses("characters such as `&#233;` in slides");
    }
    read
}

/// Returns a part's paragraphs and, for charts, names and values.
pub(super) fn text(xml: &str) -> Result<String, String> {
    let mut text = String::new();
    let read = paragraphs(xml, &mut |piece| {
        text.push_str(match piece {
            Piece::Run(piece) | Piece::Reference(piece) => piece,
            Piece::Line => "\n",
        });
        true
    });
    read.map(|()| text)
}

enum Piece<'a> {
    /// Characters of a run.
    Run(&'a str),
    /// A character written as an entity `&…;`.
    Reference(&'a str),
    Line,
}

fn paragraphs(xml: &str, push: &mut dyn FnMut(Piece<'_>) -> bool) -> Result<(), String> {
    let mut events = Events::of(xml);
    // Fields such as the slide number are skipped.
    let (mut is_in_text, mut fields) = (false, 0_usize);
    let mut alternatives = Alternatives::default();
    while let Some(event) = events.next() {
        match &event {
            Event::Start(tag) => alternatives.start(tag),
            Event::End(tag) => alternatives.end(tag.local_name().as_ref()),
            _ => {}
        }
        let goes_on = match &event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "t" | "v" | "text" => {
                    is_in_text = true;
                    true
                }
                "fld" => {
                    fields += usize::from(
                        xml::attribute(tag, "type").is_some_and(|kind| kind == "slidenum"),
                    );
                    true
                }
                _ => true,
            },
            Event::Empty(tag) => match tag.local_name().as_ref() {
                "br" => push(Piece::Line),
                _ => true,
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => {
                    is_in_text = false;
                    true
                }
                "v" | "text" => {
                    is_in_text = false;
                    push(Piece::Line)
                }
                "p" | "br" => push(Piece::Line),
                "fld" => {
                    fields = fields.saturating_sub(1);
                    true
                }
                _ => true,
            },
            other if is_in_text && fields == 0 && alternatives.are_shown() => {
                let text = xml::characters(other).unwrap_or_default();
                alternatives.text(&text);
                match other {
                    _ if text.is_empty() => true,
                    Event::GeneralRef(_) => push(Piece::Reference(&text)),
                    _ => push(Piece::Run(&text)),
                }
            }
            _ => true,
        };
        if !goes_on {
            return Ok(());
        }
    }
    events.end()
}
