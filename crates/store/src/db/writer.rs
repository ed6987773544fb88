//! SQLite's one writer, which commits in groups.
//!
//! The first transaction of a group opens it; each later one is a savepoint inside. A failing,
//! cancelled or panicking one rolls back alone. The last waiting transaction commits the whole
//! group: a lone transaction commits at once, concurrent ones share a disk flush. No caller gets
//! its result before COMMIT. COMMIT waits for the disk, so it runs on the blocking pool, where a
//! dropped caller does not interrupt it.

use crate::db::{
    error::Error,
    point,
    wal::{self, CheckpointLog, LogSize},
};
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{Mutex, OwnedMutexGuard, oneshot},
    task::spawn_blocking,
};

/// A group of this size is committed although more transactions wait, which bounds the wait of its
/// first members.
const GROUP_LIMIT: usize = 64;

/// The writer; clones share it.
#[derive(Clone)]
pub(crate) struct Writer {
    group: Arc<Mutex<Group>>,
    waiting: Arc<AtomicUsize>,
    /// Held during a checkpoint, so that there is one at a time.
    checkpointing: Arc<Mutex<()>>,
    checkpoint_log: Arc<CheckpointLog>,
    path: Arc<Path>,
}

struct Group {
    conn: Connection,
    log: LogSize,
    /// BEGIN was sent and COMMIT was not.
    open: bool,
    /// Transactions that wait for COMMIT.
    done: Vec<oneshot::Sender<Result<(), Error>>>,
}

/// A transaction that holds the writer.
pub(crate) struct WriterTx {
    group: Option<OwnedMutexGuard<Group>>,
    writer: Writer,
}

/// The writer's connection outside of any transaction.
pub(crate) struct Exclusive(OwnedMutexGuard<Group>);

impl Exclusive {
    pub(crate) fn conn(&mut self) -> &mut Connection {
        &mut self.0.conn
    }
}

/// Counts a transaction as waiting until it gets the writer or is dropped.
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
    /// `conn` is open on the file at `path`.
    pub(crate) fn new(conn: Connection, path: &Path) -> Self {
        let log = LogSize::watch(&conn);
        let group = Group { conn, log, open: false, done: Vec::new() };
        Self {
            group: Arc::new(Mutex::new(group)),
            waiting: Arc::default(),
            checkpointing: Arc::default(),
            checkpoint_log: Arc::default(),
            path: path.into(),
        }
    }

    pub(crate) async fn begin(&self) -> Result<WriterTx, Error> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let mut ticket = Ticket { writer: self.clone(), served: false };
        let mut group = self.group.clone().lock_owned().await;
        ticket.served = true;
        drop(ticket);
        group.start()?;
        Ok(WriterTx { group: Some(group), writer: self.clone() })
    }

    /// The connection without an open transaction, for statements that cannot run inside one.
    pub(crate) async fn exclusive(&self) -> Exclusive {
        let mut group = self.group.clone().lock_owned().await;
        group.commit();
        Exclusive(group)
    }

    /// Moves the whole log into the file and empties it, as far as readers in other processes
    /// allow.
    pub(crate) async fn truncate_log(&self) {
        let done = self.exclusive().await.conn().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.checkpoint_log.record(done);
    }

    /// Commits from a new task, because the caller is being dropped.
    fn commit_soon(&self) {
        if let Ok(runtime) = Handle::try_current() {
            let writer = self.clone();
            runtime.spawn(async move {
                let group = writer.group.clone().lock_owned().await;
                writer.commit_if_due(group).await;
            });
        }
    }

    /// Commits the group unless a waiting transaction will.
    async fn commit_if_due(&self, mut group: OwnedMutexGuard<Group>) {
        if self.waiting.load(Ordering::Acquire) > 0 && group.done.len() < GROUP_LIMIT {
            return;
        }
        // On a single thread nothing else could run; a simulation needs everything on it.
        if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
            if group.commit() {
                self.checkpoint_log.record(wal::checkpoint(&group.conn));
            }
            return;
        }
        if group.open {
            // A runtime that shuts down does not await this; the group's members then get an error.
            let committed = spawn_blocking(move || group.commit()).await;
            if committed.is_ok_and(|log_is_long| log_is_long) {
                tokio::spawn(self.clone().checkpoint());
            }
        }
    }

    /// Moves the log into the file in the background. Commits go on, except while the last few
    /// pages are copied.
    async fn checkpoint(self) {
        let Ok(_only_one) = self.checkpointing.try_lock() else { return };
        let path = self.path.clone();
        let copied = spawn_blocking(move || wal::checkpoint_while_others_write(&path)).await;
        // The log restarts only after all of it was copied, and that needs a moment without
        // commits.
        let writer = self.exclusive().await;
        let restarted = spawn_blocking(move || wal::checkpoint(&writer.0.conn)).await;
        // A runtime that shuts down awaits neither.
        if let (Ok(copied), Ok(restarted)) = (copied, restarted) {
            self.checkpoint_log.record(copied.and(restarted));
        }
    }
}

