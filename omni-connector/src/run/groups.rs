//! Knows the groups of a run: their members, and which groups named by documents were never sent. Also collects users
//! that Omni cannot know.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt::Display,
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use highway::{HighwayHash, HighwayHasher, Key};
use serde_json::{Map, Value};

use super::access::is_domain;
use crate::wire::ConnectorEvent;

/// The members of a group, or why they are unknown. Given to [`SyncContext::members`](super::SyncContext::members).
///
/// A list is complete: it replaces the previous one, and an empty list removes everybody's access. Unknown members
/// leave the last list in place.
///
/// ```
/// use omni_connector::Members;
///
/// let listed = Members::from(vec!["ann@example.com"]);
/// let failed = Members::unknown("the directory answers 503");
/// // The result of a look-up becomes one of the two.
/// let found = Members::from(Err::<Vec<String>, _>("503"));
/// # let _ = (listed, failed, found);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// The addresses of all members.
    Known(Vec<String>),
    /// The members could not be read, for this reason.
    Unknown(String),
}

impl Members {
    /// Makes unknown members, with the reason why they could not be read.
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

/// The number of memberships remembered for comparing rules, at some 16 bytes each.
const REMEMBERED: usize = 4 << 20;
/// The number of groups without a list that are remembered by name.
const NAMED: usize = 10_000;

/// The key in the notes for groups that were sent.
const GROUPS: &str = "groups";

type List = Arc<[Arc<str>]>;

/// The groups of one run.
#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Hashes of groups that earlier runs sent.
    before: BTreeSet<u64>,
    /// Groups that this run sent. `None` when their members are unknown or too many to remember.
    sent: HashMap<Box<str>, Option<List>>,
    /// Hashes of groups whose list this run sent.
    listed: BTreeSet<u64>,
    people: HashSet<Arc<str>>,
    remembered: usize,
    /// Groups that documents named before any list of them was sent.
    named: BTreeSet<Box<str>>,
    /// Users named by documents, groups and people's records that are not e-mail addresses.
    odd_users: BTreeSet<Box<str>>,
}

impl Groups {
    /// Reads the groups that earlier runs recorded in the source's notes.
    pub(super) fn of_notes(notes: Option<&Value>) -> Self {
        let groups = notes.and_then(|notes| notes[GROUPS].as_str());
        let bytes = groups.and_then(|text| STANDARD_NO_PAD.decode(text).ok());
        let (fingerprints, _) = bytes.as_deref().unwrap_or_default().as_chunks::<6>();
        let before = fingerprints.iter().map(|fingerprint| {
            let mut wide = [0; 8];
            wide.split_at_mut(6).0.copy_from_slice(fingerprint);
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

    /// Records a group that is sent with these members, or whose members are unknown.
    pub(super) fn send(&self, group: &str, members: Option<&[String]>) {
        let group = group.trim().to_lowercase();
        let mut state = self.state();
        if members.is_some() {
            state.listed.insert(fingerprint(&group));
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

    /// Returns the members that this run sent for a group.
    pub(super) fn members(&self, group: &str) -> Option<List> {
        self.state().sent.get(group)?.clone()
    }

    /// Records groups named by a document.
    pub(super) fn name(&self, groups: &[String]) {
        if groups.is_empty() {
            return;
        }
        let mut state = self.state();
        for group in groups {
            let group = group.trim().to_lowercase();
            let hash = fingerprint(&group);
            let is_known = state.before.contains(&hash) || state.listed.contains(&hash);
            if !is_known && !is_domain(&group) && state.named.len() < NAMED {
                state.named.insert(group.into());
            }
        }
    }

    /// Records the groups and users that an event names. The event is not yet normalized.
    pub(super) fn note_event(&self, event: &ConnectorEvent) {
        match event {
            ConnectorEvent::DocumentCreated { permissions, .. }
            | ConnectorEvent::DocumentUpdated {
                permissions: Some(permissions),
                ..
            } => {
                self.name(&permissions.groups);
                self.name_users(&permissions.users);
            }
            ConnectorEvent::GroupMembershipSync {
                group_email,
                member_emails,
                ..
            } => {
                self.send(group_email, Some(member_emails));
                self.name_users(member_emails);
            }
            ConnectorEvent::PersonSync { person, .. } => {
                self.name_users(slice::from_ref(&person.email));
            }
            _ => {}
        }
    }

    /// Records users named by a document, a group or a person's record.
    pub(super) fn name_users(&self, users: &[String]) {
        for user in users.iter().filter(|user| !is_address(user)) {
            let mut state = self.state();
            if state.odd_users.len() < NAMED {
                state.odd_users.insert(user.trim().into());
            }
        }
    }

    /// Returns users named in this run that are not e-mail addresses.
    pub(super) fn odd_users(&self) -> Vec<String> {
        let state = self.state();
        state.odd_users.iter().map(ToString::to_string).collect()
    }

    /// Returns groups named by documents of this run that no run ever sent.
    pub(super) fn never_sent(&self) -> Vec<String> {
        let state = self.state();
        let never = state.named.iter();
        let never = never.filter(|group| !state.listed.contains(&fingerprint(group)));
        never.map(ToString::to_string).collect()
    }

    /// Returns whether this run sent groups that are not in the notes yet.
    pub(super) fn has_news(&self) -> bool {
        let state = self.state();
        !state.listed.is_subset(&state.before)
    }

    /// Adds the groups that were sent to the notes.
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

/// Returns whether Omni can identify a user by this string: a single e-mail address without a display name, a scheme such as
/// `mailto:` or quotes.
fn is_address(user: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[]:,;\"\\".contains(c);
    let is_part = |part: &str| {
        let is_letter = |c: char| c.is_alphanumeric() || c == '-';
        !part.is_empty() && part.chars().all(is_letter)
    };
    let Some((name, domain)) = user.trim().split_once('@') else {
        return false;
    };
    !name.is_empty() && !name.contains(is_odd) && domain.split('.').all(is_part)
}

/// Returns 48 bits of a hash of a group's name. The hashes are saved, so the function must never change.
fn fingerprint(group: &str) -> u64 {
    const KEY: Key = Key([0x6f6d_6e69, 0x6772_6f75, 0x7073, 1]);
    HighwayHasher::new(KEY).hash64(group.as_bytes()) & 0xffff_ffff_ffff
}
