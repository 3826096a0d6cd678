//! Some thousand sorted ids with their marks, front-coded: the unit that is saved.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

/// The distance between ids that are stored whole. A search starts at one of them instead of the segment's beginning.
const RESTART: usize = 16;

/// The version of a document in Omni, as 48 bits of its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) struct Fingerprint(u64);

impl Fingerprint {
    /// The document is known, but none of its versions is known to be in Omni.
    pub(super) const NONE: Self = Self(0);
    /// The document was removed.
    pub(super) const DEAD: Self = Self(u64::MAX);
    /// The size of a saved fingerprint, in bytes.
    pub(super) const BYTES: usize = 6;

    pub(super) const fn of_hash(hash: u64) -> Self {
        let fingerprint = hash & ((1 << (8 * Self::BYTES)) - 1);
        // A version never equals `NONE`.
        Self(if fingerprint == 0 { 1 } else { fingerprint })
    }

    pub(super) const fn of_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let mut wide = [0; 8];
        wide.split_at_mut(Self::BYTES).0.copy_from_slice(&bytes);
        Self(u64::from_le_bytes(wide))
    }

    pub(super) const fn to_bytes(self) -> [u8; Self::BYTES] {
        let [head @ .., _, _] = self.0.to_le_bytes();
        head
    }
}

/// How the current walk has seen a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Not seen yet.
    No,
    /// Present and not sent. Its children are present as well.
    Kept,
    /// Sent. Its children are sent separately.
    Sent,
}

/// The state of one document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) fingerprint: Fingerprint,
    pub(super) seen: Seen,
}

#[derive(Debug, Default)]
pub(super) struct Segment {
    /// Each id: the length of the prefix shared with the previous one, the length of the rest, the rest.
    ids: Vec<u8>,
    /// The positions of the ids that are stored whole.
    restarts: Vec<u32>,
    pub(super) marks: Vec<Mark>,
    pub(super) parents: BTreeMap<usize, Box<str>>,
    pub(super) dead: usize,
    /// The saved form, while it is unchanged.
    pub(super) saved: Option<Arc<str>>,
}

impl Segment {
    /// Returns the number of ids that are not removed.
    pub(super) fn len(&self) -> usize {
        self.marks.len() - self.dead
    }

    pub(super) fn first(&self) -> &[u8] {
        let mut at = 0;
        let _ = varint(&self.ids, &mut at);
        let length = varint(&self.ids, &mut at).unwrap_or(0);
        self.ids.get(at..at + length).unwrap_or_default()
    }

    pub(super) fn last(&self) -> Vec<u8> {
        let mut last = Vec::new();
        self.each_id(|id| id.clone_into(&mut last));
        last
    }

    /// Appends an id. It must be greater than all others.
    pub(super) fn push(&mut self, id: &[u8], mark: Mark, parent: Option<&str>) {
        let index = self.marks.len();
        let shared = if index.is_multiple_of(RESTART) {
            self.restarts
                .push(u32::try_from(self.ids.len()).unwrap_or(u32::MAX));
            0
        } else {
            self.shared_with_last(id)
        };
        put_varint(&mut self.ids, shared);
        put_varint(&mut self.ids, id.len() - shared);
        self.ids.extend_from_slice(&id[shared..]);
        self.marks.push(mark);
        if let Some(parent) = parent {
            self.parents.insert(index, parent.into());
        }
    }

    /// Returns the length of the prefix that this id shares with the last one.
    fn shared_with_last(&self, id: &[u8]) -> usize {
        let mut last = Vec::new();
        self.scan(self.restarts.len().saturating_sub(1), |_, before| {
            before.clone_into(&mut last);
            true
        });
        last.iter().zip(id).take_while(|(a, b)| a == b).count()
    }

    pub(super) fn change(&mut self, index: usize, change: impl FnOnce(&mut Mark)) {
        let mark = &mut self.marks[index];
        let before = mark.fingerprint;
        change(mark);
        if mark.fingerprint != before {
            self.saved = None;
        }
    }

    fn restart(&self, index: usize) -> &[u8] {
        let mut at = self.restarts[index] as usize;
        let _ = varint(&self.ids, &mut at);
        let length = varint(&self.ids, &mut at).unwrap_or(0);
        self.ids.get(at..at + length).unwrap_or_default()
    }

