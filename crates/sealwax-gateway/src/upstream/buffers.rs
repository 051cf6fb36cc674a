//! The buffers that responses are read into: each worker keeps a few, so that a
//! connection has one only while there is something in it.
//!
//! A buffer is handed back while slices of it are still on their way to the
//! client; it is used again once they are gone.

use std::cell::RefCell;
use std::collections::VecDeque;

use bytes::BytesMut;

/// How much is read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// A head, and what came with it.
    Head,
    /// A body that is larger than what came with its head.
    Body,
}

impl Size {
    pub(super) const fn bytes(self) -> usize {
        match self {
            Size::Head => 16 * 1024,
            Size::Body => 128 * 1024,
        }
    }

    /// Buffers kept: what a busy worker has in turn.
    const fn kept(self) -> usize {
        match self {
            Size::Head => 32,
            Size::Body => 4,
        }
    }
}

#[derive(Default)]
struct Kept {
    heads: VecDeque<BytesMut>,
    bodies: VecDeque<BytesMut>,
}

impl Kept {
    fn of(&mut self, size: Size) -> &mut VecDeque<BytesMut> {
        match size {
            Size::Head => &mut self.heads,
            Size::Body => &mut self.bodies,
        }
    }
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

/// An empty buffer with room for `size`.
pub(super) fn take(size: Size) -> BytesMut {
    KEPT.with_borrow_mut(|kept| {
        let kept = kept.of(size);
        // The one used last is warm; the one used longest ago is the likeliest
        // to be free. One that is not goes to the end, so that a client which
        // does not read cannot hold up the rest.
        let last = kept.pop_back().and_then(|last| reclaim(last, size, kept));
        let found = last.or_else(|| {
            let oldest = kept.pop_front()?;
            reclaim(oldest, size, kept)
        });
        found.unwrap_or_else(|| BytesMut::with_capacity(size.bytes()))
    })
}

fn reclaim(mut buffer: BytesMut, size: Size, kept: &mut VecDeque<BytesMut>) -> Option<BytesMut> {
    if buffer.try_reclaim(size.bytes()) {
        return Some(buffer);
    }
    kept.push_back(buffer);
    None
}

/// Hands a buffer back; nothing in it is kept.
pub(super) fn give(mut buffer: BytesMut, size: Size) {
    buffer.clear();
    // At the end of a thread there may be nobody left to keep it.
    let _ = KEPT.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        let kept = kept.of(size);
        if kept.len() < size.kept() {
            kept.push_back(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_buffer_is_used_again_when_all_of_it_is_gone() {
        let mut first = take(Size::Body);
        let at = first.as_ptr();
        first.resize(Size::Body.bytes(), 1);
        let slice = first.split_to(Size::Body.bytes()).freeze();
        give(first, Size::Body);
        drop(slice);
        assert_eq!(take(Size::Body).as_ptr(), at);
    }

    #[test]
    fn a_buffer_is_used_again_when_nobody_reads_from_it() {
        let mut first = take(Size::Head);
        let at = first.as_ptr();
        first.extend_from_slice(b"hello");
        let slice = first.split_to(5).freeze();
        give(first, Size::Head);
        let mut second = take(Size::Head);
        assert_eq!((second.len(), second.capacity()), (0, Size::Head.bytes()));
        second.extend_from_slice(b"other");
        assert_eq!(&*slice, b"hello");
        give(second, Size::Head);
        drop(slice);
        let both = [take(Size::Head), take(Size::Head)];
        assert!(both.iter().any(|buffer| buffer.as_ptr() == at));
    }
}
