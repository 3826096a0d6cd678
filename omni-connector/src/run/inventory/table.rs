//! Stores a million ids in some megabytes: sorted and front-coded, with a mark for each.
//!
//! New ids are collected in a map until it pays to sort them in. Until then packed ids do not move, so their marks are
//! changed in place.

use std::{cmp::Ordering, collections::BTreeMap, mem, ops::Bound, sync::Arc};

/// The number of ids in a segment. A change of one id writes its whole segment again.
const SEGMENT: usize = 4_096;
/// The distance between ids that are stored whole. A search starts at one of them instead of the segment's beginning.
const RESTART: usize = 16;
/// The smallest number of new ids at which they are packed.
const WAITING: usize = 4_096;

/// The version of a document in Omni, as 48 bits of its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) struct Print(u64);

impl Print {
    /// The document is known, but none of its versions is known to be in Omni.
    pub(super) const NONE: Self = Self(0);
    /// The document was removed.
    const DEAD: Self = Self(u64::MAX);
    /// The size of a saved print, in bytes.
    pub(super) const BYTES: usize = 6;

    pub(super) const fn of_hash(hash: u64) -> Self {
        let print = hash & ((1 << (8 * Self::BYTES)) - 1);
        // A version never equals `NONE`.
        Self(if print == 0 { 1 } else { print })
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
    pub(super) print: Print,
    pub(super) seen: Seen,
}

/// An id that is not packed yet.
#[derive(Debug)]
struct Fresh {
    mark: Mark,
    parent: Option<Box<str>>,
    /// Only a save after this number names it.
    since: u64,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    segments: Vec<Segment>,
    fresh: BTreeMap<Box<str>, Fresh>,
    packed: usize,
}

#[derive(Debug, Default)]
pub(super) struct Segment {
    /// Each id: the length of the prefix shared with the previous one, the length of the rest, the rest.
    ids: Vec<u8>,
    /// The positions of the ids that are stored whole.
    restarts: Vec<u32>,
    marks: Vec<Mark>,
    parents: BTreeMap<usize, Box<str>>,
    dead: usize,
    /// The saved form, while it is unchanged.
    saved: Option<Arc<str>>,
}

/// The position of an id.
enum Place {
    Fresh,
    Packed(usize, usize),
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.packed + self.fresh.len()
    }

    fn place(&self, id: &str) -> Option<Place> {
        if self.fresh.contains_key(id) {
            return Some(Place::Fresh);
        }
        let before = self
            .segments
            .partition_point(|segment| segment.first() <= id.as_bytes());
        let segment = before.checked_sub(1)?;
        let index = self.segments[segment].find(id.as_bytes())?;
        let is_dead = self.segments[segment].marks[index].print == Print::DEAD;
        (!is_dead).then_some(Place::Packed(segment, index))
    }

    pub(super) fn get(&self, id: &str) -> Option<Mark> {
        Some(match self.place(id)? {
            Place::Fresh => self.fresh[id].mark,
            Place::Packed(segment, index) => self.segments[segment].marks[index],
        })
    }

    pub(super) fn parent(&self, id: &str) -> Option<&str> {
        let parent = match self.place(id)? {
            Place::Fresh => self.fresh[id].parent.as_ref(),
            Place::Packed(segment, index) => self.segments[segment].parents.get(&index),
        };
        parent.map(AsRef::as_ref)
    }

    /// Returns the save that must precede the sending of the document. Returns 0 when a save has named it.
    pub(super) fn since(&self, id: &str) -> u64 {
        self.fresh.get(id).map_or(0, |fresh| fresh.since)
    }

