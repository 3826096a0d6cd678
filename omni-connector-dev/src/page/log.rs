//! The log of the connector, below every pane: its last lines, or those that a person looks for.

use maud::{Markup, html};

use super::{
    answer::Ask,
    show::{counted, terminal},
};
use crate::workbench::Line;

/// The number of last lines shown.
const SHOWN: usize = 200;

/// The lines of the log that are shown.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// `warn` or `error`: lines of this level and above.
    level: Option<String>,
    text: Option<String>,
}

impl Filter {
    pub(super) fn of(ask: &Ask) -> Self {
        Self {
            level: ask.owned("level"),
            text: ask.owned("log"),
        }
    }

    fn is_any(&self) -> bool {
        self.level.is_some() || self.text.is_some()
    }

    fn admits(&self, line: &Line) -> bool {
        let has = |level: &str| line.text.contains(level);
        let level = match self.level.as_deref() {
            Some("error") => has("ERROR") || has("panicked"),
            Some("warn") => has("WARN") || has("ERROR") || has("panicked"),
            _ => true,
        };
        let text = self.text.as_ref().is_none_or(|wanted| {
            let line = line.text.to_lowercase();
            line.contains(&wanted.to_lowercase())
        });
        level && text
    }
}

/// Renders the log. It is open when the connector has ended, or when a person looks for something. `kept` are the
/// fields of the page that stay the same, and `path` is that of its pane.
pub(super) fn render(
    lines: &[Line],
    filter: &Filter,
    is_down: bool,
    path: &str,
    kept: &Markup,
) -> Markup {
    let found: Vec<_> = lines.iter().filter(|line| filter.admits(line)).collect();
    let shown = found.len().saturating_sub(SHOWN);
    let level = filter.level.as_deref();
    html! {
        details.log open[is_down || filter.is_any()] {
            summary { "Log of the connector" @if filter.is_any() { ", " (counted(found.len() as u64, "line")) " of " (lines.len()) } }
            form.joined method="get" action=(path) {
                (kept)
                select name="level" aria-label="Level" data-submit="" {
                    option value="" { "all levels" }
                    option value="warn" selected[level == Some("warn")] { "warnings and errors" }
                    option value="error" selected[level == Some("error")] { "errors" }
                }
                input name="log" value=[filter.text.as_deref()] aria-label="Lines with" placeholder="lines with" autocomplete="off";
                button.small { "Show" }
                @if filter.is_any() { a.button.small href=(path) { "Show all" } }
            }
            div id="log" data-live="" data-follow="" {
                @if lines.is_empty() { p.quiet { "Nothing was printed yet." } }
                @else if found.is_empty() { p.quiet { "No line has this." } }
                @else { pre tabindex="0" { @for line in &found[shown..] { (terminal(&line.text)) "\n" } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn lines_are_found_by_their_level_and_a_text_in_either_case() {
        let lines = [
            "\u{1b}[33m WARN\u{1b}[0m a quota",
            "INFO Quota",
            "ERROR it fell",
            "thread panicked",
        ];
        let lines = lines.map(|text| Line {
            at: OffsetDateTime::UNIX_EPOCH,
            text: text.to_owned(),
        });
        let found = |level: Option<&str>, text: Option<&str>| {
            let filter = Filter {
                level: level.map(str::to_owned),
                text: text.map(str::to_owned),
            };
            let found = lines.iter().filter(|line| filter.admits(line));
            found.count()
        };
        assert_eq!(found(None, None), 4);
        assert_eq!(found(Some("warn"), None), 3);
        assert_eq!(found(Some("error"), None), 2);
        assert_eq!(found(None, Some("QUOTA")), 2);
        assert_eq!(found(Some("error"), Some("quota")), 0);
    }
}
