//! The names in a new crate, which take the place of those in a template.

use std::ops::Range;

use omni_connector::SourceType;

use super::template;
use crate::{cli::failure::Failure, rules::usual_provider};

/// Words that the template itself uses for something else.
const TAKEN: &[&str] = &[
    "access",
    "api",
    "auth",
    "batch",
    "change",
    "client",
    "connection",
    "cursor",
    "database",
    "document",
    "end",
    "field",
    "id",
    "login",
    "member",
    "paging",
    "reader",
    "row",
    "setting",
    "source",
    "status",
    "team",
    "text",
    "title",
    "token",
];

/// The packages of the templates, each in the workspace under its own name.
const PACKAGES: [&str; 4] = ["exemplar", "specimen", "archetype", "prototype"];
/// The connectors in them.
pub(super) const TITLES: [&str; 4] = ["Exemplar", "Specimen", "Archetype", "Prototype"];

/// Keywords, and crates that every crate knows.
const KEYWORDS: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "pub",
    "ref",
    "return",
    "self",
    "serde",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "tests",
    "tokio",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
    "omni-connector",
];

/// The names of a new crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// Of the package, such as `acme-tracker`.
    pub(super) package: String,
    pub(super) source_type: SourceType,
    /// What the source has many of, such as `issue`.
    pub(super) item: String,
}

impl Names {
    /// Takes the name of a package, and what a source has many of.
    pub(super) fn new(
        package: &str,
        source_type: SourceType,
        item: Option<&str>,
    ) -> Result<Self, Failure> {
        let is_name = package.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        if !is_name || !package.starts_with(|c: char| c.is_ascii_lowercase()) {
            let failure = Failure::usage(format!("`{package}` cannot be the name of a connector"));
            return Err(failure.help(
                "names are words of `a-z` and `0-9`, joined by `-`, such as `acme-tracker`",
            ));
        }
        if KEYWORDS.contains(&package) {
            let failure = Failure::usage(format!("`{package}` means something else in Rust"));
            return Err(failure.help("choose another name, such as the product's"));
        }
        let connector = title(package, "");
        if template::uses(&connector, template::ALL) {
            let failure = Failure::usage(format!(
                "the new crate uses `{connector}` for something else than the connector"
            ));
            return Err(failure.help("choose another name, such as the product's"));
        }
        let item = item.unwrap_or_else(|| item_of(source_type));
        if item.is_empty() || !item.bytes().all(|byte| byte.is_ascii_lowercase()) {
            let failure = Failure::usage(format!("`--item {item}` is not one word of `a-z`"));
            return Err(failure.help("it is what the source has many of, such as `ticket`"));
        }
        if TAKEN.contains(&item)
            || KEYWORDS.contains(&item)
            || template::uses(&capital(item), template::OF_ITEMS)
        {
            let failure = Failure::usage(format!("the new crate uses `{item}` for something else"));
            return Err(failure.help("choose another `--item`, such as `record`"));
        }
        Ok(Self {
            package: package.to_owned(),
            source_type,
            item: item.to_owned(),
        })
    }

    /// Refuses a connector and items of one name, which would be one type.
    pub(super) fn are_two(&self) -> Result<(), Failure> {
        if title(&self.package, "") != capital(&self.item) {
            return Ok(());
        }
        let both = capital(&self.item);
        let failure = Failure::usage(format!(
            "the connector and its items would both be `{both}`"
        ));
        Err(failure.help("choose another name, such as the product's, or another `--item`"))
    }

    /// What the source has many of, in the plural.
    pub(super) fn items(&self) -> String {
        plural(&self.item)
    }

    /// The path of a file with the new names.
    pub(super) fn in_path(&self, path: &str) -> String {
        path.replace("issue", &self.item)
    }

    /// The text of a file with the new names.
    pub(super) fn in_text(&self, text: &str) -> String {
        let is_rust = text.starts_with("//!");
        let mut written = String::new();
        for line in text.split_inclusive('\n') {
            let mut rest = 0;
            for word in words(line) {
                let (before, after) = (&line[..word.start], &line[word.end..]);
                let is_text = line.trim_start().starts_with("//")
                    || before.matches('"').count() % 2 == 1
                    || !is_rust;
                if let Some(new) = self.word(&line[word.clone()], is_text, after) {
                    written.push_str(&line[rest..word.start]);
                    written.push_str(&new);
                    rest = word.end;
                }
            }
            written.push_str(&line[rest..]);
        }
        written
    }

