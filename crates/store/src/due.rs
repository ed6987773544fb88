//! Due turns, sends and test runs, which the workers share out between projects.
//!
//! Returns keys only. The indexes begin with the project, so one that has much due hides no other:
//! [`projects_with`] jumps from project to project, and [`due_of`] reads a few entries of each. Work of
//! archived projects stays due, however much it is: only [`due`] returns it, marked.

use crate::{
    db::{Conn, Result, rows, run, statements},
    projects::Stopped,
    unscoped::{DueConversation, DueOutbox, DueRow},
};
use domain::{Id, Timestamp, ids::ProjectId};
use uuid::Uuid;

rows! {
    /// A due turn, send or test run: the id is that of the conversation, the outbox entry or the job.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct DueEntry {
        pub project_id: ProjectId,
        pub id: Uuid,
        pub epoch: i64,
        /// The project is archived or being deleted: the work waits.
        pub stopped: bool,
    }
}

/// Stands in statements for the columns of a [`DueEntry`].
struct Entry;

impl Entry {
    const COLUMNS: &str = "project_id, id, epoch, \
        project_id IN (SELECT id FROM projects WHERE archived_at IS NOT NULL OR deleted_at IS NOT NULL) AS stopped";
}

impl DueEntry {
    pub const fn turn(self) -> DueConversation {
        DueConversation { project_id: self.project_id, id: Id::from_uuid(self.id), epoch: self.epoch }
    }

    pub const fn send(self) -> DueOutbox {
        DueOutbox { project_id: self.project_id, id: Id::from_uuid(self.id), epoch: self.epoch }
    }

    pub const fn test_run(self) -> DueRow {
        DueRow { project_id: self.project_id, id: self.id }
    }
}

/// Work that projects share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SharedWork {
    Turns,
    Sends,
    TestRuns,
}

statements! {
    DUE_TURNS = ["SELECT ", Entry, " FROM conversations WHERE due_at <= $1 AND lease_until < ", db_now, " \
                  ORDER BY project_id, due_at LIMIT $2"];
    DUE_TURNS_OF = ["SELECT ", Entry, " FROM conversations WHERE project_id = $1 AND due_at <= $2 AND lease_until < ", db_now, " \
                     ORDER BY due_at LIMIT $3"];
    /// Jumps from project to project in the index, so that it costs the same whatever they have due.
    PROJECTS_WITH_TURNS = ["WITH RECURSIVE due (project_id) AS (\
        SELECT (SELECT project_id FROM conversations WHERE due_at IS NOT NULL AND project_id > $1 ORDER BY project_id, due_at LIMIT 1) \
        UNION ALL SELECT (SELECT c.project_id FROM conversations c WHERE c.due_at IS NOT NULL AND c.project_id > due.project_id \
            ORDER BY c.project_id, c.due_at LIMIT 1) FROM due WHERE due.project_id IS NOT NULL) \
        SELECT project_id FROM due WHERE project_id IS NOT NULL \
        AND project_id NOT IN (SELECT id FROM projects WHERE ", Stopped, ") LIMIT $2"];
    DUE_SENDS = ["SELECT ", Entry, " FROM outbox o \
                  WHERE next_at <= $1 AND state IN ('queued', 'sending', 'unknown') AND lease_until < ", db_now, " \
                  AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.project_id = o.project_id \
                      AND e.conversation_id = o.conversation_id AND e.out_seq < o.out_seq \
                      AND e.state IN ('queued', 'sending', 'unknown')) ORDER BY project_id, next_at LIMIT $2"];
    DUE_SENDS_OF = ["SELECT ", Entry, " FROM outbox o \
                     WHERE project_id = $1 AND next_at <= $2 AND state IN ('queued', 'sending', 'unknown') AND lease_until < ", db_now, " \
                     AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.project_id = o.project_id \
                         AND e.conversation_id = o.conversation_id AND e.out_seq < o.out_seq \
                         AND e.state IN ('queued', 'sending', 'unknown')) ORDER BY next_at LIMIT $3"];
    PROJECTS_WITH_SENDS = ["WITH RECURSIVE due (project_id) AS (\
        SELECT (SELECT project_id FROM outbox WHERE state IN ('queued', 'sending', 'unknown') AND project_id > $1 \
            ORDER BY project_id, next_at LIMIT 1) \
        UNION ALL SELECT (SELECT o.project_id FROM outbox o WHERE o.state IN ('queued', 'sending', 'unknown') \
            AND o.project_id > due.project_id ORDER BY o.project_id, o.next_at LIMIT 1) FROM due WHERE due.project_id IS NOT NULL) \
        SELECT project_id FROM due WHERE project_id IS NOT NULL \
        AND project_id NOT IN (SELECT id FROM projects WHERE ", Stopped, ") LIMIT $2"];
    DUE_TEST_RUNS = ["SELECT ", Entry, " FROM jobs WHERE run_at <= $1 AND kind = 'test_run' AND lease_until < ", db_now, " \
                      ORDER BY project_id, run_at LIMIT $2"];
    DUE_TEST_RUNS_OF = ["SELECT ", Entry, " FROM jobs WHERE project_id = $1 AND run_at <= $2 AND kind = 'test_run' \
                         AND lease_until < ", db_now, " ORDER BY run_at LIMIT $3"];
    PROJECTS_WITH_TEST_RUNS = ["WITH RECURSIVE due (project_id) AS (\
        SELECT (SELECT project_id FROM jobs WHERE kind = 'test_run' AND project_id > $1 ORDER BY project_id, run_at LIMIT 1) \
        UNION ALL SELECT (SELECT j.project_id FROM jobs j WHERE j.kind = 'test_run' AND j.project_id > due.project_id \
            ORDER BY j.project_id, j.run_at LIMIT 1) FROM due WHERE due.project_id IS NOT NULL) \
        SELECT project_id FROM due WHERE project_id IS NOT NULL \
        AND project_id NOT IN (SELECT id FROM projects WHERE ", Stopped, ") LIMIT $2"];
    DELETIONS = ["SELECT ", DueRow, " FROM jobs WHERE run_at <= $1 AND kind = 'project_delete' AND lease_until < ", db_now, " ORDER BY run_at LIMIT $2"];
}

