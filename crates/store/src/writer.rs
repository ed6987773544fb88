//! SQLite's one writer, which commits in groups.
//!
//! A transaction is a savepoint inside the group's transaction: a failing, cancelled or panicking one rolls back alone.
//! Whoever holds the writer and sees nobody waiting behind it commits for the whole group, so a lone transaction commits at
//! once and a crowd shares one disk flush; nobody is told "done" before COMMIT. The surprising part is dropping: a
//! transaction abandoned half-way cannot roll back inside `drop`, so it leaves a mark and the next holder cleans up.

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
struct Ticket(Writer);

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Writer {
    pub(crate) fn new(conn: SqliteConnection) -> Self {
        let group = Group { conn, open: false, abandoned: false, done: Vec::new() };
        Self { group: Arc::new(Mutex::new(group)), waiting: Arc::new(AtomicUsize::new(0)) }
    }

    pub(crate) async fn begin(&self) -> Result<WriterTx, Error> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let ticket = Ticket(self.clone());
        // Should this future be dropped while it waits, an earlier transaction may have relied on it to commit the group.
        let rescue = CommitOnDrop(Some(self.clone()));
        let mut group = self.group.clone().lock_owned().await;
        rescue.defuse();
        drop(ticket);
        // From here on dropping the transaction marks its savepoint as abandoned, also between these statements.
        let mut tx = WriterTx { group: None, writer: self.clone() };
        group.clean_up().await?;
        let open = group.open;
        group.open = true;
        group.abandoned = true;
        tx.group = Some(group);
        let Some(group) = tx.group.as_mut() else { return Err(lost()) };
        let start = if open { "SAVEPOINT tx" } else { "BEGIN IMMEDIATE; SAVEPOINT tx" };
        if let Err(error) = group.conn.execute(start).await {
            if !open {
                let _ = group.conn.execute("ROLLBACK").await;
                group.open = false;
                group.abandoned = false;
            }
            return Err(error.into());
        }
        group.abandoned = false;
        Ok(tx)
    }

    /// The connection with no transaction open, for what cannot run inside one.
    pub(crate) async fn exclusive(&self) -> Result<Exclusive, Error> {
        let mut group = self.group.clone().lock_owned().await;
        group.clean_up().await?;
        group.commit().await;
        Ok(Exclusive(group))
    }

    /// Commits what an abandoned or cancelled transaction left for others.
    async fn commit_if_idle(self) {
        let mut group = self.group.lock().await;
        if group.clean_up().await.is_ok() && self.waiting.load(Ordering::Acquire) == 0 {
            group.commit().await;
        }
    }
}

impl Group {
    async fn clean_up(&mut self) -> Result<(), Error> {
        if self.abandoned {
            self.conn.execute("ROLLBACK TO tx; RELEASE tx").await?;
            self.abandoned = false;
        }
        Ok(())
    }

    async fn commit(&mut self) {
        if !self.open {
            return;
        }
        let result = self.conn.execute("COMMIT").await.map(drop).map_err(Error::from);
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

    /// Releases the savepoint and waits until the group is on disk.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        let committed = {
            let Some(group) = self.group.as_mut() else { return Err(lost()) };
            group.conn.execute("RELEASE tx").await?;
            let (sender, committed) = oneshot::channel();
            group.done.push(sender);
            if self.writer.waiting.load(Ordering::Acquire) == 0 || group.done.len() >= GROUP_LIMIT {
                group.commit().await;
            }
            committed
        };
        self.group = None;
        committed.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Undoes this transaction alone; the rest of the group is committed when its turn comes.
    pub(crate) async fn rollback(mut self) -> Result<(), Error> {
        let Some(group) = self.group.as_mut() else { return Ok(()) };
        group.conn.execute("ROLLBACK TO tx; RELEASE tx").await?;
        if self.writer.waiting.load(Ordering::Acquire) == 0 {
            group.commit().await;
        }
        self.group = None;
        Ok(())
    }
}

impl Drop for WriterTx {
    fn drop(&mut self) {
        if let Some(mut group) = self.group.take() {
            group.abandoned = group.open;
            drop(group);
            drop(CommitOnDrop(Some(self.writer.clone())));
        }
    }
}

/// Commits the group from a task of its own when dropped: dropping cannot wait.
struct CommitOnDrop(Option<Writer>);

impl CommitOnDrop {
    fn defuse(mut self) {
        self.0 = None;
    }
}

impl Drop for CommitOnDrop {
    fn drop(&mut self) {
        if let (Some(writer), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(writer.commit_if_idle());
        }
    }
}

fn lost() -> Error {
    Error::Unavailable("the writer was lost before COMMIT".into())
}
