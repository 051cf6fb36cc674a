//! Without the feature `bind` there is nothing that cookies could be bound by, and this is all that
//! the rest of the crate sees of it.

use http::header::HeaderMap;
use http::request::Parts;
use sealwax_cookie::OpenedCookie;

use crate::answer::Answer;
use crate::explain::Recorder;

/// There is none.
#[derive(Debug, Clone)]
pub(crate) enum Bind {}

impl Bind {
    pub(crate) fn covers(&self, _: &[u8]) -> bool {
        match *self {}
    }
}

pub(crate) fn answer(
    bind: &Bind,
    _: &Came,
    _: &Parts,
    _: &str,
    _: u64,
    _: &mut Recorder,
) -> Option<(Answer, Option<Leaving>)> {
    match *bind {}
}

pub(crate) fn judge(
    bind: &Bind,
    _: &Came,
    _: &Parts,
    _: Fetch,
    _: &str,
    _: u64,
    _: &mut Recorder,
) -> Option<Answer> {
    match *bind {}
}

#[derive(Default)]
pub(crate) struct Came(());

impl Came {
    pub(crate) fn read<'h>(
        bind: &Bind,
        _: impl Iterator<Item = &'h [u8]>,
        _: bool,
        _: &str,
        _: u64,
        _: &mut Recorder,
    ) -> Self {
        match *bind {}
    }

    pub(crate) fn without_cookies(_: &HeaderMap) -> Self {
        Self(())
    }

    pub(crate) fn is_skipped(_: &HeaderMap) -> bool {
        false
    }

    pub(crate) fn is_ours(_: &[u8]) -> bool {
        false
    }

    /// Whoever writes notes knows more than this one.
    pub(crate) fn is_bound(note: &[u8]) -> bool {
        !note.is_empty()
    }

    pub(crate) fn admit(
        &mut self,
        bind: &Bind,
        _: &[u8],
        _: &OpenedCookie,
        _: &mut Recorder,
    ) -> bool {
        match *bind {}
    }

    pub(crate) fn into_unbound(self) -> impl Iterator<Item = OpenedCookie> {
        std::iter::empty()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Fetch;

impl Fetch {
    pub(crate) fn of(_: &Parts) -> Self {
        Self
    }
}

/// What is left to do: nothing, since nobody can make one.
#[derive(Debug)]
pub(crate) enum Leaving {}

impl Leaving {
    pub(crate) fn of(
        bind: &Bind,
        _: Came,
        _: Fetch,
        _: &str,
        _: u64,
        _: &mut Vec<OpenedCookie>,
    ) -> Option<Self> {
        match *bind {}
    }

    pub(crate) fn note(&mut self, _: &[u8], _: Option<&[u8]>, _: &mut Recorder) -> Vec<u8> {
        match *self {}
    }

    pub(crate) fn keeps(&self, _: &[u8]) -> bool {
        match *self {}
    }

    pub(crate) fn is_for_one(&self) -> bool {
        match *self {}
    }

    pub(crate) fn offer_nothing(&mut self) {
        match *self {}
    }

    pub(crate) fn delete_mark(&mut self, _: &mut HeaderMap) {
        match *self {}
    }

    pub(crate) fn finish(self, _: &Bind, _: &str, _: &mut HeaderMap, _: &mut Recorder) -> bool {
        match self {}
    }
}