    /// Changes the mark of an id. Returns false when the id is unknown.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Mark)) -> bool {
        match self.place(id) {
            None => return false,
            Some(Place::Fresh) => {
                if let Some(fresh) = self.fresh.get_mut(id) {
                    change(&mut fresh.mark);
                }
            }
            Some(Place::Packed(segment, index)) => self.segments[segment].change(index, change),
        }
        true
    }

    /// Adds an unknown id. A save after `since` will name it.
    pub(super) fn insert(&mut self, id: &str, mark: Mark, parent: Option<&str>, since: u64) {
        let parent = parent.map(Into::into);
        let fresh = Fresh {
            mark,
            parent,
            since,
        };
        self.fresh.insert(id.into(), fresh);
    }

    /// Records the parent of an id that was known without one.
    pub(super) fn adopt(&mut self, id: &str, parent: &str) {
        match self.place(id) {
            None => {}
            Some(Place::Fresh) => {
                if let Some(fresh) = self.fresh.get_mut(id) {
                    fresh.parent = Some(parent.into());
                }
            }
            Some(Place::Packed(segment, index)) => {
                let segment = &mut self.segments[segment];
                segment.parents.insert(index, parent.into());
                segment.saved = None;
            }
        }
    }

    /// Forgets an id.
    pub(super) fn remove(&mut self, id: &str) {
        match self.place(id) {
            None => {}
            Some(Place::Fresh) => drop(self.fresh.remove(id)),
            Some(Place::Packed(segment, index)) => {
                self.packed -= 1;
                let segment = &mut self.segments[segment];
                segment.dead += 1;
                segment.change(index, |mark| mark.print = Print::DEAD);
            }
        }
    }

    /// Calls `each` for every id that begins with `prefix`, with its mark.
    pub(super) fn each_below(&self, prefix: &str, mut each: impl FnMut(&str, Mark)) {
        for segment in self.segments_below(prefix) {
            self.segments[segment].each(|_, id, mark| {
                if let Ok(id) = str::from_utf8(id)
                    && mark.print != Print::DEAD
                    && id.starts_with(prefix)
                {
                    each(id, mark);
                }
            });
        }
        let fresh = self
            .fresh
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        for (id, fresh) in fresh.take_while(|(id, _)| id.starts_with(prefix)) {
            each(id, fresh.mark);
        }
    }

    /// Changes the mark of every id that begins with `prefix`.
    pub(super) fn change_below(&mut self, prefix: &str, change: impl Fn(&str, &mut Mark)) {
        for index in self.segments_below(prefix) {
            let segment = &mut self.segments[index];
            let mut marks = mem::take(&mut segment.marks);
            let mut has_changed = false;
            let mut at = 0;
            segment.each_id(|id| {
                let mark = &mut marks[at];
                at += 1;
                if let Ok(id) = str::from_utf8(id)
                    && mark.print != Print::DEAD
                    && id.starts_with(prefix)
                {
                    let before = mark.print;
                    change(id, mark);
                    has_changed |= mark.print != before;
                }
            });
            segment.marks = marks;
            if has_changed {
                segment.saved = None;
            }
        }
        let fresh = self
            .fresh
            .range_mut::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        for (id, fresh) in fresh.take_while(|(id, _)| id.starts_with(prefix)) {
            change(id, &mut fresh.mark);
        }
    }

    fn segments_below(&self, prefix: &str) -> std::ops::Range<usize> {
        let prefix = prefix.as_bytes();
        let after = |segment: &Segment| segment.first() <= prefix;
        let begin = self.segments.partition_point(after).saturating_sub(1);
        let is_before_end =
            |segment: &Segment| segment.first() <= prefix || segment.first().starts_with(prefix);
        begin..self.segments.partition_point(is_before_end).max(begin)
    }

    /// Packs the new ids that a save has named, if there are enough of them.
    pub(super) fn settle(&mut self, named: u64) {
        if self.fresh.len() > WAITING.max(self.packed / 16) {
            self.pack(named);
        }
    }

    /// Packs the new ids that a save has named.
    fn pack(&mut self, named: u64) {
        let (ripe, waiting): (BTreeMap<_, _>, _) = mem::take(&mut self.fresh)
            .into_iter()
            .partition(|(_, fresh)| fresh.since <= named);
        self.fresh = waiting;
        let mut ripe = ripe.into_iter().peekable();
        let mut packed = Vec::with_capacity(self.segments.len() + ripe.len() / SEGMENT + 1);
        let segments = mem::take(&mut self.segments);
        let mut segments = segments.into_iter().peekable();
        if segments.peek().is_none() {
            segments = vec![Segment::default()].into_iter().peekable();
        }
        while let Some(segment) = segments.next() {
            let end = segments.peek().map(Segment::first);
            let is_here =
                |id: &(Box<str>, Fresh)| end.is_none_or(|end: &[u8]| id.0.as_bytes() < end);
            let mut here = Vec::new();
            while let Some(next) = ripe.next_if(is_here) {
                here.push(next);
            }
            if here.is_empty() && segment.dead == 0 {
                if segment.len() > 0 {
                    packed.push(segment);
                }
                continue;
            }
            merge(&segment, here, &mut packed);
        }
        self.segments = packed;
        self.packed = self.segments.iter().map(Segment::len).sum();
    }

    /// Returns the segments in their saved form, and the unpacked ids as one more segment.
    pub(super) fn save(&mut self, write: impl Fn(&Segment) -> Arc<str>) -> Vec<Arc<str>> {
        let mut saved = Vec::with_capacity(self.segments.len() + 1);
        for segment in &mut self.segments {
            if segment.saved.is_none() {
                if segment.dead > 0 {
                    *segment = segment.living();
                }
                segment.saved = Some(write(segment));
            }
            saved.extend(segment.saved.clone().filter(|_| segment.len() > 0));
        }
        self.segments.retain(|segment| segment.len() > 0);
        if !self.fresh.is_empty() {
            let mut segment = Segment::default();
            for (id, fresh) in &self.fresh {
                segment.push(id.as_bytes(), fresh.mark, fresh.parent.as_deref());
            }
            saved.push(write(&segment));
        }
        saved
    }

    /// Adds a segment that was read.
    pub(super) fn load(&mut self, segment: Segment) {
        let Some(last) = self.segments.last() else {
            self.packed += segment.len();
            self.segments.extend(Some(segment).filter(|s| s.len() > 0));
            return;
        };
        if segment.len() > SEGMENT || segment.first() <= last.last().as_slice() {
            segment.each(|index, id, mark| {
                if let Ok(id) = str::from_utf8(id) {
                    let parent = segment.parents.get(&index).map(AsRef::as_ref);
                    self.insert(id, mark, parent, 0);
                }
            });
            self.pack(0);
        } else if segment.len() > 0 {
            self.packed += segment.len();
            self.segments.push(segment);
        }
    }
}