/// Due work without an active lease, of all projects: project by project, oldest first in each. A
/// send is due only if it is the first of its conversation.
pub async fn due(conn: &mut Conn<'_>, work: SharedWork, now: Timestamp, limit: i64) -> Result<Vec<DueEntry>> {
    let statement = match work {
        SharedWork::Turns => DUE_TURNS,
        SharedWork::Sends => DUE_SENDS,
        SharedWork::TestRuns => DUE_TEST_RUNS,
    };
    run!(conn, statement, [now, limit], fetch_all as DueEntry)
}

/// The first entry of a project that is not stopped, for workers that do one thing at a time.
pub async fn first(conn: &mut Conn<'_>, work: SharedWork, now: Timestamp) -> Result<Option<DueEntry>> {
    const SOME: i64 = 64;
    let entries = due(conn, work, now, SOME).await?;
    let is_all = (entries.len() as i64) < SOME;
    let found = entries.into_iter().find(|entry| !entry.stopped);
    if found.is_some() || is_all {
        return Ok(found);
    }
    let mut after = Id::from_uuid(Uuid::nil());
    loop {
        let projects = projects_with(conn, work, after, SOME).await?;
        let Some(last) = projects.last() else { return Ok(None) };
        after = *last;
        for project in projects {
            let found = due_of(conn, project, work, now, 1).await?.pop();
            if found.is_some() {
                return Ok(found);
            }
        }
    }
}

/// As [`due`], of one project.
pub async fn due_of(
    conn: &mut Conn<'_>,
    project: ProjectId,
    work: SharedWork,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<DueEntry>> {
    let statement = match work {
        SharedWork::Turns => DUE_TURNS_OF,
        SharedWork::Sends => DUE_SENDS_OF,
        SharedWork::TestRuns => DUE_TEST_RUNS_OF,
    };
    run!(conn, statement, [project, now, limit], fetch_all as DueEntry)
}

/// Projects after this one with work that is due, under way or planned; without stopped ones.
pub async fn projects_with(
    conn: &mut Conn<'_>,
    work: SharedWork,
    after: ProjectId,
    limit: i64,
) -> Result<Vec<ProjectId>> {
    let statement = match work {
        SharedWork::Turns => PROJECTS_WITH_TURNS,
        SharedWork::Sends => PROJECTS_WITH_SENDS,
        SharedWork::TestRuns => PROJECTS_WITH_TEST_RUNS,
    };
    let rows = run!(conn, statement, [after, limit], fetch_all as (ProjectId,))?;
    Ok(rows.into_iter().map(|(project,)| project).collect())
}

/// Due deletions of projects, oldest first.
pub async fn deletions(conn: &mut Conn<'_>, now: Timestamp, limit: i64) -> Result<Vec<DueRow>> {
    run!(conn, DELETIONS, [now, limit], fetch_all as DueRow)
}
