//! The futures of one connection, all polled within its own task.
//!
//! A task for each stream would be allocated, queued and woken apart from its
//! connection, and every answer would wake the connection in turn. Here each
//! future has a waker that only notes who it was for; the connection looks at
//! the notes until there are none, and then sends all answers at once.
//!
//! ```text
//!  upstream socket, timer ──▶ waker of a stream ──┐
//!                                                 ├──▶ notes ──▶ the task, unless it runs already
//!  client socket, HTTP/2  ──▶ waker of connection ┘
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use slab::Slab;
use tokio::task::coop;

use super::worker::{Job, Worker};

/// The streams of one connection that are being answered.
pub(super) struct Tasks {
    notes: Arc<Notes>,
    connection: Waker,
    streams: Slab<Running>,
    /// Whose turn it is; kept for its memory.
    turn: Vec<usize>,
}

struct Running {
    worker: Worker,
    note: Arc<Note>,
    waker: Waker,
}

/// Who has been woken. Locks are never held for longer than a few instructions,
/// and all wakers but those of foreign runtimes are on this thread.
#[derive(Default)]
struct Notes {
    state: Mutex<State>,
    /// The connection itself wants to be polled.
    connection: AtomicBool,
}

#[derive(Default)]
struct State {
    woken: Vec<usize>,
    /// The task, while it is not running: whoever leaves the first note wakes
    /// it.
    task: Option<Waker>,
}

/// One stream's waker.
struct Note {
    key: usize,
    /// It is among the woken already.
    left: AtomicBool,
    notes: Arc<Notes>,
}

impl Notes {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic halfway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.left.swap(true, Ordering::AcqRel) {
            return;
        }
        let task = {
            let mut state = self.notes.state();
            state.woken.push(self.key);
            state.task.take()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

/// The connection's own waker.
impl Wake for Notes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.connection.swap(true, Ordering::AcqRel) {
            return;
        }
        let task = self.state().task.take();
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Tasks {
    pub(super) fn new() -> Self {
        let notes = Arc::<Notes>::default();
        notes.connection.store(true, Ordering::Release);
        Self {
            connection: Waker::from(Arc::clone(&notes)),
            notes,
            streams: Slab::new(),
            turn: Vec::new(),
        }
    }

    /// The waker for all that is the connection's own.
    pub(super) fn connection(&self) -> Waker {
        self.connection.clone()
    }

    /// Whether the connection has been woken since this was last asked.
    pub(super) fn take_connection(&self) -> bool {
        self.notes.connection.swap(false, Ordering::AcqRel)
    }

    /// Has the connection polled (again) in this turn or the next.
    pub(super) fn wake_connection(&self) {
        self.notes.connection.store(true, Ordering::Release);
    }

    /// Begins to answer a stream; it has its first turn with the others.
    pub(super) fn begin(&mut self, job: Job) {
        let entry = self.streams.vacant_entry();
        let key = entry.key();
        let note = Arc::new(Note {
            key,
            left: AtomicBool::new(true),
            notes: Arc::clone(&self.notes),
        });
        entry.insert(Running {
            worker: Worker::hire(job),
            waker: Waker::from(Arc::clone(&note)),
            note,
        });
        self.notes.state().woken.push(key);
    }

    /// Polls every stream that has been woken, once. False when the task has had
    /// its share of the runtime's time and some are left.
    pub(super) fn poll_streams(&mut self) -> bool {
        let mut turn = std::mem::take(&mut self.turn);
        std::mem::swap(&mut turn, &mut self.notes.state().woken);
        let mut polled = 0;
        for key in &turn {
            if !coop::has_budget_remaining() {
                break;
            }
            polled += 1;
            // A late waker may speak for a stream that is over.
            let Some(running) = self.streams.get_mut(*key) else {
                continue;
            };
            running.note.left.store(false, Ordering::Release);
            let over = running
                .worker
                .poll(&mut Context::from_waker(&running.waker));
            if over {
                self.streams.remove(*key).worker.dismiss();
            }
        }
        turn.drain(..polled);
        let all = turn.is_empty();
        self.notes.state().woken.append(&mut turn);
        self.turn = turn;
        all
    }

    /// Whether anything has been noted that the task has not looked at.
    pub(super) fn is_woken(&self) -> bool {
        self.notes.connection.load(Ordering::Acquire) || !self.notes.state().woken.is_empty()
    }

    /// The task rests: from now on a note wakes it, and so does one that is
    /// there already.
    pub(super) fn rest(&self, task: &Waker) {
        let mut state = self.notes.state();
        let woken = self.notes.connection.load(Ordering::Acquire) || !state.woken.is_empty();
        if woken {
            drop(state);
            task.wake_by_ref();
        } else {
            state.task = Some(task.clone());
        }
    }

    /// The task runs: nobody need wake it.
    pub(super) fn run(&self) {
        self.notes.state().task = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Counts how often the task is woken.
    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_task_at_rest_is_woken_once_and_one_that_runs_never() {
        let task = Arc::<Task>::default();
        let waker = Waker::from(Arc::clone(&task));
        let woken = || task.0.load(Ordering::Relaxed);
        let tasks = Tasks::new();
        let note = Waker::from(Arc::new(Note {
            key: 7,
            left: AtomicBool::new(false),
            notes: Arc::clone(&tasks.notes),
        }));

        tasks.run();
        assert!(tasks.take_connection(), "it begins with a look");
        assert!(!tasks.take_connection() && !tasks.is_woken());
        note.wake_by_ref();
        tasks.connection().wake();
        assert_eq!(woken(), 0, "it runs");
        assert!(tasks.is_woken());
        assert_eq!(tasks.notes.state().woken, [7]);
        tasks.rest(&waker);
        assert_eq!(woken(), 1, "there is something left to do");

        tasks.run();
        assert!(tasks.take_connection());
        tasks.notes.state().woken.clear();
        assert!(!tasks.is_woken());
        tasks.rest(&waker);
        assert_eq!(woken(), 1);
        note.wake_by_ref();
        assert_eq!(woken(), 1, "it has been noted before, and not looked at");
        tasks.connection().wake();
        tasks.connection().wake();
        assert_eq!(woken(), 2, "once");
    }

    #[test]
    fn a_late_waker_speaks_for_nobody() {
        let mut tasks = Tasks::new();
        tasks.notes.state().woken.extend([3, 3, 5]);
        assert!(tasks.poll_streams());
        assert!(tasks.notes.state().woken.is_empty());
    }
}
