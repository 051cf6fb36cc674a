//! The open connections of one worker: how many there may be, who must leave
//! when they run short, and who is turned away.
//!
//! ```text
//!   0 ────────────────────────── 90 % ───────────── limit ─── reserve ──▶
//!      everybody is served        │  room is made    │  503     │ closed
//!                                 │  (idle first);   │
//!                                 │  a client with an eighth of all: 503
//! ```
//!
//! What is in use is never touched: a connection leaves between two requests.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use slab::Slab;
use tokio::sync::Notify;

use crate::activity::{Activity, Waiting};
use crate::clients::Counted;

/// A client may be in its handshake or its first head for so long before it
/// counts as one who only holds a place.
const SLOW: Duration = Duration::from_secs(1);

/// Looking for room costs a glance at every connection; where there was none,
/// it is not looked for again at once.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Connections in a second that are told why they are turned away: a TLS
/// handshake is what shedding load should save.
const TOLD_A_SECOND: usize = 100;

/// Why a connection is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overload {
    /// Its client holds so many, which is `limits.client_connections`.
    Client(usize),
    /// Connections run short, and its client holds more than so many, its
    /// share.
    Share(usize),
    /// The worker serves so many, and cannot serve more.
    Full(usize),
}

impl fmt::Display for Overload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Overload::Client(limit) => write!(
                f,
                "its client holds {limit} already; limits.client_connections sets that limit, and proxies.trusted names whom it does not concern"
            ),
            Overload::Share(share) => write!(
                f,
                "connections run short, and its client holds more than {share} of them; raise the limit of open files (ulimit -n, LimitNOFILE), or name it in proxies.trusted if it is a proxy"
            ),
            Overload::Full(limit) => write!(
                f,
                "as many as this worker may serve, {limit}, are open; raise the limit of open files (ulimit -n, LimitNOFILE)"
            ),
        }
    }
}

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// Served by one worker.
    limit: usize,
    /// From here on room is made.
    near: usize,
    /// Room is made until so many are left.
    low: usize,
    /// Turned away by one worker at a time, beside those that are served.
    reserve: usize,
    /// What one client may hold of all workers' when they run short.
    share: usize,
}

impl Capacity {
    /// `descriptors` are what each of `workers` may use for clients.
    pub(crate) fn new(descriptors: usize, workers: usize) -> Self {
        let reserve = (descriptors / 16).clamp(2, 64);
        let limit = descriptors.saturating_sub(reserve).max(1);
        Self {
            limit,
            near: limit - limit / 10,
            low: limit - limit / 8,
            reserve,
            share: (limit.saturating_mul(workers) / 8).max(1),
        }
    }
}

/// Every open connection of a worker.
pub(crate) struct Crowd {
    capacity: Capacity,
    places: RefCell<Slab<Place>>,
    /// Of them, those that are turned away.
    turned_away: Cell<usize>,
    /// Of them, those that have been told to leave.
    leaving: Cell<usize>,
    draining: Cell<bool>,
    /// When no room was found the last time.
    looked: Cell<Option<Instant>>,
    /// How many were told why they are turned away, in the second that began
    /// then.
    told: Cell<(Option<Instant>, usize)>,
    all_closed: Notify,
}

struct Place {
    activity: Rc<Activity>,
    /// Whom to wake when the connection must leave.
    waker: Option<Waker>,
    leaves: bool,
}

impl Crowd {
    pub(crate) fn new(capacity: Capacity) -> Rc<Self> {
        Rc::new(Self {
            capacity,
            places: RefCell::default(),
            turned_away: Cell::new(0),
            leaving: Cell::new(0),
            draining: Cell::new(false),
            looked: Cell::new(None),
            told: Cell::new((None, 0)),
            all_closed: Notify::new(),
        })
    }

    /// A place for a connection that is served.
    pub(crate) fn serve(self: &Rc<Self>, counted: Counted) -> Open {
        self.place(Some(counted), None)
    }

    /// A place in the reserve, for a connection that is told why it is turned
    /// away; `None` where it can only be closed.
    pub(crate) fn turn_away(self: &Rc<Self>, why: Overload) -> Option<Open> {
        if self.turned_away.get() >= self.capacity.reserve || !self.may_tell(Instant::now()) {
            return None;
        }
        self.turned_away.set(self.turned_away.get() + 1);
        Some(self.place(None, Some(why)))
    }

    fn may_tell(&self, now: Instant) -> bool {
        let (since, told) = self.told.get();
        match since.filter(|since| now.saturating_duration_since(*since).as_secs() == 0) {
            Some(_) if told >= TOLD_A_SECOND => return false,
            Some(since) => self.told.set((Some(since), told + 1)),
            None => self.told.set((Some(now), 1)),
        }
        true
    }

    fn place(self: &Rc<Self>, counted: Option<Counted>, overload: Option<Overload>) -> Open {
        let activity = Activity::new();
        let place = self.places.borrow_mut().insert(Place {
            activity: Rc::clone(&activity),
            waker: None,
            leaves: false,
        });
        Open {
            crowd: Rc::clone(self),
            place,
            activity,
            overload,
            _counted: counted,
        }
    }

