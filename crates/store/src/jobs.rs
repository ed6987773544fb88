//! Background work other than turns, sends and timers, once per kind and key.

use crate::{conversations, unscoped::DueRow, db::{Conn, Error, Result, Scope, Tx, rows, run, statements, stored_words}};
use domain::{Span, Timestamp, ids::ProjectId, job::JobKind};
use uuid::Uuid;

/// Another worker may reclaim a job after this long.
pub const LEASE: Span = Span::from_secs(60);

stored_words!(JobKind);

rows! {
    /// A claimed job.
    #[derive(Debug, Clone)]
    pub struct JobRow {
        pub id: Uuid,
        /// The word of a [`JobKind`], or of one that only a newer version knows.
        pub kind: String,
        pub payload: String,
        /// Attempts made.
        pub attempt: i64,
        /// Fencing token, raised by each claim.
        pub epoch: i64,
    }
}

statements! {
    PUT = ["INSERT INTO jobs (project_id, id, kind, dedupe_key, payload, run_at, attempt, lease_until, epoch) \
            VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0) ON CONFLICT (project_id, kind, dedupe_key) DO UPDATE SET run_at = excluded.run_at"];
    CLAIM = ["UPDATE jobs SET epoch = epoch + 1, attempt = attempt + 1, lease_until = ", db_now, " + $3 \
              WHERE project_id = $1 AND id = $2 AND run_at <= $4 AND lease_until < ", db_now, " \
              AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = $1 \
                  AND (p.deleted_at IS NOT NULL OR p.archived_at IS NOT NULL AND jobs.kind = 'test_run')) RETURNING ", JobRow];
    WAKE = ["UPDATE jobs SET run_at = $4 WHERE project_id = $1 AND kind = $2 AND dedupe_key = $3"];
    CANCEL = ["DELETE FROM jobs WHERE project_id = $1 AND kind = $2 AND dedupe_key = $3"];
    HOLD = ["UPDATE jobs SET lease_owner = $4, lease_until = ", db_now, " + $5 WHERE project_id = $1 AND id = $2 AND epoch = $3"];
    RENEW = ["UPDATE jobs SET lease_until = ", db_now, " + $4 \
              WHERE project_id = $1 AND id = $2 AND epoch = $3 AND lease_until > ", db_now];
    FINISH = ["DELETE FROM jobs WHERE project_id = $1 AND id = $2 AND epoch = $3"];
    AGAIN = ["UPDATE jobs SET run_at = $4, error = $5, lease_owner = NULL, lease_until = 0 WHERE project_id = $1 AND id = $2 AND epoch = $3"];
    KIND = ["SELECT kind FROM jobs WHERE project_id = $1 AND id = $2"];
    SEIZE = ["UPDATE jobs SET epoch = epoch + 1, lease_owner = NULL, lease_until = 0 WHERE project_id = $1 AND id = $2 \
              RETURNING ", JobRow];
    POSTPONE = ["UPDATE jobs SET run_at = $4, error = $5 WHERE project_id = $1 AND id = $2 AND run_at <= $3"];
}

/// A job to be stored. There is one of each kind and key.
#[derive(Debug, Clone, Copy)]
pub struct NewJob<'a> {
    pub id: Uuid,
    pub kind: JobKind,
    pub key: &'a str,
    pub payload: &'a str,
    pub run_at: Timestamp,
}

/// Stores a job, or moves the one of the same kind and key to another time.
pub async fn put(s: &mut Scope<'_, '_>, job: NewJob<'_>) -> Result<()> {
    let project = s.project;
    run!(s, PUT, [project, job.id, job.kind, job.key, job.payload, job.run_at], execute).map(drop)
}

/// Stores a job of a kind that this version does not have.
#[cfg(feature = "testing")]
pub async fn put_unknown(s: &mut Scope<'_, '_>, job: NewJob<'_>) -> Result<()> {
    let project = s.project;
    run!(s, PUT, [project, job.id, "from_the_future", job.key, job.payload, job.run_at], execute).map(drop)
}

/// Claims a due job; `None` if another worker did, or the project is stopped: an archived one runs no
/// tests.
pub async fn claim(tx: &mut Tx<'_>, due: DueRow, now: Timestamp) -> Result<Option<JobRow>> {
    run!(tx, CLAIM, [due.project_id, due.id, LEASE, now], fetch_optional as JobRow)
}

/// Makes the job of this kind and key due now, if there is one.
pub async fn wake(s: &mut Scope<'_, '_>, kind: JobKind, key: &str) -> Result<()> {
    let (project, now) = (s.project, s.now);
    run!(s, WAKE, [project, kind, key, now], execute).map(drop)
}

/// Removes a job that is not needed any more. `false`: it was done, or is being done in a
/// transaction that commits first.
pub async fn cancel(tx: &mut Tx<'_>, project: ProjectId, kind: JobKind, key: &str) -> Result<bool> {
    Ok(run!(tx, CANCEL, [project, kind, key], execute)? == 1)
}

/// The word of the job's kind.
pub async fn kind(conn: &mut Conn<'_>, project: ProjectId, id: Uuid) -> Result<Option<String>> {
    Ok(run!(conn, KIND, [project, id], fetch_optional as (String,))?.map(|(kind,)| kind))
}

/// Takes a job from any worker that holds it, and locks the row.
pub async fn seize(tx: &mut Tx<'_>, project: ProjectId, id: Uuid) -> Result<Option<JobRow>> {
    run!(tx, SEIZE, [project, id], fetch_optional as JobRow)
}

/// Leases a claimed job for work that takes longer than one transaction.
/// [`Error::StaleEpoch`] if another worker reclaimed it.
pub async fn hold(tx: &mut Tx<'_>, project: ProjectId, job: &JobRow, owner: &str) -> Result<()> {
    under_epoch(run!(tx, HOLD, [project, job.id, job.epoch, owner, conversations::LEASE], execute)?)
}

/// Extends the lease of a held job, unless it has expired.
pub async fn renew(tx: &mut Tx<'_>, project: ProjectId, id: Uuid, epoch: i64) -> Result<()> {
    run!(tx, RENEW, [project, id, epoch, conversations::LEASE], execute).map(drop)
}

/// Removes a done job, in the transaction that does its work. [`Error::StaleEpoch`] if another
/// worker reclaimed it.
pub async fn finish(tx: &mut Tx<'_>, project: ProjectId, job: &JobRow) -> Result<()> {
    under_epoch(run!(tx, FINISH, [project, job.id, job.epoch], execute)?)
}

/// Reschedules a failed job. [`Error::StaleEpoch`] if another worker reclaimed it.
pub async fn again(tx: &mut Tx<'_>, project: ProjectId, job: &JobRow, run_at: Timestamp, error: &str) -> Result<()> {
    under_epoch(run!(tx, AGAIN, [project, job.id, job.epoch, run_at, error], execute)?)
}

/// Postpones a due job whose transaction failed, so that it does not block others.
pub async fn postpone(tx: &mut Tx<'_>, due: DueRow, now: Timestamp, until: Timestamp, error: &str) -> Result<()> {
    run!(tx, POSTPONE, [due.project_id, due.id, now, until, error], execute).map(drop)
}

fn under_epoch(rows: u64) -> Result<()> {
    if rows == 0 { Err(Error::StaleEpoch) } else { Ok(()) }
}
