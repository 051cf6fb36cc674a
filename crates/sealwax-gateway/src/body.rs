//! Response bodies: streamed, never gathered. Back-pressure comes of itself: a
//! part is only taken when the client has room for it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::activity::Busy;
use crate::fields::Lines;
use crate::log::Access;
use crate::upload::Failure;
use crate::upstream::{Download, Wire};

/// Why a body stopped before its end. Who sends it answers by breaking off the
/// message, so that nobody takes a part for the whole.
#[derive(Debug)]
pub(crate) enum Broken {
    Client,
    Upstream(Box<dyn std::error::Error + Send + Sync>),
    Idle,
    Unread,
    Late,
    Slow,
    TooLarge,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Broken::Client => "the client broke off its request",
            Broken::Upstream(_) => "the app broke off its response",
            Broken::Idle => "nothing came for too long",
            Broken::Unread => "the client did not read the response for too long",
            Broken::Late => "all of it took longer than timeouts.total",
            Broken::Slow => "the client sent its request too slowly",
            Broken::TooLarge => "the request body is too long",
        })
    }
}

impl std::error::Error for Broken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Broken::Upstream(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Idle(_) => Broken::Idle,
            Failure::Total(_) => Broken::Late,
            Failure::Slow(_) => Broken::Slow,
            Failure::Broken | Failure::Malformed(_) => Broken::Client,
            Failure::TooLarge(_) => Broken::TooLarge,
        }
    }
}

/// A response body on its way to the client, and what lives as long as it.
pub(crate) struct Body {
    kind: Kind,
    /// Keeps the connection from counting as idle.
    busy: Option<Busy>,
    /// The access record, written when the response is over.
    access: Option<Box<Access>>,
    /// The app's side of the tunnel that a 101 opens.
    switched: Option<Box<Wire>>,
    /// Fields of the head that are in no map: the app's that nobody judges, and
    /// those that the policy adds.
    lines: Lines,
}

enum Kind {
    Own(Option<Bytes>),
    App(Download),
}

impl Body {
    pub(crate) fn own(bytes: Bytes) -> Self {
        let bytes = (!bytes.is_empty()).then_some(bytes);
        Self::of(Kind::Own(bytes))
    }

    /// A 101, and the connection on which the app has switched.
    pub(crate) fn switched(app: Wire) -> Self {
        Self {
            switched: Some(Box::new(app)),
            ..Self::own(Bytes::new())
        }
    }

    pub(crate) fn app(download: Download) -> Self {
        Self::of(Kind::App(download))
    }

    /// It will not be sent to its end.
    pub(crate) fn break_off(&mut self) {
        if let Some(access) = &mut self.access {
            access.set_whole(false);
        }
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            busy: None,
            access: None,
            switched: None,
            lines: Lines::default(),
        }
    }

    pub(crate) fn beside(self, lines: Lines) -> Self {
        Self { lines, ..self }
    }

    /// Fields for the head, as HTTP/1.1 writes them.
    pub(crate) fn lines(&self) -> &Lines {
        &self.lines
    }

    pub(crate) fn take_switched(&mut self) -> Option<Box<Wire>> {
        self.switched.take()
    }

    /// Ties the end of the request to the end of this body.
    pub(crate) fn carrying(mut self, busy: Busy, mut access: Option<Box<Access>>) -> Self {
        if let Some(access) = &mut access {
            // A body of the app's counts as whole when its end has been seen, and
            // not when the client has gone before.
            let own = matches!(self.kind, Kind::Own(_));
            access.set_whole(own || http_body::Body::is_end_stream(&self));
            if let Kind::Own(Some(bytes)) = &self.kind {
                access.count(bytes.len());
            }
        }
        self.busy = Some(busy);
        self.access = access;
        self
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        let frame = match &mut this.kind {
            Kind::Own(bytes) => {
                return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))));
            }
            Kind::App(download) => ready!(download.poll_frame(cx)),
        };
        if let Some(mut access) = this.access.take() {
            match &frame {
                Some(Ok(frame)) => {
                    access.count(frame.data_ref().map_or(0, Bytes::len));
                    access.set_whole(frame.is_trailers() || this.is_end_stream());
                }
                Some(Err(_)) => access.set_whole(false),
                None => access.set_whole(true),
            }
            this.access = Some(access);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Own(bytes) => bytes.is_none(),
            Kind::App(download) => download.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Own(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Kind::App(download) => download.size_hint(),
        }
    }
}
