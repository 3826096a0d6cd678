//! Sends a reader's output part by part, within the limits of the job.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use crate::{Frame, Job};

/// Text is sent once it has this size or age.
const PIECE: usize = 16 << 10;
const AGE: Duration = Duration::from_millis(100);

/// Collects text part by part and sends it as frames.
pub(super) struct Parts<'a> {
    emit: &'a mut dyn FnMut(Frame),
    first: usize,
    next: usize,
    left: usize,
    piece: String,
    since: Instant,
    omni_loses: Vec<String>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(job: &Job, emit: &'a mut dyn FnMut(Frame)) -> Self {
        Self {
            emit,
            first: job.first_part,
            next: 0,
            // One extra byte tells the manager that text was cut.
            left: job.max_text_bytes.saturating_add(1),
            piece: String::new(),
            since: Instant::now(),
            omni_loses: Vec::new(),
        }
    }

    /// Reads a part, unless an earlier process read it or the text limit is reached. Reports a part
    /// as lost when it cannot be read or its reader panics; the text before the fault is kept.
    pub(super) fn part(
        &mut self,
        name: impl Into<String>,
        read: impl FnOnce(&mut Self) -> Result<(), String>,
    ) {
        let index = self.next;
        self.next += 1;
        if index < self.first || self.is_full() {
            return;
        }
        let name = name.into();
        (self.emit)(Frame::Part {
            index,
            name: name.clone(),
        });
        let read = self.guarded(read);
        self.flush();
        match read {
            Ok(Ok(())) => {}
            Ok(Err(why)) => self.lost(name, why),
            Err(panic) => self.lost(name, format!("its reader gave up: {panic}")),
        }
    }

    /// Runs a reader and catches its panic.
    pub(super) fn guarded<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Result<T, String> {
        catch_unwind(AssertUnwindSafe(|| read(self))).map_err(|panic| message(&*panic))
    }

    /// Appends text. Replaces control characters between words by spaces: the manager removes them
    /// as Omni does, which would join the words.
    pub(super) fn text(&mut self, text: &str) {
        let end = text.floor_char_boundary(self.left.min(text.len()));
        let kept = &text[..end];
        self.left = if end < text.len() { 0 } else { self.left - end };
        for c in kept.chars() {
            let joins = c.is_control() && !matches!(c, '\n' | '\r' | '\t');
            self.piece.push(if joins { ' ' } else { c });
        }
        if self.piece.len() >= PIECE || self.since.elapsed() >= AGE {
            self.flush();
        }
    }

    /// Returns whether further text would be cut.
    pub(super) fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Returns how many bytes of text are taken before the rest is cut.
    pub(super) fn room(&self) -> usize {
        self.left
    }

    /// Reports an omission.
    pub(super) fn lost(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.flush();
        (self.emit)(Frame::Lost {
            what: what.into(),
            why: why.into(),
        });
    }

    /// Reports a kind of text that Omni loses, once.
    pub(super) fn omni_loses(&mut self, what: &str) {
        if !self.omni_loses.iter().any(|known| known == what) {
            self.omni_loses.push(what.to_owned());
            (self.emit)(Frame::OmniLoses {
                what: what.to_owned(),
            });
        }
    }

    pub(super) fn done(mut self) {
        self.flush();
        (self.emit)(Frame::Done);
    }

    pub(super) fn failed(mut self, why: String) {
        self.flush();
        (self.emit)(Frame::Failed { why });
    }

    fn flush(&mut self) {
        self.since = Instant::now();
        if !self.piece.is_empty() {
            let text = std::mem::take(&mut self.piece);
            (self.emit)(Frame::Text { text });
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    text.chars().take(200).collect()
}
