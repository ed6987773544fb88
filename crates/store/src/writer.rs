//! SQLite's one writer, which commits in groups.
//!
//! A transaction is a savepoint inside the group's transaction: a failing, cancelled or panicking one rolls back alone.
//! Whoever holds the writer and sees nobody waiting behind it commits for the whole group, so a lone transaction commits at
//! once and a crowd shares one disk flush; nobody is told "done" before COMMIT. The surprising part is dropping: a
//! transaction abandoned half-way cannot roll back inside `drop`, so it leaves a mark and the next holder cleans up; and
//! BEGIN, RELEASE and COMMIT run in tasks of their own, so that a caller that is dropped leaves none of them half done.

use crate::Error;
use sqlx::{Executor as _, SqliteConnection};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

/// A group this large is committed even though more are waiting, so that the first ones are not kept waiting.
const GROUP_LIMIT: usize = 64;

/// The writer; clones share it.
#[derive(Clone)]
pub(crate) struct Writer {
    group: Arc<Mutex<Group>>,
    waiting: Arc<AtomicUsize>,
}

struct Group {
    conn: SqliteConnection,
    /// BEGIN was sent and COMMIT was not.
    open: bool,
    /// A savepoint was left behind by a transaction that was dropped.
    abandoned: bool,
    /// The savepoint of the last transaction of `done` is still there: its release goes with the next statement, because
    /// each statement is a trip to SQLite's thread and back.
    unreleased: bool,
    /// Transactions whose work is done and that wait for COMMIT.
    done: Vec<oneshot::Sender<Result<(), Error>>>,
}

/// One transaction, holding the writer.
pub(crate) struct WriterTx {
    group: Option<OwnedMutexGuard<Group>>,
    writer: Writer,
}

/// The writer's connection outside of any transaction.
pub(crate) struct Exclusive(OwnedMutexGuard<Group>);

impl Exclusive {
    pub(crate) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.0.conn
    }
}

/// Counts a transaction as waiting until it has the writer, or has given up.
struct Ticket {
    writer: Writer,
    served: bool,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.writer.waiting.fetch_sub(1, Ordering::AcqRel);
        if !self.served {
            // An earlier transaction may have relied on this one to commit the group.
            self.writer.commit_soon();
        }
    }
}

impl Writer {
    pub(crate) fn new(conn: SqliteConnection) -> Self {
        let group = Group { conn, open: false, abandoned: false, unreleased: false, done: Vec::new() };
        Self { group: Arc::new(Mutex::new(group)), waiting: Arc::new(AtomicUsize::new(0)) }
    }

    pub(crate) async fn begin(&self) -> Result<WriterTx, Error> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let mut ticket = Ticket { writer: self.clone(), served: false };
        let mut group = self.group.clone().lock_owned().await;
        ticket.served = true;
        drop(ticket);
        let writer = self.clone();
        uncancelled(async move {
            group.clean_up().await;
            group.start().await?;
            Ok(WriterTx { group: Some(group), writer })
        })
        .await
    }

    /// The connection with no transaction open, for what cannot run inside one.
    pub(crate) async fn exclusive(&self) -> Result<Exclusive, Error> {
        let mut group = self.group.clone().lock_owned().await;
        uncancelled(async move {
            group.clean_up().await;
            group.commit().await;
            Ok(Exclusive(group))
        })
        .await
    }

    /// Folds the write-ahead log into the file, as far as readers elsewhere let it.
    pub(crate) async fn checkpoint(&self) {
        if let Ok(mut exclusive) = self.exclusive().await {
            let _ = exclusive.conn().execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
        }
    }

    /// From a task of its own: what calls it is being dropped and cannot wait.
    fn commit_soon(&self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(self.clone().commit_if_idle());
        }
    }

    /// Commits what an abandoned or cancelled transaction left for others.
    async fn commit_if_idle(self) {
        let mut group = self.group.lock().await;
        group.clean_up().await;
        if self.waiting.load(Ordering::Acquire) == 0 {
            group.commit().await;
        }
    }
}

/// Runs to its end even if the caller is dropped: a statement that was sent but not waited for would leave nobody knowing
/// whether a transaction is open.
async fn uncancelled<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work).await.unwrap_or_else(|_| Err(lost()))
}

impl Group {
    async fn start(&mut self) -> Result<(), Error> {
        if self.open && std::mem::take(&mut self.unreleased) {
            if self.conn.execute("RELEASE tx; SAVEPOINT tx").await.is_ok() {
                return Ok(());
            }
            // The others' trouble: they hear of it and do it again, the new one begins afresh.
            self.give_up().await;
        }
        let start = if self.open { "SAVEPOINT tx" } else { "BEGIN IMMEDIATE; SAVEPOINT tx" };
        if let Err(error) = self.conn.execute(start).await {
            self.give_up().await;
            return Err(error.into());
        }
        self.open = true;
        Ok(())
    }

    async fn clean_up(&mut self) {
        if self.abandoned {
            self.undo().await;
        }
    }

    /// Undoes the last transaction alone. It cannot where SQLite has rolled back the whole group already: disk full.
    async fn undo(&mut self) {
        self.abandoned = false;
        if self.conn.execute("ROLLBACK TO tx; RELEASE tx").await.is_err() {
            self.give_up().await;
        }
    }

    /// Rolls back everybody; those whose work was done may do it again.
    async fn give_up(&mut self) {
        let _ = self.conn.execute("ROLLBACK").await;
        self.open = false;
        self.unreleased = false;
        for waiter in self.done.drain(..) {
            let _ = waiter.send(Err(Error::Retry("the group was rolled back".into())));
        }
    }

    async fn commit(&mut self) {
        if !self.open {
            return;
        }
        let commit = if std::mem::take(&mut self.unreleased) { "RELEASE tx; COMMIT" } else { "COMMIT" };
        let result = self.conn.execute(commit).await.map(drop).map_err(Error::from);
        if result.is_err() {
            let _ = self.conn.execute("ROLLBACK").await;
        }
        self.open = false;
        for waiter in self.done.drain(..) {
            let _ = waiter.send(result.clone());
        }
    }
}

impl WriterTx {
    pub(crate) fn conn(&mut self) -> Result<&mut SqliteConnection, Error> {
        self.group.as_mut().map(|group| &mut group.conn).ok_or_else(lost)
    }

    /// Leaves the savepoint to be released and waits until the group is on disk. A caller that is dropped meanwhile does not know
    /// whether its transaction was committed.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        let committed = uncancelled(async move {
            let Some(mut group) = self.group.take() else { return Err(lost()) };
            group.unreleased = true;
            let (sender, committed) = oneshot::channel();
            group.done.push(sender);
            if self.writer.waiting.load(Ordering::Acquire) == 0 || group.done.len() >= GROUP_LIMIT {
                group.commit().await;
            }
            Ok(committed)
        })
        .await?;
        committed.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Undoes this transaction alone; the rest of the group is committed when its turn comes.
    pub(crate) async fn rollback(mut self) -> Result<(), Error> {
        uncancelled(async move {
            let Some(mut group) = self.group.take() else { return Ok(()) };
            group.undo().await;
            if self.writer.waiting.load(Ordering::Acquire) == 0 {
                group.commit().await;
            }
            Ok(())
        })
        .await
    }
}

impl Drop for WriterTx {
    fn drop(&mut self) {
        if let Some(mut group) = self.group.take() {
            group.abandoned = group.open;
            drop(group);
            // Others may rely on this transaction to commit the group, and nobody may come after it.
            self.writer.commit_soon();
        }
    }
}

fn lost() -> Error {
    Error::Unavailable("the writer was lost before COMMIT".into())
}
