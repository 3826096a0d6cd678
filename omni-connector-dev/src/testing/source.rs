//! A replacement for the author's system, and its changes.

use std::fmt;

use super::mutation::Mutation;

/// A system that the connector reads: a [`FakeApi`](super::FakeApi), [`FakeItems`](super::FakeItems), a server of the
/// author's own, or a real program.
///
/// It is created for every run of a check, so it must always start in the same state.
pub trait Source: Send + Sync + 'static {
    /// Returns its URL, without a trailing slash. The connector gets the URL of a proxy in front of it.
    ///
    /// A source that is not called over HTTP returns its path. The connector gets it as it is, so no call can be
    /// counted or broken. The check `source_faults` then takes the whole source away for a run.
    fn url(&self) -> String;

    /// Changes the system.
    ///
    /// # Errors
    /// Returns an error if it cannot change in this way. The check then reports that and is left out.
    fn change(&self, change: &Change) -> Result<(), Unable> {
        Err(Unable(format!("this source cannot {change}")))
    }

    /// Returns where the answers of each list have the next page's token or link: the list's path and a JSON pointer.
    fn next_pages(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Returns what a walk over the main list can notice when an item before its position is removed.
    fn removal(&self) -> Removal {
        if self.next_pages().is_empty() {
            Removal::Silent
        } else {
            Removal::Harmless
        }
    }

    /// Returns the changes of single answers that it can make, such as a page that fails.
    fn mutations(&self) -> Vec<Mutation> {
        Vec::new()
    }

    /// Returns the number of changes by calls of the connector, such as a `POST`.
    fn writes(&self) -> usize {
        0
    }

    /// Returns the requests that it did not understand.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What a walk over a list can notice when an item before its position is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Nothing is skipped: the token of the next page leads to the same item as before.
    Harmless,
    /// An item is skipped, and the total in the answers changes.
    Told,
    /// An item is skipped, and no answer tells.
    Silent,
}

/// Why a source cannot change in a way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unable(pub String);

/// A change of a source. Items are counted from 0 in the order of the main list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Removes the item.
    Remove(usize),
    /// Removes the last items: a tenth of all.
    RemoveTenth,
    /// Removes all items except the first.
    RemoveMost,
    /// Removes all items.
    RemoveAll,
    /// Changes the item's text.
    Edit(usize),
    /// Changes the item's text at the present time of the source, whose clock is two seconds late.
    EditNow(usize),
    /// Changes the item's title.
    Rename(usize),
    /// Moves the item to another place of the source, such as another project.
    Move(usize),
    /// Adds an item.
    Add,
    /// Adds an item before all others. Pages of a walk that is under way then repeat an item.
    AddFirst,
    /// Fills exactly this number of pages.
    FillPages(usize),
    /// Repeats all items as new ones, until there are this many.
    Grow(usize),
    /// Removes the last reader of the item.
    Narrow(usize),
    /// Makes the item's readers unreadable.
    HideReaders(usize),
    /// Removes the last member of the first group.
    Leave,
    /// Removes all members of the first group.
    EmptyGroup,
    /// Makes the members of the first group unreadable.
    HideMembers,
    /// Shortens the first page by one item, though more pages follow.
    UnevenPages,
    /// Empties the first page, though more pages follow.
    EmptyPage,
    /// Refuses the tokens of pages until a walk begins anew.
    ForgetTokens,
    /// Makes the item unusual.
    Odd(usize, Oddity),
    /// Changes single answers.
    Mutate(Mutation),
    /// Makes the whole source unreachable, such as a folder that is not mounted.
    Vanish,
    /// Takes all mutations back, and makes the source reachable.
    Restore,
}

/// The unusual property of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// It has no title.
    NoTitle,
    /// A text is null.
    NullText,
    /// The text has control characters, among them NUL and one that changes the writing direction.
    ControlCharacters,
    /// The text has ten million characters.
    HugeText,
    /// The text is a number.
    WrongType,
    /// The text has a byte that is not UTF-8.
    InvalidUtf8,
    /// A value that several items have in common is one that no item had before.
    UnknownValue,
    /// Its times are in the year 0.
    EarlyTimes,
    /// Its times are in the year 9999.
    LateTimes,
    /// Its id has characters with a meaning in URLs.
    StrangeId,
    /// Its id has four thousand characters.
    LongId,
}

impl Oddity {
    pub(super) const ALL: [Self; 11] = [
        Self::NoTitle,
        Self::NullText,
        Self::ControlCharacters,
        Self::WrongType,
        Self::InvalidUtf8,
        Self::UnknownValue,
        Self::EarlyTimes,
        Self::LateTimes,
        Self::StrangeId,
        Self::LongId,
        // The slowest is the last.
        Self::HugeText,
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
            Self::InvalidUtf8 => "has a byte in its text that is not UTF-8",
            Self::UnknownValue => "has an unknown value where others have a common one",
            Self::EarlyTimes => "has times in the year 0",
            Self::LateTimes => "has times in the year 9999",
            Self::StrangeId => "has `/`, `?` and `#` in its id",
            Self::LongId => "has an id of four thousand characters",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remove(item) => write!(f, "remove item {item}"),
            Self::RemoveTenth => f.write_str("remove a tenth of the items"),
            Self::RemoveMost => f.write_str("remove all items but the first"),
            Self::RemoveAll => f.write_str("remove all items"),
            Self::Edit(item) => write!(f, "edit the text of item {item}"),
            Self::EditNow(item) => write!(f, "edit the text of item {item} during a run"),
            Self::Move(item) => write!(f, "move item {item} to another place"),
            Self::Rename(item) => write!(f, "rename item {item}"),
            Self::Add => f.write_str("add an item"),
            Self::AddFirst => f.write_str("add an item before all others"),
            Self::FillPages(pages) => write!(f, "have as many items as fill {pages} pages"),
            Self::Grow(items) => write!(f, "have {items} items"),
            Self::Narrow(item) => write!(f, "take the last reader from item {item}"),
            Self::HideReaders(item) => write!(f, "hide the readers of item {item}"),
            Self::Leave => f.write_str("take the last member out of the first group"),
            Self::EmptyGroup => f.write_str("empty the first group"),
            Self::HideMembers => f.write_str("hide the members of the first group"),
            Self::UnevenPages => f.write_str("send pages of different lengths"),
            Self::EmptyPage => f.write_str("send an empty page before others"),
            Self::ForgetTokens => f.write_str("forget the tokens of its pages"),
            Self::Mutate(mutation) => mutation.fmt(f),
            Self::Vanish => f.write_str("be unreachable"),
            Self::Restore => f.write_str("become whole again"),
            Self::Odd(item, oddity) => write!(f, "make item {item} odd: it {oddity}"),
        }
    }
}
