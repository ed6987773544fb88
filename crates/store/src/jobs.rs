//! Everything else that must run later, once per dedupe key.

use crate::{conversations, unscoped::DueRow, db::{Error, Result, Tx, rows, run, statements}};
use domain::{Span, Timestamp, ids::ProjectId};
use uuid::Uuid;

/// How long a worker has before another may take its job.
pub const LEASE: Span = Span::from_secs(60);

rows! {
    /// A claimed job.
    #[derive(Debug, Clone)]
    pub struct JobRow {
        pub id: Uuid,
        /// What to do.
        pub kind: String,
        /// JSON: with what.
        pub payload: String,
        /// Tries made.
        pub attempt: i64,
        /// Raised by each claim.
        pub epoch: i64,
    }
}

statements! {
    PUT = ["INSERT INTO jobs (project_id, id, kind, dedupe_key, payload, run_at, attempt, lease_until, epoch) \
            VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0) ON CONFLICT (project_id, kind, dedupe_key) DO UPDATE SET run_at = excluded.run_at"];
    CLAIM = ["UPDATE jobs SET epoch = epoch + 1, attempt = attempt + 1, lease_until = ", db_now, " + $3 \
              WHERE project_id = $1 AND id = $2 AND run_at <= $4 AND lease_until < ", db_now, " RETURNING ", JobRow];
    WAKE = ["UPDATE jobs SET run_at = $4 WHERE project_id = $1 AND kind = $2 AND dedupe_key = $3"];
    CANCEL = ["DELETE FROM jobs WHERE project_id = $1 AND kind = $2 AND dedupe_key = $3"];
    HOLD = ["UPDATE jobs SET lease_owner = $4, lease_until = ", db_now, " + $5 WHERE project_id = $1 AND id = $2 AND epoch = $3"];
    RENEW = ["UPDATE jobs SET lease_until = ", db_now, " + $4 \
              WHERE project_id = $1 AND id = $2 AND epoch = $3 AND lease_until > ", db_now];
    FINISH = ["DELETE FROM jobs WHERE project_id = $1 AND id = $2 AND epoch = $3"];
    AGAIN = ["UPDATE jobs SET run_at = $4, error = $5, lease_owner = NULL, lease_until = 0 WHERE project_id = $1 AND id = $2 AND epoch = $3"];
    POSTPONE = ["UPDATE jobs SET run_at = $4, error = $5 WHERE project_id = $1 AND id = $2 AND run_at <= $3"];
}

/// Puts a job, or moves the one of the same kind and key to another time.
pub async fn put(tx: &mut Tx<'_>, project: ProjectId, id: Uuid, (kind, key): (&str, &str), payload: &str, run_at: Timestamp) -> Result<()> {
    run!(tx, PUT, [project, id, kind, key, payload, run_at], execute).map(drop)
}

/// Takes a due job; `None` if somebody else did.
pub async fn claim(tx: &mut Tx<'_>, due: DueRow, now: Timestamp) -> Result<Option<JobRow>> {
    run!(tx, CLAIM, [due.project_id, due.id, LEASE, now], fetch_optional as JobRow)
}

/// Moves a job to another time, if there is one of this kind and key.
pub async fn wake(tx: &mut Tx<'_>, project: ProjectId, (kind, key): (&str, &str), run_at: Timestamp) -> Result<()> {
    run!(tx, WAKE, [project, kind, key, run_at], execute).map(drop)
}

/// Removes a job that is not needed any more. `false`: it was done, or is being done in a transaction that commits first.
pub async fn cancel(tx: &mut Tx<'_>, project: ProjectId, (kind, key): (&str, &str)) -> Result<bool> {
    Ok(run!(tx, CANCEL, [project, kind, key], execute)? == 1)
}

/// Keeps a claimed job for work that takes longer than one transaction, under a lease that is renewed.
/// [`Error::StaleEpoch`] if another worker took it.
pub async fn hold(tx: &mut Tx<'_>, project: ProjectId, job: &JobRow, owner: &str) -> Result<()> {
    under_epoch(run!(tx, HOLD, [project, job.id, job.epoch, owner, conversations::LEASE], execute)?)
}

/// Extends the lease of a kept job. One that has run out is not brought back.
pub async fn renew(tx: &mut Tx<'_>, project: ProjectId, id: Uuid, epoch: i64) -> Result<()> {
    run!(tx, RENEW, [project, id, epoch, conversations::LEASE], execute).map(drop)
}

/// Removes a done job, in the transaction that does its work. [`Error::StaleEpoch`] if another worker took it.
pub async fn finish(tx: &mut Tx<'_>, project: ProjectId, job: &JobRow) -> Result<()> {
    under_epoch(run!(tx, FINISH, [project, job.id, job.epoch], execute)?)
}

/// Puts a failed job back for later. [`Error::StaleEpoch`] if another worker took it.
pub async fn again(tx: &mut Tx<'_>, project: ProjectId, job: &JobRow, run_at: Timestamp, error: &str) -> Result<()> {
    under_epoch(run!(tx, AGAIN, [project, job.id, job.epoch, run_at, error], execute)?)
}

/// Puts off a due job whose transaction failed, so that it stands in nobody's way.
pub async fn postpone(tx: &mut Tx<'_>, due: DueRow, now: Timestamp, until: Timestamp, error: &str) -> Result<()> {
    run!(tx, POSTPONE, [due.project_id, due.id, now, until, error], execute).map(drop)
}

fn under_epoch(rows: u64) -> Result<()> {
    if rows == 0 { Err(Error::StaleEpoch) } else { Ok(()) }
}