    /// Connections of any kind.
    pub(crate) fn len(&self) -> usize {
        self.places.borrow().len()
    }

    fn served(&self) -> usize {
        self.len() - self.turned_away.get()
    }

    /// Whether connections run short.
    pub(crate) fn is_short(&self) -> bool {
        self.served() >= self.capacity.near
    }

    /// Whether there is a place left for one more.
    pub(crate) fn is_full(&self) -> Option<Overload> {
        let limit = self.capacity.limit;
        (self.served() >= limit).then_some(Overload::Full(limit))
    }

    /// Whether a client with so many connections has more than its share.
    pub(crate) fn is_greedy(&self, held: usize) -> Option<Overload> {
        let share = self.capacity.share;
        (held > share).then_some(Overload::Share(share))
    }

    /// Tells connections to leave that are not in use, until few enough will be
    /// left: those at rest, the oldest first; then those that have not managed
    /// a request yet. True when there are any that will leave.
    pub(crate) fn make_room(&self) -> bool {
        let leaving = self.leaving.get();
        let staying = self.served().saturating_sub(leaving);
        let surplus = staying.saturating_sub(self.capacity.low);
        let now = Instant::now();
        let just_looked = self
            .looked
            .get()
            .is_some_and(|at| now.saturating_duration_since(at) < LOOK_AGAIN);
        if surplus == 0 || just_looked {
            return leaving > 0;
        }
        let found = self.dispensable(surplus);
        if found.len() < surplus {
            self.looked.set(Some(now));
        }
        let mut places = self.places.borrow_mut();
        for at in found {
            if let Some(place) = places.get_mut(at) {
                place.leaves = true;
                self.leaving.set(self.leaving.get() + 1);
                place.waker.iter().for_each(Waker::wake_by_ref);
            }
        }
        self.leaving.get() > 0
    }

    /// At most `count` places, those that are least of use first.
    fn dispensable(&self, count: usize) -> Vec<usize> {
        let places = self.places.borrow();
        let mut found: Vec<(bool, tokio::time::Instant, usize)> = places
            .iter()
            .filter(|(_, place)| !place.leaves)
            .filter_map(|(at, place)| match place.activity.waiting() {
                Waiting::Idle(since) => Some((false, since, at)),
                Waiting::Head(since) if since.elapsed() > SLOW => Some((true, since, at)),
                Waiting::Head(_) | Waiting::Busy => None,
            })
            .collect();
        // The idle ones first, and of those who wait for longest.
        found.sort_unstable();
        found.truncate(count);
        found.into_iter().map(|(.., at)| at).collect()
    }

    /// Every connection ends when it has nothing more to do.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        for (_, place) in self.places.borrow().iter() {
            place.waker.iter().for_each(Waker::wake_by_ref);
        }
    }

    /// Ready when the last connection has closed, where there is one.
    pub(crate) fn all_closed(&self) -> impl Future<Output = ()> {
        self.all_closed.notified()
    }
}

/// An open connection: it is counted, and hears when it should end.
pub(crate) struct Open {
    crowd: Rc<Crowd>,
    place: usize,
    activity: Rc<Activity>,
    overload: Option<Overload>,
    _counted: Option<Counted>,
}

/// Whether a connection should go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    Stay,
    /// It should end as soon as it has nothing to do: the process is about to.
    Drain,
    /// The same, and at once where it has no request yet: its place is needed.
    Leave,
}

impl Open {
    pub(crate) fn activity(&self) -> &Rc<Activity> {
        &self.activity
    }

    /// Why the connection is turned away, if it is.
    pub(crate) fn overload(&self) -> Option<Overload> {
        self.overload
    }

    /// Whether the connection should end. The task is woken when that changes.
    pub(crate) fn outlook(&self, cx: &Context<'_>) -> Outlook {
        let mut places = self.crowd.places.borrow_mut();
        if let Some(place) = places.get_mut(self.place) {
            let waker = &mut place.waker;
            if waker
                .as_ref()
                .is_none_or(|known| !known.will_wake(cx.waker()))
            {
                *waker = Some(cx.waker().clone());
            }
            if place.leaves {
                return Outlook::Leave;
            }
        }
        match self.crowd.draining.get() {
            true => Outlook::Drain,
            false => Outlook::Stay,
        }
    }

    /// Whether the connection is to end with what it does now.
    pub(crate) fn ends(&self) -> bool {
        let places = self.crowd.places.borrow();
        let leaves = places.get(self.place).is_some_and(|place| place.leaves);
        leaves || self.crowd.draining.get()
    }

    /// The same; the task is woken when it is.
    pub(crate) fn is_ending(&self, cx: &Context<'_>) -> bool {
        self.outlook(cx) != Outlook::Stay
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let crowd = &self.crowd;
        let mut places = crowd.places.borrow_mut();
        if places
            .try_remove(self.place)
            .is_some_and(|place| place.leaves)
        {
            crowd.leaving.set(crowd.leaving.get().saturating_sub(1));
        }
        if self.overload.is_some() {
            let turned_away = crowd.turned_away.get();
            crowd.turned_away.set(turned_away.saturating_sub(1));
        }
        if places.is_empty() {
            crowd.all_closed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
