//! The groups of a run: their members, and which of those that documents name no run ever sent.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use highway::{HighwayHash, HighwayHasher, Key};
use serde_json::{Map, Value};

use super::access::is_domain;

/// The members of a group, or why they are unknown. Given to [`SyncContext::members`](super::SyncContext::members).
///
/// A list is the whole truth: it replaces the one before, and an empty one takes everybody's access. Unknown members leave the
/// last list as it is.
///
/// ```
/// use omni_connector::Members;
///
/// let listed = Members::from(vec!["ann@example.com"]);
/// let failed = Members::unknown("the directory answers 503");
/// // The result of a look-up is either of the two.
/// let found = Members::from(Err::<Vec<String>, _>("503"));
/// # let _ = (listed, failed, found);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// The addresses of everybody in it.
    Known(Vec<String>),
    /// They could not be read, for this reason.
    Unknown(String),
}

impl Members {
    /// They could not be read, for this reason.
    pub fn unknown(cause: impl Display) -> Self {
        Self::Unknown(cause.to_string())
    }
}

impl<T: Into<String>> From<Vec<T>> for Members {
    fn from(members: Vec<T>) -> Self {
        Self::Known(members.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<String>, E: Display> From<Result<Vec<T>, E>> for Members {
    fn from(found: Result<Vec<T>, E>) -> Self {
        match found {
            Ok(members) => members.into(),
            Err(cause) => Self::unknown(format_args!("{cause:#}")),
        }
    }
}

/// Memberships that are remembered for comparing rules; some 16 bytes each.
const REMEMBERED: usize = 4 << 20;
/// Groups without a list that are remembered by name.
const NAMED: usize = 10_000;

/// The key under which groups that were sent are noted.
const GROUPS: &str = "groups";

type List = Arc<[Arc<str>]>;

/// What a run knows of groups.
#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Hashes of groups that earlier runs sent.
    before: BTreeSet<u64>,
    /// Groups that this run sent; none when their members are unknown or too many to remember.
    sent: HashMap<Box<str>, Option<List>>,
    /// Hashes of groups whose list this run sent.
    listed: BTreeSet<u64>,
    people: HashSet<Arc<str>>,
    remembered: usize,
    /// Groups that documents named before any list of them was sent.
    named: BTreeSet<Box<str>>,
}

impl Groups {
    /// With the groups that earlier runs noted about the source.
    pub(super) fn of_notes(notes: Option<&Value>) -> Self {
        let groups = notes.and_then(|notes| notes[GROUPS].as_str());
        let bytes = groups.and_then(|text| STANDARD_NO_PAD.decode(text).ok());
        let (prints, _) = bytes.as_deref().unwrap_or_default().as_chunks::<6>();
        let before = prints.iter().map(|print| {
            let mut wide = [0; 8];
            wide.split_at_mut(6).0.copy_from_slice(print);
            u64::from_le_bytes(wide)
        });
        Self(Mutex::new(State {
            before: before.collect(),
            ..State::default()
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A group is sent with these members, or its members are unknown.
    pub(super) fn send(&self, group: &str, members: Option<&[String]>) {
        let group = group.trim().to_lowercase();
        let mut state = self.state();
        if members.is_some() {
            state.listed.insert(print(&group));
        }
        let is_small = |members: &&[String]| state.remembered + members.len() <= REMEMBERED;
        let members = members.filter(is_small);
        let list = members.map(|members| {
            state.remembered += members.len();
            let intern = |member: &String| {
                let member = member.trim().to_lowercase();
                if let Some(known) = state.people.get(member.as_str()) {
                    return Arc::clone(known);
                }
                let member: Arc<str> = member.into();
                state.people.insert(Arc::clone(&member));
                member
            };
            members.iter().map(intern).collect::<List>()
        });
        let before = state.sent.insert(group.into(), list);
        state.remembered -= before.flatten().map_or(0, |list| list.len());
    }

    /// The members that this run sent for a group.
    pub(super) fn members(&self, group: &str) -> Option<List> {
        self.state().sent.get(group)?.clone()
    }

    /// A document names these groups.
    pub(super) fn name(&self, groups: &[String]) {
        if groups.is_empty() {
            return;
        }
        let mut state = self.state();
        for group in groups {
            let group = group.trim().to_lowercase();
            let hash = print(&group);
            let is_known = state.before.contains(&hash) || state.listed.contains(&hash);
            if !is_known && !is_domain(&group) && state.named.len() < NAMED {
                state.named.insert(group.into());
            }
        }
    }

    /// Groups that documents of this run name and no run ever sent.
    pub(super) fn never_sent(&self) -> Vec<String> {
        let state = self.state();
        let never = state.named.iter();
        let never = never.filter(|group| !state.listed.contains(&print(group)));
        never.map(ToString::to_string).collect()
    }

    /// Whether this run sent groups that are not noted yet.
    pub(super) fn has_news(&self) -> bool {
        let state = self.state();
        !state.listed.is_subset(&state.before)
    }

    /// Notes the groups that were sent.
    pub(super) fn note(&self, notes: &mut Map<String, Value>) {
        let stored = Value::Object(std::mem::take(notes));
        let Self(before) = Self::of_notes(Some(&stored));
        let before = before.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Value::Object(stored) = stored {
            *notes = stored;
        }
        let state = self.state();
        let all = before.before.union(&state.listed);
        let bytes: Vec<u8> = all
            .flat_map(|hash| hash.to_le_bytes().into_iter().take(6))
            .collect();
        notes.insert(GROUPS.to_owned(), STANDARD_NO_PAD.encode(bytes).into());
    }
}

/// 48 bits of a hash of a group's name. It is saved, so it must never change.
fn print(group: &str) -> u64 {
    const KEY: Key = Key([0x6f6d_6e69, 0x6772_6f75, 0x7073, 1]);
    HighwayHasher::new(KEY).hash64(group.as_bytes()) & 0xffff_ffff_ffff
}