    pub(super) fn find(&self, id: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.restarts.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.restart(middle) <= id {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut found = None;
        self.scan(low.checked_sub(1)?, |index, other| match other.cmp(id) {
            Ordering::Less => true,
            Ordering::Equal => {
                found = Some(index);
                false
            }
            Ordering::Greater => false,
        });
        found
    }

    /// Reads ids from a restart on, while `each` returns true.
    fn scan(&self, restart: usize, mut each: impl FnMut(usize, &[u8]) -> bool) {
        let Some(at) = self.restarts.get(restart) else {
            return;
        };
        let (mut at, mut id) = (*at as usize, Vec::with_capacity(96));
        let mut index = restart * RESTART;
        while let (Some(shared), Some(length)) =
            (varint(&self.ids, &mut at), varint(&self.ids, &mut at))
        {
            id.truncate(shared);
            id.extend_from_slice(self.ids.get(at..at + length).unwrap_or_default());
            at += length;
            if !each(index, &id) {
                return;
            }
            index += 1;
        }
    }

    pub(super) fn each_id(&self, mut each: impl FnMut(&[u8])) {
        self.scan(0, |_, id| {
            each(id);
            true
        });
    }

    pub(super) fn each(&self, mut each: impl FnMut(usize, &[u8], Mark)) {
        self.scan(0, |index, id| {
            each(index, id, self.marks[index]);
            true
        });
    }

    /// Returns a copy without the removed ids.
    pub(super) fn living(&self) -> Self {
        let mut living = Self::default();
        self.each(|index, id, mark| {
            if mark.fingerprint != Fingerprint::DEAD {
                let parent = self.parents.get(&index).map(AsRef::as_ref);
                living.push(id, mark, parent);
            }
        });
        living
    }

    /// Serializes the ids, their versions and their parents.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.ids.len() + self.marks.len() * 7);
        put_varint(&mut bytes, self.marks.len());
        put_varint(&mut bytes, self.ids.len());
        bytes.extend_from_slice(&self.ids);
        for mark in &self.marks {
            bytes.extend(mark.fingerprint.to_bytes());
        }
        put_varint(&mut bytes, self.parents.len());
        for (index, parent) in &self.parents {
            put_varint(&mut bytes, *index);
            put_varint(&mut bytes, parent.len());
            bytes.extend_from_slice(parent.as_bytes());
        }
        bytes
    }

    /// Reads the output of [`to_bytes`](Self::to_bytes). Returns `None` when it is damaged.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let mut at = 0;
        let (count, length) = (varint(bytes, &mut at)?, varint(bytes, &mut at)?);
        let mut segment = Self {
            ids: bytes.get(at..at.checked_add(length)?)?.to_vec(),
            ..Self::default()
        };
        at += length;
        let fingerprints =
            bytes.get(at..at.checked_add(count.checked_mul(Fingerprint::BYTES)?)?)?;
        at += fingerprints.len();
        let (fingerprints, _) = fingerprints.as_chunks();
        segment.marks = fingerprints
            .iter()
            .map(|fingerprint| Mark {
                fingerprint: Fingerprint::of_bytes(*fingerprint),
                seen: Seen::No,
            })
            .collect();
        for _ in 0..varint(bytes, &mut at)? {
            let (index, length) = (varint(bytes, &mut at)?, varint(bytes, &mut at)?);
            let parent = str::from_utf8(bytes.get(at..at.checked_add(length)?)?).ok()?;
            segment.parents.insert(index, parent.into());
            at += length;
        }
        segment.find_restarts()?;
        Some(segment)
    }

    /// Checks all ids once: each must be UTF-8, and greater than the previous one.
    fn find_restarts(&mut self) -> Option<()> {
        let (mut at, mut index) = (0, 0);
        let (mut id, mut before): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
        while at < self.ids.len() {
            let begin = at;
            let (shared, length) = (varint(&self.ids, &mut at)?, varint(&self.ids, &mut at)?);
            if index % RESTART == 0 {
                self.restarts.push(u32::try_from(begin).ok()?);
                (shared == 0).then_some(())?;
            }
            (shared <= id.len()).then_some(())?;
            id.truncate(shared);
            id.extend_from_slice(self.ids.get(at..at.checked_add(length)?)?);
            str::from_utf8(&id).ok()?;
            (index == 0 || before < id).then_some(())?;
            id.clone_into(&mut before);
            at += length;
            index += 1;
        }
        (index == self.marks.len()).then_some(())
    }
}

fn put_varint(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or(0));
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        number |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}
