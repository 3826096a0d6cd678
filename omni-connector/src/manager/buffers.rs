//! Reuses buffers.
//!
//! One thread fills a buffer and another frees it, so the system allocator makes them wait for each other. Reusing a buffer
//! avoids allocating and freeing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// A pool of empty buffers.
#[derive(Debug)]
pub(super) struct Buffers {
    free: Mutex<Vec<Vec<u8>>>,
    /// The most buffers kept.
    count: usize,
    /// The largest capacity kept. A larger buffer held an unusual value and is freed.
    longest: usize,
}

impl Buffers {
    pub(super) const fn new(count: usize, longest: usize) -> Self {
        Self {
            free: Mutex::new(Vec::new()),
            count,
            longest,
        }
    }

    /// Takes an empty buffer.
    pub(super) fn take(&self) -> Vec<u8> {
        self.free().pop().unwrap_or_default()
    }

    /// Returns a buffer to the pool.
    pub(super) fn give(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() > self.longest {
            return;
        }
        buffer.clear();
        let mut free = self.free();
        if free.len() < self.count {
            free.push(buffer);
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Recovers the buffer of a sent body. Returns an empty one if the client still holds the body, as it may after an error.
pub(super) fn only_owner(body: Bytes) -> Vec<u8> {
    body.try_into_mut().map_or_else(
        |_| Vec::new(),
        |mut body| {
            body.clear();
            Vec::from(body)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_unless_it_is_long_or_one_too_many() {
        let buffers = Buffers::new(2, 100);
        let [usual, long] = [100, 101].map(Vec::<u8>::with_capacity);
        let address = usual.as_ptr();
        for buffer in [long, usual] {
            buffers.give(buffer);
        }
        let mut again = buffers.take();
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
        again.extend(b"text");
        for buffer in [again, vec![1], vec![2]] {
            buffers.give(buffer);
        }
        assert_eq!(buffers.free().len(), 2);
        assert!(buffers.free().iter().all(Vec::is_empty));
    }

    #[test]
    fn the_buffer_of_a_body_is_had_back_when_nobody_else_holds_it() {
        let mut buffer = Vec::with_capacity(100);
        buffer.extend(b"body");
        let address = buffer.as_ptr();
        let body = Bytes::from(buffer);
        let held = body.clone();
        assert_eq!(only_owner(body).capacity(), 0);
        let buffer = only_owner(held);
        assert_eq!((buffer.as_ptr(), buffer.len()), (address, 0));
    }
}
