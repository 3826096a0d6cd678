//! Stores a million ids in some megabytes: sorted and front-coded, with a mark for each.
//!
//! New ids are collected in a map until it pays to sort them in. Until then packed ids do not move, so their marks are
//! changed in place.

use std::{collections::BTreeMap, mem, ops::Bound, sync::Arc};

use super::segment::{Fingerprint, Mark, Segment};

/// The number of ids in a segment. A change of one id writes its whole segment again.
const SEGMENT: usize = 4_096;
/// The smallest number of new ids at which they are packed.
const WAITING: usize = 4_096;

/// An id that is not packed yet.
#[derive(Debug)]
struct Unpacked {
    mark: Mark,
    parent: Option<Box<str>>,
    /// Only a save after this number names it.
    since: u64,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    segments: Vec<Segment>,
    unpacked: BTreeMap<Box<str>, Unpacked>,
    packed: usize,
}

/// The position of an id.
enum Place {
    Unpacked,
    Packed(usize, usize),
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.packed + self.unpacked.len()
    }

    fn place(&self, id: &str) -> Option<Place> {
        if self.unpacked.contains_key(id) {
            return Some(Place::Unpacked);
        }
        let before = self
            .segments
            .partition_point(|segment| segment.first() <= id.as_bytes());
        let segment = before.checked_sub(1)?;
        let index = self.segments[segment].find(id.as_bytes())?;
        let is_dead = self.segments[segment].marks[index].fingerprint == Fingerprint::DEAD;
        (!is_dead).then_some(Place::Packed(segment, index))
    }

    pub(super) fn get(&self, id: &str) -> Option<Mark> {
        Some(match self.place(id)? {
            Place::Unpacked => self.unpacked[id].mark,
            Place::Packed(segment, index) => self.segments[segment].marks[index],
        })
    }

    pub(super) fn parent(&self, id: &str) -> Option<&str> {
        let parent = match self.place(id)? {
            Place::Unpacked => self.unpacked[id].parent.as_ref(),
            Place::Packed(segment, index) => self.segments[segment].parents.get(&index),
        };
        parent.map(AsRef::as_ref)
    }

    /// Returns the save that must precede the sending of the document. Returns 0 when a save has named it.
    pub(super) fn since(&self, id: &str) -> u64 {
        self.unpacked.get(id).map_or(0, |unpacked| unpacked.since)
    }

    /// Changes the mark of an id. Returns false when the id is unknown.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Mark)) -> bool {
        match self.place(id) {
            None => return false,
            Some(Place::Unpacked) => {
                if let Some(unpacked) = self.unpacked.get_mut(id) {
                    change(&mut unpacked.mark);
                }
            }
            Some(Place::Packed(segment, index)) => self.segments[segment].change(index, change),
        }
        true
    }

    /// Adds an unknown id. A save after `since` will name it.
    pub(super) fn insert(&mut self, id: &str, mark: Mark, parent: Option<&str>, since: u64) {
        let parent = parent.map(Into::into);
        let unpacked = Unpacked {
            mark,
            parent,
            since,
        };
        self.unpacked.insert(id.into(), unpacked);
    }

    /// Records the parent of an id that was known without one.
    pub(super) fn adopt(&mut self, id: &str, parent: &str) {
        match self.place(id) {
            None => {}
            Some(Place::Unpacked) => {
                if let Some(unpacked) = self.unpacked.get_mut(id) {
                    unpacked.parent = Some(parent.into());
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
            Some(Place::Unpacked) => drop(self.unpacked.remove(id)),
            Some(Place::Packed(segment, index)) => {
                self.packed -= 1;
                let segment = &mut self.segments[segment];
                segment.dead += 1;
                segment.change(index, |mark| mark.fingerprint = Fingerprint::DEAD);
            }
        }
    }

    /// Calls `each` for every id that begins with `prefix`, with its mark, in the order of the ids.
    pub(super) fn each_below(&self, prefix: &str, mut each: impl FnMut(&str, Mark)) {
        let unpacked = self
            .unpacked
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let mut unpacked = unpacked
            .take_while(|(id, _)| id.starts_with(prefix))
            .peekable();
        for segment in self.segments_below(prefix) {
            self.segments[segment].each(|_, id, mark| {
                while let Some((before, it)) = unpacked.next_if(|it| it.0.as_bytes() < id) {
                    each(before, it.mark);
                }
                if let Ok(id) = str::from_utf8(id)
                    && mark.fingerprint != Fingerprint::DEAD
                    && id.starts_with(prefix)
                {
                    each(id, mark);
                }
            });
        }
        for (id, it) in unpacked {
            each(id, it.mark);
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
                    && mark.fingerprint != Fingerprint::DEAD
                    && id.starts_with(prefix)
                {
                    let before = mark.fingerprint;
                    change(id, mark);
                    has_changed |= mark.fingerprint != before;
                }
            });
            segment.marks = marks;
            if has_changed {
                segment.saved = None;
            }
        }
        let unpacked = self
            .unpacked
            .range_mut::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        for (id, unpacked) in unpacked.take_while(|(id, _)| id.starts_with(prefix)) {
            change(id, &mut unpacked.mark);
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
        if self.unpacked.len() > WAITING.max(self.packed / 16) {
            self.pack(named);
        }
    }

    /// Packs the new ids that a save has named.
    fn pack(&mut self, named: u64) {
        let (ripe, waiting): (BTreeMap<_, _>, _) = mem::take(&mut self.unpacked)
            .into_iter()
            .partition(|(_, unpacked)| unpacked.since <= named);
        self.unpacked = waiting;
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
                |id: &(Box<str>, Unpacked)| end.is_none_or(|end: &[u8]| id.0.as_bytes() < end);
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
        if !self.unpacked.is_empty() {
            let mut segment = Segment::default();
            for (id, unpacked) in &self.unpacked {
                segment.push(id.as_bytes(), unpacked.mark, unpacked.parent.as_deref());
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
fn merge(old: &Segment, new: Vec<(Box<str>, Unpacked)>, packed: &mut Vec<Segment>) {
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
        while let Some((id, unpacked)) = new.next_if(|(new, _)| new.as_bytes() < id) {
            push(id.as_bytes(), unpacked.mark, unpacked.parent.as_deref());
        }
        let is_replaced = new.peek().is_some_and(|(new, _)| new.as_bytes() == id);
        if mark.fingerprint != Fingerprint::DEAD && !is_replaced {
            let parent = old.parents.get(&index).map(AsRef::as_ref);
            push(id, mark, parent);
        }
    });
    for (id, unpacked) in new {
        push(id.as_bytes(), unpacked.mark, unpacked.parent.as_deref());
    }
    if into.len() > 0 {
        packed.push(into);
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::run::inventory::segment::Seen;

    const FREE: Mark = Mark {
        fingerprint: Fingerprint::NONE,
        seen: Seen::No,
    };

    #[derive(Debug, Clone)]
    enum Step {
        Insert(String),
        Remove(String),
        Version(String, u64),
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
            3 => (id(), any::<u64>()).prop_map(|(id, hash)| Step::Version(id, hash)),
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
                        model.entry(id).or_insert(Fingerprint::NONE);
                    }
                    Step::Remove(id) => {
                        table.remove(&id);
                        model.remove(&id);
                    }
                    Step::Version(id, hash) => {
                        let fingerprint = Fingerprint::of_hash(hash);
                        let known = table.change(&id, |mark| mark.fingerprint = fingerprint);
                        prop_assert_eq!(known, model.contains_key(&id));
                        model.entry(id).and_modify(|known| *known = fingerprint);
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
            for (id, fingerprint) in &model {
                prop_assert_eq!(table.get(id).map(|mark| mark.fingerprint), Some(*fingerprint));
                prop_assert_eq!(table.parent(id), Some("parent"));
            }
            let mut below = Vec::new();
            table.each_below(&prefix, |id, _| below.push(id.to_owned()));
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