/// Merges new ids into a segment. A new id replaces the same old one.
fn merge(old: &Segment, new: Vec<(Box<str>, Fresh)>, packed: &mut Vec<Segment>) {
    let total = old.len() + new.len();
    let size = total.div_ceil(total.div_ceil(SEGMENT).max(1)).max(1);
    let mut into = Segment::default();
    let mut push = |id: &[u8], mark: Mark, parent: Option<&str>| {
        if into.marks.len() >= size {
            packed.push(mem::take(&mut into));
        }
        into.push(id, mark, parent);
    };
    let mut new = new.into_iter().peekable();
    old.each(|index, id, mark| {
        while let Some((id, fresh)) = new.next_if(|(new, _)| new.as_bytes() < id) {
            push(id.as_bytes(), fresh.mark, fresh.parent.as_deref());
        }
        let is_replaced = new.peek().is_some_and(|(new, _)| new.as_bytes() == id);
        if mark.print != Print::DEAD && !is_replaced {
            let parent = old.parents.get(&index).map(AsRef::as_ref);
            push(id, mark, parent);
        }
    });
    for (id, fresh) in new {
        push(id.as_bytes(), fresh.mark, fresh.parent.as_deref());
    }
    if into.len() > 0 {
        packed.push(into);
    }
}

impl Segment {
    /// Returns the number of ids that are not removed.
    fn len(&self) -> usize {
        self.marks.len() - self.dead
    }

    fn first(&self) -> &[u8] {
        let mut at = 0;
        let _ = varint(&self.ids, &mut at);
        let length = varint(&self.ids, &mut at).unwrap_or(0);
        self.ids.get(at..at + length).unwrap_or_default()
    }

