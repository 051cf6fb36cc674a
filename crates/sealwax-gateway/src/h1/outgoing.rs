//! What goes to the client, in as few writes as can be: head, framing and
//! content leave together.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use sealwax_h1::write;
use tokio::io::AsyncWrite as _;

use super::response::Framing;
use crate::fields;
use crate::stream::Stream;

/// Heads longer than this do not stay in the pool.
const KEPT: usize = 16 * 1024;

thread_local! {
    /// Memory for the next head: a response in flight needs it for one write
    /// only, as a rule.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The next bytes: `lead`, `data`, `tail`, in this order.
pub(super) struct Outgoing {
    /// A head, or the framing of a chunk.
    lead: Vec<u8>,
    data: Bytes,
    tail: &'static [u8],
    /// How much of the three has been taken.
    taken: usize,
}

impl Outgoing {
    /// Memory for a head; [`Self::lead`] is what has been put there.
    pub(super) fn begin() -> Self {
        Self {
            lead: SPARE.take(),
            data: Bytes::new(),
            tail: &[],
            taken: 0,
        }
    }

    pub(super) fn lead(&mut self) -> &mut Vec<u8> {
        &mut self.lead
    }

    /// Whether content can be put behind what is there.
    pub(super) fn has_room(&self) -> bool {
        self.data.is_empty() && self.tail.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.taken == self.lead.len() + self.data.len() + self.tail.len()
    }

    /// Puts content behind what is there, where there is room.
    pub(super) fn content(&mut self, data: Bytes, framing: Framing, is_last: bool) {
        let chunked = framing == Framing::Chunked;
        if data.is_empty() {
            // An empty chunk would be the last.
            if chunked && is_last {
                self.tail = write::LAST_CHUNK;
            }
            return;
        }
        if chunked {
            let head = write::chunk_head(data.len());
            self.lead.extend_from_slice(head.as_ref());
            self.tail = if is_last {
                b"\r\n0\r\n\r\n"
            } else {
                write::CHUNK_END
            };
        }
        self.data = data;
    }

    /// The end of a chunked body with trailers.
    pub(super) fn trailers(&mut self, trailers: &http::HeaderMap) {
        fields::write_trailers(&mut self.lead, trailers);
    }

    /// Hands everything to the stream (which is not to say that it has left), and
    /// waits until that would take more: while the client does not read, nothing
    /// is read for it.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let mut skip = self.taken;
            let mut rest = |part: &'_ [u8]| {
                let from = skip.min(part.len());
                skip -= from;
                from
            };
            let (lead, data, tail) = (rest(&self.lead), rest(&self.data), rest(self.tail));
            let slices = [
                IoSlice::new(self.lead.get(lead..).unwrap_or_default()),
                IoSlice::new(self.data.get(data..).unwrap_or_default()),
                IoSlice::new(self.tail.get(tail..).unwrap_or_default()),
            ];
            let count = ready!(Pin::new(&mut *stream).poll_write_vectored(cx, &slices))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.taken += count;
        }
        self.lead.clear();
        (self.data, self.tail, self.taken) = (Bytes::new(), &[], 0);
        stream.poll_room(cx)
    }

    /// The same, and on to the socket.
    pub(super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_write(cx, stream))?;
        Pin::new(stream).poll_flush(cx)
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let mut lead = std::mem::take(&mut self.lead);
        if (1..=KEPT).contains(&lead.capacity()) {
            lead.clear();
            // While the thread ends there may be no place any more.
            let _ = SPARE.try_with(|spare| spare.set(lead));
        }
    }
}

#[cfg(test)]
mod tests;
