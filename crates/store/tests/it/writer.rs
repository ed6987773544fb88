//! SQLite's writer: group commit, isolation of failing transactions, checkpoints.

use crate::support::{World, at_once, execute};
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt as _, poll};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use std::{
    future::poll_fn,
    path::Path,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake},
    time::Duration,
};
use store::{Conn, Error, Store, transact};
use testkit::database::TestDatabase;

const PATIENCE: Duration = Duration::from_secs(20);

async fn world() -> World {
    World::on(TestDatabase::sqlite().await).await
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("the writer hangs")
}

async fn put(tx: &mut store::Tx<'_>, seq: i64) -> store::Result<()> {
    let Conn::Sqlite(conn) = &mut **tx else { panic!("not SQLite") };
    let insert =
        "INSERT INTO mailbox (project_id, conversation_id, seq, input_key, body) VALUES (x'', x'', ?1, ?1, '')";
    conn.execute(insert, [seq])?;
    Ok(())
}

async fn write(store: &Store, seq: i64) -> store::Result<()> {
    transact!(store, "test", tx => put(tx, seq).await)
}

async fn stored(world: &World) -> Vec<i64> {
    let mut reader = world.store.read().await.expect("a reader");
    let Conn::Sqlite(conn) = reader.conn() else { panic!("not SQLite") };
    let mut statement = conn.prepare("SELECT seq FROM mailbox ORDER BY seq").expect("a statement");
    statement.query_map([], |row| row.get(0)).expect("rows").map(|seq| seq.expect("a number")).collect()
}

/// Counts commits in the log: the last frame of each has the size of the database.
fn commits_on_disk(world: &World) -> usize {
    let log = std::fs::read(world.database.folder().expect("a folder").join("chasqui.db-wal")).expect("the log");
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().expect("four bytes"));
    let frame = 24 + number(8) as usize;
    let frames = (32..log.len()).step_by(frame).take_while(|at| log[at + 8..at + 16] == log[16..24]);
    frames.filter(|at| number(at + 4) != 0).count()
}

