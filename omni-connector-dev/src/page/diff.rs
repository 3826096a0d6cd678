//! Renders how two JSON values differ.

use maud::{Markup, html};

pub(super) use crate::json::{Change, changes, text_change};

use super::show::short;
use crate::json::MOST;

/// The longest value that is shown, in characters.
const LONGEST: usize = 160;

/// Renders the differences as a list.
pub(super) fn render(changes: &[Change]) -> Markup {
    html! {
        ul.diff {
            @for Change { place, before, after } in changes.iter().take(MOST) {
                li {
                    code.place { (place) } " "
                    @if let Some(before) = before { del { (short(before, LONGEST)) } " " }
                    @if let Some(after) = after { ins { (short(after, LONGEST)) } }
                }
            }
            @if changes.len() > MOST { li.quiet { "and more" } }
        }
    }
}