impl Group {
    fn run(&self, sql: &str) -> Result<(), Error> {
        Ok(self.conn.prepare_cached(sql)?.execute([]).map(drop)?)
    }

    fn start(&mut self) -> Result<(), Error> {
        let started = self.run(if self.open { "SAVEPOINT tx" } else { "BEGIN IMMEDIATE" });
        match started {
            Ok(()) => self.open = true,
            // SQLite may have rolled the group back: the other members retry.
            Err(_) => self.give_up(),
        }
        started
    }

    /// Rolls back the last transaction alone, unless SQLite has rolled back the whole group (disk
    /// full).
    fn undo(&mut self) {
        if self.done.is_empty() || self.run("ROLLBACK TO tx").and_then(|()| self.run("RELEASE tx")).is_err() {
            self.give_up();
        }
    }

    /// Rolls back the group; members that wait for COMMIT may retry.
    fn give_up(&mut self) {
        let _ = self.run("ROLLBACK");
        self.open = false;
        for waiter in self.done.drain(..) {
            let _ = waiter.send(Err(Error::Retry("the group was rolled back".into())));
        }
    }

    /// Returns true if the log needs a checkpoint.
    fn commit(&mut self) -> bool {
        if !self.open {
            return false;
        }
        let result = self.run("COMMIT");
        if result.is_err() {
            let _ = self.run("ROLLBACK");
        }
        self.open = false;
        for waiter in self.done.drain(..) {
            let _ = waiter.send(result.clone());
        }
        self.log.needs_checkpoint()
    }
}

impl WriterTx {
    pub(crate) fn conn(&mut self) -> Result<&mut Connection, Error> {
        self.group.as_mut().map(|group| &mut group.conn).ok_or_else(lost)
    }

    /// Waits until the group is on disk. For a caller dropped meanwhile the outcome is unknown.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        point::pass().await;
        let Some(mut group) = self.group.take() else { return Err(lost()) };
        // The group's first transaction has no savepoint of its own.
        if !group.done.is_empty()
            && let Err(error) = group.run("RELEASE tx")
        {
            group.give_up();
            return Err(error);
        }
        let (sender, committed) = oneshot::channel();
        group.done.push(sender);
        self.writer.commit_if_due(group).await;
        let committed = committed.await.unwrap_or_else(|_| Err(lost()));
        point::pass().await;
        committed
    }

    /// Rolls back this transaction alone.
    pub(crate) async fn rollback(mut self) {
        if let Some(mut group) = self.group.take() {
            group.undo();
            self.writer.commit_if_due(group).await;
        }
    }
}

impl Drop for WriterTx {
    fn drop(&mut self) {
        if let Some(mut group) = self.group.take() {
            group.undo();
            drop(group);
            // Others may rely on this transaction to commit the group, and no other may follow.
            self.writer.commit_soon();
        }
    }
}

fn lost() -> Error {
    Error::Unavailable("the writer was lost before COMMIT".into())
}