/// Lets transactions wait behind one that holds the writer, so that they form a group.
async fn as_a_group<T>(world: &World, mut members: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let first = world.store.begin().await.expect("the writer");
    for member in &mut members {
        assert!(poll!(&mut *member).is_pending());
    }
    let finished = world.store.finish("test", first, Ok::<(), Error>(()));
    within(async { futures::join!(finished, join_all(members)).1 }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn waiting_transactions_share_one_commit() {
    let world = world().await;
    write(&world.store, 0).await.unwrap();
    let before = commits_on_disk(&world);
    write(&world.store, 100).await.unwrap();
    assert_eq!(commits_on_disk(&world), before + 1, "a lone one is committed at once");

    let members = (1..=64).map(|n| write(&world.store, n).boxed()).collect();
    for answer in as_a_group(&world, members).await {
        answer.unwrap();
    }
    // The first one and 63 of them; then the last, because a group has at most 64.
    assert_eq!(commits_on_disk(&world), before + 3);
    assert_eq!(stored(&world).await.len(), 66);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failing_transaction_rolls_back_alone() {
    let world = world().await;
    write(&world.store, 0).await.unwrap();
    let before = commits_on_disk(&world);
    let fail = async {
        transact!(world.store, "test", tx => {
            put(tx, 2).await?;
            Err(Error::StaleEpoch)
        })
    };
    // Violates a key after a write: the statement fails, then the transaction.
    let conflict = async {
        transact!(world.store, "test", tx => {
            put(tx, 3).await?;
            put(tx, 1).await
        })
    };
    let members: Vec<BoxFuture<'_, store::Result<()>>> =
        vec![write(&world.store, 1).boxed(), fail.boxed(), conflict.boxed(), write(&world.store, 4).boxed()];
    let answers = as_a_group(&world, members).await;
    assert!(matches!(answers[..], [Ok(()), Err(Error::StaleEpoch), Err(Error::Conflict(_)), Ok(())]), "{answers:?}");
    assert_eq!(stored(&world).await, [0, 1, 4]);
    assert_eq!(commits_on_disk(&world), before + 1, "they were one group");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dropped_transaction_rolls_back_alone() {
    let world = world().await;
    let mut first = world.store.begin().await.unwrap();
    put(&mut first.tx().unwrap(), 1).await.unwrap();
    let mut waiting: Vec<_> = (2..=4).map(|n| write(&world.store, n).boxed()).collect();
    for member in &mut waiting {
        assert!(poll!(&mut *member).is_pending());
    }
    drop(waiting.pop());
    drop(first);
    for answer in within(join_all(waiting)).await {
        answer.unwrap();
    }
    assert_eq!(stored(&world).await, [2, 3]);
}

#[derive(Default)]
struct Woken(tokio::sync::Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// The first one leaves the commit to the next, which gets the writer and is never polled.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transaction_commits_although_the_next_one_stops_waiting() {
    let world = world().await;
    let mut first = world.store.begin().await.unwrap();
    put(&mut first.tx().unwrap(), 1).await.unwrap();
    let mut behind = write(&world.store, 2).boxed();
    let woken = Arc::new(Woken::default());
    assert!(behind.poll_unpin(&mut Context::from_waker(&woken.clone().into())).is_pending());
    let store = world.store.clone();
    let finished = tokio::spawn(async move { store.finish("test", first, Ok::<(), Error>(())).await });
    within(woken.0.notified()).await;
    drop(behind);
    within(finished).await.unwrap().unwrap();
    assert_eq!(stored(&world).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transaction_commits_although_the_next_one_is_dropped() {
    let world = world().await;
    let mut first = world.store.begin().await.unwrap();
    put(&mut first.tx().unwrap(), 1).await.unwrap();
    let mut behind = world.store.begin().boxed();
    assert!(poll!(&mut behind).is_pending());
    let store = world.store.clone();
    let finished = tokio::spawn(async move { store.finish("test", first, Ok::<(), Error>(())).await });
    let mut behind = within(behind).await.unwrap();
    put(&mut behind.tx().unwrap(), 2).await.unwrap();
    drop(behind);
    within(finished).await.unwrap().unwrap();
    assert_eq!(stored(&world).await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cancellation_at_any_point_leaves_the_writer_working() {
    let world = world().await;
    let mut seq = 0;
    for _ in 0..20 {
        for polls in 1.. {
            seq += 2;
            let work = transact_two(&world.store, seq);
            let finished = polled_at_most(polls, work).await;
            // Beside the next one, so that the cancelled one may be in its group.
            within(write(&world.store, -seq)).await.unwrap();
            let rows = stored(&world).await;
            let halves = [rows.contains(&seq), rows.contains(&(seq + 1))];
            assert_eq!(halves[0], halves[1], "half of a transaction, cancelled after {polls} polls");
            assert!(rows.contains(&-seq));
            if let Some(answer) = finished {
                answer.unwrap();
                assert!(halves[0]);
                break;
            }
        }
    }
    assert!(seq >= 80, "in some round it was not cancelled at all");
}

async fn transact_two(store: &Store, seq: i64) -> store::Result<()> {
    transact!(store, "test", tx => {
        put(tx, seq).await?;
        put(tx, seq + 1).await
    })
}

async fn polled_at_most<T>(mut polls: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| {
        polls -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if polls == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn panicking_transaction_rolls_back_alone() {
    let world = world().await;
    let mut first = world.store.begin().await.unwrap();
    put(&mut first.tx().unwrap(), 1).await.unwrap();
    let (store, stop) = (world.store.clone(), true);
    let panicking = async move {
        transact!(store, "test", tx => {
            put(tx, 2).await?;
            if stop {
                panic!("this panic is part of the test");
            }
            store::Result::Ok(())
        })
    };
    let mut panicking = std::panic::AssertUnwindSafe(panicking).catch_unwind().boxed();
    let mut last = write(&world.store, 3).boxed();
    assert!(poll!(&mut panicking).is_pending());
    assert!(poll!(&mut last).is_pending());
    let finished = world.store.finish("test", first, Ok::<(), Error>(()));
    let (first, panicked, last) = within(async { futures::join!(finished, panicking, last) }).await;
    assert!(panicked.is_err());
    first.unwrap();
    last.unwrap();
    assert_eq!(stored(&world).await, [1, 3]);
}

/// SQLite then rolls back the whole group, and no member may get success.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn full_disk_loses_no_confirmed_transaction() {
    let world = world().await;
    write(&world.store, 0).await.unwrap();
    let runs = AtomicU32::new(0);
    let full = async {
        transact!(world.store, "test", tx => {
            runs.fetch_add(1, Ordering::Relaxed);
            execute(tx, "PRAGMA max_page_count = 1").await?;
            // One row, so that SQLite keeps no journal of the statement and can only roll back
            // everything.
            let large = "INSERT INTO mailbox (project_id, conversation_id, seq, input_key, body) \
                         VALUES (x'', x'', 5, '5', hex(zeroblob(1000000)))";
            execute(tx, large).await.map(drop)
        })
    };
    let members: Vec<BoxFuture<'_, store::Result<()>>> =
        vec![write(&world.store, 1).boxed(), full.boxed(), write(&world.store, 2).boxed()];
    let answers = as_a_group(&world, members).await;
    assert!(matches!(answers[1], Err(Error::DiskFull(_))), "{answers:?}");
    assert_eq!(runs.into_inner(), 1);
    let rows = stored(&world).await;
    for (answer, seq) in [(&answers[0], 1), (&answers[2], 2)] {
        assert_eq!(answer.is_ok(), rows.contains(&seq), "{answers:?} {rows:?}");
    }
    assert!(answers[0].is_ok(), "the innocent are tried again: {answers:?}");

    transact!(world.store, "test", tx => execute(tx, "PRAGMA max_page_count = 1000000").await).unwrap();
    within(write(&world.store, 9)).await.unwrap();
    assert_eq!(stored(&world).await.last(), Some(&9));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_concurrent_increments_count_once_each() {
    let world = World::new().await;
    world.conversation().await;
    let store = world.store.clone();
    let answers = at_once(200, |_| {
        let store = store.clone();
        async move { transact!(store, "test", tx => execute(tx, "UPDATE conversations SET next_out_seq = next_out_seq + 1").await) }
    })
    .await;
    for answer in answers {
        assert_eq!(answer.unwrap(), 1);
    }
    assert_eq!(world.number("SELECT next_out_seq FROM conversations").await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_transaction_returns_before_commit() {
    let world = world().await;
    let path = world.database.folder().unwrap().join("chasqui.db");
    let observer = Arc::new(std::sync::Mutex::new(read_only(&path)));
    let store = world.store.clone();
    at_once(64, |n| {
        let (store, observer) = (store.clone(), observer.clone());
        async move {
            write(&store, n as i64).await.expect("an answer");
            let conn = observer.lock().expect("no panic");
            let seen =
                conn.query_row("SELECT seq FROM mailbox WHERE seq = ?1", [n as i64], |row| row.get(0)).optional();
            assert_eq!(seen.expect("rows"), Some(n as i64), "answered, but not there for others");
        }
    })
    .await;
}

fn read_only(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a connection")
}

#[tokio::test]
async fn transaction_is_retried_only_on_request_and_at_most_eight_times() {
    let world = World::new().await;
    type Outcome = fn(u32) -> store::Result<()>;
    let cases: [(Outcome, u32); 4] = [
        (|_| Ok(()), 1),
        (|_| Err(Error::StaleEpoch), 1),
        (|run| if run < 3 { Err(Error::Retry("busy".into())) } else { Ok(()) }, 3),
        (|_| Err(Error::Retry("busy".into())), 1 + store::MAX_TRIES),
    ];
    for (outcome, expected) in cases {
        let mut runs = 0;
        let result: store::Result<()> = transact!(world.store, "test", tx => {
            runs += 1;
            execute(tx, "UPDATE projects SET updated_at = updated_at + 1").await?;
            outcome(runs)
        });
        assert_eq!(runs, expected);
        assert_eq!(result.is_ok(), outcome(runs).is_ok());
    }
    let changes = "SELECT updated_at - created_at FROM projects";
    assert_eq!(world.number(changes).await, 2, "only what succeeded is there, once");
}

#[tokio::test]
async fn observer_gets_committed_transactions_only() {
    let mut world = World::new().await;
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let ears = heard.clone();
    world.store.observe_commits(Arc::new(move |name| ears.lock().expect("no panic").push(name)));
    let one: store::Result<()> = transact!(world.store, "one", tx => execute(tx, "DELETE FROM jobs").await.map(drop));
    let two: store::Result<()> = transact!(world.store, "two", _tx => Err(Error::StaleEpoch));
    assert!(one.is_ok() && two.is_err());
    assert_eq!(*heard.lock().unwrap(), ["one"]);
}

#[tokio::test]
async fn closed_store_leaves_one_complete_file() {
    let world = world().await;
    write(&world.store, 1).await.unwrap();
    world.store.close().await;
    let folder = world.database.folder().unwrap();
    let copy = folder.join("copy.db");
    std::fs::copy(folder.join("chasqui.db"), &copy).unwrap();
    let rows = read_only(&copy).query_row("SELECT count(*) FROM mailbox", [], |row| row.get(0));
    assert_eq!(rows, Ok(1));
}

/// Pages of the current log, which carry its salt; the file may hold older ones behind them.
fn pages_in_the_log(world: &World) -> usize {
    let log = std::fs::read(world.database.folder().expect("a folder").join("chasqui.db-wal")).expect("the log");
    let page = u32::from_be_bytes(log[8..12].try_into().expect("four bytes")) as usize;
    (32..log.len()).step_by(24 + page).take_while(|at| log[at + 8..at + 16] == log[16..24]).count()
}

async fn write_much(store: &Store, seq: i64) -> store::Result<()> {
    transact!(store, "test", tx => {
        let Conn::Sqlite(conn) = &mut **tx else { panic!("not SQLite") };
        let insert = "INSERT INTO mailbox (project_id, conversation_id, seq, input_key, body) VALUES (x'', x'', ?1, ?1, ?2)";
        conn.execute(insert, (seq, "x".repeat(160_000)))?;
        Ok(())
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn log_stays_bounded_under_constant_load() {
    let world = world().await;
    // Four writers, each without a pause: 16 MiB of log, four times over.
    let writers = (0..4).map(async |writer| {
        let mut longest = 0;
        for n in 0..100 {
            within(write_much(&world.store, 1_000 * writer + n)).await.unwrap();
            if writer == 0 {
                longest = longest.max(pages_in_the_log(&world));
            }
        }
        longest
    });
    let longest = join_all(writers).await[0];
    assert!(longest > 4_000, "checkpoint too early: {longest} pages");
    assert!(longest < 9_000, "no checkpoint: {longest} pages");
    assert_eq!(stored(&world).await.len(), 400);
}

#[cfg(target_os = "linux")]
fn locks_on_the_file(world: &World) -> usize {
    use std::os::unix::fs::MetadataExt as _;
    let file = std::fs::metadata(world.database.folder().expect("a folder").join("chasqui.db")).expect("the file");
    let (process, inode) = (std::process::id().to_string(), format!(":{}", file.ino()));
    let ours = |line: &&str| line.split_whitespace().any(|word| word == process) && line.contains(&format!("{inode} "));
    let list = || std::fs::read_to_string("/proc/locks").expect("a list"); // Lacks entries at times.
    (0..5).map(|_| list().lines().filter(ours).count()).max().expect("five readings")
}

/// Without its locks another program that opens and closes the database would delete the log.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn checkpoint_keeps_the_locks_on_the_file() {
    let world = world().await;
    write(&world.store, 1_000_000).await.unwrap();
    let before = locks_on_the_file(&world);
    assert!(before > 0);
    let (mut written, mut longest) = (0, 0);
    while pages_in_the_log(&world) >= longest {
        longest = pages_in_the_log(&world);
        within(write_much(&world.store, written)).await.unwrap();
        written += 1;
    }
    assert!(longest > 4_000, "the log restarted after {longest} pages");
    assert_eq!(locks_on_the_file(&world), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn long_read_delays_the_log_restart_and_loses_nothing() {
    let world = world().await;
    write(&world.store, 1_000_000).await.unwrap();
    let path = world.database.folder().expect("a folder").join("chasqui.db");
    let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count =
        |conn: &Connection| conn.query_row("SELECT count(*) FROM mailbox", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(&reader), 1);
    for n in 0..150 {
        within(write_much(&world.store, n)).await.unwrap();
    }
    assert!(pages_in_the_log(&world) > 5_000);
    assert_eq!(count(&reader), 1, "it still reads its snapshot");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count(&reader), 151);
    let mut written = 151;
    while pages_in_the_log(&world) > 5_000 {
        within(write_much(&world.store, written)).await.unwrap();
        written += 1;
        assert!(written < 260, "it does not restart although the reader is gone");
    }
}
