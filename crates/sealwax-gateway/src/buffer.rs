//! Memory for what has been read and not used yet. A connection at rest holds
//! none: blocks go back to the thread's pool when they are empty.

use std::cell::RefCell;

/// One block: a head with room to spare, or a TLS record.
pub(crate) const BLOCK: usize = 16 * 1024;

/// A block for a body that comes faster than it is read: a read and a write on
/// to the app cost much the same whatever they move.
const LARGE_BLOCK: usize = 64 * 1024;

/// Blocks kept for the next reader; what a burst has used beyond is freed.
const MAX_KEPT: usize = 64;
const MAX_KEPT_LARGE: usize = 4;

struct Pool {
    blocks: Vec<Box<[u8]>>,
    large: Vec<Box<[u8]>>,
}

thread_local! {
    static POOL: RefCell<Pool> = const {
        RefCell::new(Pool {
            blocks: Vec::new(),
            large: Vec::new(),
        })
    };
}

/// Bytes in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// Empty, or a block (or more, for a long head); cleared once when it was
    /// allocated, never again.
    block: Box<[u8]>,
    start: usize,
    end: usize,
    /// The last read brought a block or more, so the next may bring more still.
    flows: bool,
}

impl Buffer {
    pub(crate) fn filled(&self) -> &[u8] {
        self.block.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Where the next bytes go; never empty. Grows only when all of it is in
    /// use, so the caller bounds it by what it leaves in here.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.block.is_empty() {
            self.block = take(if self.flows { LARGE_BLOCK } else { BLOCK });
        } else if self.end == self.block.len() {
            if self.start > 0 {
                self.block.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            } else {
                let mut longer = vec![0; self.block.len() * 2];
                let (old, _) = longer.split_at_mut(self.block.len());
                old.copy_from_slice(&self.block);
                self.block = longer.into_boxed_slice();
            }
        }
        self.block.get_mut(self.end..).unwrap_or_default()
    }

    /// So many bytes have been put into the space.
    pub(crate) fn fill(&mut self, count: usize) {
        self.end = self.block.len().min(self.end + count);
        self.flows = count >= BLOCK;
    }

    /// So many bytes have been used.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
        if self.is_empty() {
            self.release();
        }
    }

    /// Gives an empty block back.
    pub(crate) fn release(&mut self) {
        if !self.is_empty() {
            return;
        }
        (self.start, self.end) = (0, 0);
        give(std::mem::take(&mut self.block));
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        give(std::mem::take(&mut self.block));
    }
}

fn take(length: usize) -> Box<[u8]> {
    let kept = POOL.with_borrow_mut(|pool| match length {
        LARGE_BLOCK => pool.large.pop(),
        _ => pool.blocks.pop(),
    });
    kept.unwrap_or_else(|| vec![0; length].into_boxed_slice())
}

/// Blocks of other lengths were an exception.
fn give(block: Box<[u8]>) {
    // While the thread ends there may be no pool any more.
    let _ = POOL.try_with(|pool| {
        let Ok(mut pool) = pool.try_borrow_mut() else {
            return;
        };
        let (kept, most) = match block.len() {
            BLOCK => (&mut pool.blocks, MAX_KEPT),
            LARGE_BLOCK => (&mut pool.large, MAX_KEPT_LARGE),
            _ => return,
        };
        if kept.len() < most {
            kept.push(block);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(buffer: &mut Buffer, bytes: &[u8]) {
        for byte in bytes {
            buffer.space()[0] = *byte;
            buffer.fill(1);
        }
    }

    #[test]
    fn at_rest_it_holds_nothing() {
        let mut buffer = Buffer::default();
        assert!(buffer.block.is_empty());
        put(&mut buffer, b"GET");
        assert_eq!(buffer.filled(), b"GET");
        buffer.consume(1);
        assert_eq!((buffer.filled(), buffer.len()), (&b"ET"[..], 2));
        buffer.consume(2);
        assert!(buffer.block.is_empty() && buffer.is_empty());
        assert_eq!(buffer.space().len(), BLOCK, "from the pool");
        buffer.release();
        assert!(buffer.block.is_empty());
    }

    #[test]
    fn a_body_that_flows_gets_a_large_block() {
        let mut buffer = Buffer::default();
        buffer.space().fill(1);
        buffer.fill(BLOCK);
        assert_eq!(buffer.block.len(), BLOCK);
        buffer.consume(BLOCK);
        assert_eq!(buffer.space().len(), LARGE_BLOCK);
        buffer.fill(100);
        buffer.consume(100);
        assert_eq!(buffer.space().len(), BLOCK, "it has come to an end");
    }

    #[test]
    fn it_grows_only_when_all_of_it_is_in_use() {
        let mut buffer = Buffer::default();
        let bytes: Vec<u8> = (0..BLOCK).map(|at| at as u8).collect();
        put(&mut buffer, &bytes);
        buffer.consume(100);
        put(&mut buffer, &[7; 100]);
        assert_eq!(buffer.block.len(), BLOCK);
        put(&mut buffer, &[8]);
        assert_eq!(buffer.block.len(), 2 * BLOCK);
        assert_eq!(buffer.len(), BLOCK + 1);
        assert_eq!(&buffer.filled()[..BLOCK - 100], &bytes[100..]);
        assert_eq!(&buffer.filled()[BLOCK - 100..BLOCK], &[7; 100]);
    }
}