    fn word(&self, word: &str, is_text: bool, after: &str) -> Option<String> {
        let items = self.items();
        Some(match word {
            word if PACKAGES.contains(&word) && after.starts_with("::") => {
                self.package.replace('-', "_")
            }
            word if PACKAGES.contains(&word) => self.package.clone(),
            word if word
                .strip_suffix("_id")
                .is_some_and(|word| PACKAGES.contains(&word)) =>
            {
                self.package.replace('-', "_")
            }
            word if TITLES.contains(&word) && is_text => title(&self.package, " "),
            word if TITLES.contains(&word) => title(&self.package, ""),
            "Jira" => format!("{:?}", self.source_type),
            "atlassian" => usual_provider(self.source_type).to_owned(),
            "issue" => self.item.clone(),
            "issues" => items,
            "ISSUES" => items.to_uppercase(),
            "Issue" => capital(&self.item),
            "Issues" => capital(&items),
            "createIssue" => format!("create{}", capital(&self.item)),
            "create_issue" => format!("create_{}", self.item),
            "issues_since" => format!("{items}_since"),
            "issues_changed" => format!("{items}_changed"),
            "an" if after.starts_with(" issue") => self.article().to_owned(),
            "An" if after.starts_with(" issue") => capital(self.article()),
            _ => {
                let binary = word.strip_prefix("CARGO_BIN_EXE_");
                if binary.is_some_and(|binary| PACKAGES.contains(&binary)) {
                    return Some(format!("CARGO_BIN_EXE_{}", self.package));
                }
                let rest = word.strip_prefix("SPECIMEN_")?;
                format!("{}_{rest}", self.variable())
            }
        })
    }

    /// How the names of its environment variables begin.
    fn variable(&self) -> String {
        self.package.replace('-', "_").to_uppercase()
    }

    fn article(&self) -> &'static str {
        if self.item.starts_with(['a', 'e', 'i', 'o']) {
            "an"
        } else {
            "a"
        }
    }
}

/// What sources of a type have many of.
pub(super) fn item_of(source_type: SourceType) -> &'static str {
    match source_type {
        SourceType::Jira | SourceType::Github | SourceType::Linear => "issue",
        SourceType::Confluence | SourceType::Notion | SourceType::Web => "page",
        SourceType::Slack | SourceType::MsTeams | SourceType::GoogleChat => "message",
        SourceType::Gmail | SourceType::Outlook | SourceType::Imap => "mail",
        SourceType::OutlookCalendar => "appointment",
        SourceType::Hubspot => "contact",
        SourceType::Fireflies => "transcript",
        SourceType::Clickup | SourceType::Windshift => "task",
        SourceType::GoogleAds => "campaign",
        SourceType::Darwinbox => "employee",
        SourceType::GoogleDrive
        | SourceType::OneDrive
        | SourceType::SharePoint
        | SourceType::Nextcloud
        | SourceType::LocalFiles
        | SourceType::FileSystem => "file",
        _ => "record",
    }
}

fn plural(word: &str) -> String {
    let before_y = word
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match before_y {
        Some(stem) => format!("{stem}ies"),
        None if ["s", "x", "z", "ch", "sh"]
            .iter()
            .any(|end| word.ends_with(end)) =>
        {
            format!("{word}es")
        }
        None => format!("{word}s"),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        .unwrap_or_default()
}

/// The name with a capital for each of its words.
fn title(package: &str, between: &str) -> String {
    let words: Vec<_> = package.split('-').map(capital).collect();
    words.join(between)
}

/// Where the words of a line are.
pub(super) fn words(line: &str) -> Vec<Range<usize>> {
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, _) in line
        .bytes()
        .enumerate()
        .filter(|(_, byte)| is_of_word(*byte))
    {
        match words.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            _ => words.push(at..at + 1),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(package: &str, item: &str) -> Names {
        Names::new(package, SourceType::Clickup, Some(item)).unwrap()
    }

    #[test]
    fn names_are_replaced_as_words_in_code_and_in_sentences() {
        let text = "//! Issues of Exemplar: an issue, a tissue.\nuse exemplar::{Exemplar, Issue};\nlet name = (\"exemplar\", \"Exemplar\", \"exemplar_id\");\n";
        assert_eq!(
            names("my-desk", "company").in_text(text),
            "//! Companies of My Desk: a company, a tissue.\nuse my_desk::{MyDesk, Company};\nlet name = (\"my-desk\", \"My Desk\", \"my_desk\");\n"
        );
    }

    #[test]
    fn a_name_that_cannot_be_one_is_refused_with_the_way_out() {
        for (package, item, message, help) in [
            (
                "Acme",
                None,
                "`Acme` cannot be the name",
                "such as `acme-tracker`",
            ),
            ("9a", None, "`9a` cannot", "a-z"),
            ("a--b", None, "`a--b` cannot", "a-z"),
            ("", None, "`` cannot", "a-z"),
            ("match", None, "`match` means", "another name"),
            ("settings", None, "uses `Settings`", "another name"),
            ("tree", None, "uses `Tree`", "another name"),
            ("mcp-server", None, "uses `McpServer`", "another name"),
            ("acme", Some("Big Deal"), "`--item Big Deal`", "`ticket`"),
            ("acme", Some("document"), "uses `document`", "`--item`"),
        ] {
            let failure = Names::new(package, SourceType::Jira, item).unwrap_err();
            assert!(failure.message.contains(message), "{}", failure.message);
            let given = failure.help.unwrap();
            assert!(given.contains(help), "{given}");
        }
    }

    #[test]
    fn a_connector_and_its_items_have_different_names() {
        let failure = names("ticket", "ticket").are_two().unwrap_err();
        assert_eq!(
            failure.message,
            "the connector and its items would both be `Ticket`"
        );
        assert!(names("tickets", "ticket").are_two().is_ok());
    }

    #[test]
    fn every_source_type_has_items_with_a_name() {
        for source_type in SourceType::ALL {
            Names::new("acme", *source_type, None).unwrap();
        }
    }
}
