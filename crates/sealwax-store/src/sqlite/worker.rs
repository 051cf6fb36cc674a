//! A thread with one connection, and the queue in front of it.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{PATIENCE, failure};
use crate::StoreError;

/// How many may wait: then the disk is too slow for what is asked of it.
const QUEUE: usize = 1_024;
/// How many share one commit.
const SHARING: usize = 256;

/// Whether what waits together is done in one transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Batching {
    /// One by one: for reads.
    None,
    /// In one transaction, answered after its commit.
    OneCommit,
}

pub(super) struct Worker {
    place: String,
    queue: SyncSender<Job>,
}

struct Job {
    /// Runs the statement, or learns why it cannot be run.
    run: Run,
    /// Until when it is worth waiting for a lock.
    deadline: Instant,
}

type Run = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Answer + Send>;
/// Sends the result on its way, or the error that undid it.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

impl Worker {
    /// Starts the thread; it ends when the `Worker` and all that waits are gone.
    pub(super) fn start(
        connection: Connection,
        place: &str,
        batching: Batching,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let own = place.to_owned();
        std::thread::Builder::new()
            .name("sealwax-sqlite".into())
            .spawn(move || work(&connection, &jobs, &own, batching))?;
        Ok(Self {
            place: place.to_owned(),
            queue,
        })
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        statement: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let place = self.place.clone();
        let run = move |connection: Result<&Connection, StoreError>| -> Answer {
            let result = connection.and_then(|connection| {
                statement(connection).map_err(|error| failure(&place, &error))
            });
            // Whoever asked may have left; that changes nothing here.
            Box::new(move |kept| drop(sender.send(kept.and(result))))
        };
        let job = Job {
            run: Box::new(run),
            deadline: Instant::now() + PATIENCE,
        };
        let gone = || {
            let mend = "start the process again";
            StoreError::unavailable(&self.place, "its thread has ended", mend)
        };
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::unavailable(
                &self.place,
                format_args!("{QUEUE} requests wait for it already"),
                "its disk is too slow for this load: keep sessions in PostgreSQL or Redis",
            ),
            TrySendError::Disconnected(_) => gone(),
        })?;
        receiver.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn work(connection: &Connection, jobs: &Receiver<Job>, place: &str, batching: Batching) {
    while let Ok(first) = jobs.recv() {
        let patience = first.deadline.saturating_duration_since(Instant::now());
        let ready = connection
            .busy_timeout(patience)
            .and_then(|()| match batching {
                Batching::None => Ok(()),
                // IMMEDIATE: a transaction that begins as a reader and then writes
                // fails without waiting when somebody has written in between.
                Batching::OneCommit => connection.execute_batch("BEGIN IMMEDIATE"),
            });
        match (ready, batching) {
            // Only the first has waited its time out; the next one waits for its own.
            (Err(error), _) => answer(first.run, Err(failure(place, &error))),
            (Ok(()), Batching::None) => answer(first.run, Ok(connection)),
            (Ok(()), Batching::OneCommit) => {
                // Taken after the lock: what arrived while it was waited for is in it.
                let others = std::iter::from_fn(|| jobs.try_recv().ok()).take(SHARING - 1);
                commit(connection, place, std::iter::once(first).chain(others));
            }
        }
    }
}

fn answer(run: Run, connection: Result<&Connection, StoreError>) {
    run(connection)(Ok(()));
}

fn commit(connection: &Connection, place: &str, jobs: impl Iterator<Item = Job>) {
    // A statement that fails undoes itself alone, and its asker learns of it.
    let answers: Vec<Answer> = jobs.map(|job| (job.run)(Ok(connection))).collect();
    let outcome = if connection.is_autocommit() {
        // Some errors, a full disk for one, undo the whole transaction.
        Err(StoreError::unavailable(
            place,
            "an error in the same transaction undid it",
            "see the other errors of this store at this time",
        ))
    } else {
        connection.execute_batch("COMMIT").map_err(|error| {
            // When this fails too there is nothing to undo.
            let _ = connection.execute_batch("ROLLBACK");
            failure(place, &error)
        })
    };
    for answer in answers {
        answer(outcome.clone());
    }
}