    fn last(&self) -> Vec<u8> {
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

    fn change(&mut self, index: usize, change: impl FnOnce(&mut Mark)) {
        let mark = &mut self.marks[index];
        let before = mark.print;
        change(mark);
        if mark.print != before {
            self.saved = None;
        }
    }

    fn restart(&self, index: usize) -> &[u8] {
        let mut at = self.restarts[index] as usize;
        let _ = varint(&self.ids, &mut at);
        let length = varint(&self.ids, &mut at).unwrap_or(0);
        self.ids.get(at..at + length).unwrap_or_default()
    }

    fn find(&self, id: &[u8]) -> Option<usize> {
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

    fn each_id(&self, mut each: impl FnMut(&[u8])) {
        self.scan(0, |_, id| {
            each(id);
            true
        });
    }

    fn each(&self, mut each: impl FnMut(usize, &[u8], Mark)) {
        self.scan(0, |index, id| {
            each(index, id, self.marks[index]);
            true
        });
    }

    /// Returns a copy without the removed ids.
    fn living(&self) -> Self {
        let mut living = Self::default();
        self.each(|index, id, mark| {
            if mark.print != Print::DEAD {
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
            bytes.extend(mark.print.to_bytes());
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
        let prints = bytes.get(at..at.checked_add(count.checked_mul(Print::BYTES)?)?)?;
        at += prints.len();
        let (prints, _) = prints.as_chunks();
        segment.marks = prints
            .iter()
            .map(|print| Mark {
                print: Print::of_bytes(*print),
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

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const FREE: Mark = Mark {
        print: Print::NONE,
        seen: Seen::No,
    };

    #[derive(Debug, Clone)]
    enum Step {
        Insert(String),
        Remove(String),
        Print(String, u64),
        Pack,
        Reload,
    }

    fn id() -> impl Strategy<Value = String> {
        "[ab]{1,3}(/[abé]{0,2}){0,2}"
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => id().prop_map(Step::Insert),
            2 => id().prop_map(Step::Remove),
            3 => (id(), any::<u64>()).prop_map(|(id, hash)| Step::Print(id, hash)),
            1 => Just(Step::Pack),
            1 => Just(Step::Reload),
        ]
    }

    proptest! {
        #[test]
        fn a_table_behaves_like_a_sorted_map(steps in vec(step(), 0..200), prefix in id()) {
            let mut table = Table::default();
            let mut model = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Insert(id) => {
                        if table.get(&id).is_none() {
                            table.insert(&id, FREE, Some("parent"), 0);
                        }
                        model.entry(id).or_insert(Print::NONE);
                    }
                    Step::Remove(id) => {
                        table.remove(&id);
                        model.remove(&id);
                    }
                    Step::Print(id, hash) => {
                        let print = Print::of_hash(hash);
                        let known = table.change(&id, |mark| mark.print = print);
                        prop_assert_eq!(known, model.contains_key(&id));
                        model.entry(id).and_modify(|known| *known = print);
                    }
                    Step::Pack => table.pack(0),
                    Step::Reload => {
                        let kept = std::cell::RefCell::new(Vec::new());
                        table.save(|_| "".into());
                        // Unchanged segments are not written again.
                        for segment in &mut table.segments {
                            segment.saved = None;
                        }
                        table.save(|segment| {
                            kept.borrow_mut().push(segment.to_bytes());
                            "".into()
                        });
                        table = Table::default();
                        for bytes in kept.take() {
                            table.load(Segment::of_bytes(&bytes).unwrap());
                        }
                    }
                }
                prop_assert_eq!(table.len(), model.len());
            }
            for (id, print) in &model {
                prop_assert_eq!(table.get(id).map(|mark| mark.print), Some(*print));
                prop_assert_eq!(table.parent(id), Some("parent"));
            }
            let mut below = Vec::new();
            table.each_below(&prefix, |id, _| below.push(id.to_owned()));
            below.sort();
            let expected: Vec<_> = model.keys().filter(|id| id.starts_with(&prefix)).cloned().collect();
            prop_assert_eq!(below, expected);
        }

        #[test]
        fn damaged_bytes_are_refused_and_never_panic(mut bytes in vec(any::<u8>(), 0..60), cut in 0..40_usize) {
            let _ = Segment::of_bytes(&bytes);
            let mut segment = Segment::default();
            for id in ["a", "ab/c", "ab/d", "z"] {
                segment.push(id.as_bytes(), FREE, None);
            }
            bytes = segment.to_bytes();
            let cut = cut.min(bytes.len() - 1);
            prop_assert!(Segment::of_bytes(&bytes[..cut]).is_none());
        }
    }
}
