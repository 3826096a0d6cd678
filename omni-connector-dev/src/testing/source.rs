//! What stands in for the author's system, and how it changes.

use std::fmt;

/// A system that the connector reads: a [`FakeApi`](super::FakeApi), a server of the author's own, or a real program.
///
/// It is made anew for every run of a check, so it must begin the same each time.
pub trait Source: Send + Sync + 'static {
    /// Where it is reached, without a trailing slash. The connector gets the URL of a proxy in front of it.
    fn url(&self) -> String;

    /// Changes the system.
    ///
    /// # Errors
    /// It cannot change in this way. The check then says so, and is left out.
    fn change(&self, change: &Change) -> Result<(), Unable> {
        Err(Unable(format!("this source cannot {change}")))
    }

    /// Where the token or link of the next page stands in the answers of a list: the list's path and a JSON pointer.
    fn next_pages(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// How often it was changed by a call of the connector, such as by a `POST`.
    fn writes(&self) -> usize {
        0
    }

    /// What it was sent that it does not understand.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Why a source does not change in a way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unable(pub String);

/// How a source changes. Items are counted from 0 in the order of the main list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The item is gone.
    Remove(usize),
    /// The items but for the first one are gone.
    RemoveMost,
    /// All items are gone.
    RemoveAll,
    /// The item has another text.
    Edit(usize),
    /// The item has another title.
    Rename(usize),
    /// A new item is there.
    Add,
    /// The last reader of the item may not see it any more.
    Narrow(usize),
    /// Who may see the item cannot be read.
    HideReaders(usize),
    /// The last member of the first group is not in it any more.
    Leave,
    /// The first group has no members.
    EmptyGroup,
    /// The members of the first group cannot be read.
    HideMembers,
    /// The first page has an item less than asked for, though more follow.
    UnevenPages,
    /// The item is odd.
    Odd(usize, Oddity),
}

/// What is odd about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// It has no title.
    NoTitle,
    /// A text is null.
    NullText,
    /// The text has control characters, NUL among them, and one that turns the direction of writing.
    ControlCharacters,
    /// The text has ten million characters.
    HugeText,
    /// The text is a number.
    WrongType,
}

impl Oddity {
    pub(super) const ALL: [Self; 5] = [
        Self::NoTitle,
        Self::NullText,
        Self::ControlCharacters,
        Self::HugeText,
        Self::WrongType,
    ];
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTitle => "has no title",
            Self::NullText => "has null in place of its text",
            Self::ControlCharacters => "has control characters in its text",
            Self::HugeText => "has a text of ten million characters",
            Self::WrongType => "has a number in place of its text",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remove(item) => write!(f, "remove item {item}"),
            Self::RemoveMost => f.write_str("remove all items but the first"),
            Self::RemoveAll => f.write_str("remove all items"),
            Self::Edit(item) => write!(f, "edit the text of item {item}"),
            Self::Rename(item) => write!(f, "rename item {item}"),
            Self::Add => f.write_str("add an item"),
            Self::Narrow(item) => write!(f, "take the last reader from item {item}"),
            Self::HideReaders(item) => write!(f, "hide the readers of item {item}"),
            Self::Leave => f.write_str("take the last member out of the first group"),
            Self::EmptyGroup => f.write_str("empty the first group"),
            Self::HideMembers => f.write_str("hide the members of the first group"),
            Self::UnevenPages => f.write_str("send pages of different lengths"),
            Self::Odd(item, oddity) => write!(f, "make item {item} odd: it {oddity}"),
        }
    }
}
