//! Finds due work, and selects what may begin so that projects share the node's slots.
//!
//! One query reads what is due, up to a limit. Only if there is more, each project is read by itself:
//! a project with thousands of due turns must not hide the one turn of another.

use crate::{Context, slots::Pool, worker_step::BATCH};
use domain::{Id, Timestamp, ids::ProjectId};
use std::collections::VecDeque;
use store::{
    Conn,
    due::{self, DueEntry, SharedWork},
    unscoped::{DueConversation, DueOutbox, DueRow},
};
use uuid::Uuid;

/// Most projects that one scan looks at one by one.
const PROJECTS: i64 = 128;

/// Due work that may begin.
#[derive(Debug, Default)]
pub struct Due {
    pub turns: Vec<DueConversation>,
    pub sends: Vec<DueOutbox>,
    pub test_runs: Vec<DueRow>,
    /// More is due, and waits for a slot or for the next scan.
    pub left_over: bool,
    /// The next scan would find more that may begin.
    pub again: bool,
}

/// Finds due turns, sends and test runs.
pub async fn find_due(ctx: &Context) -> store::Result<Due> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let now = ctx.now();
    let slots = &ctx.slots;
    let mut due = Due::default();
    let turns = find(&mut conn, SharedWork::Turns, &slots.turns, now, &mut due).await?;
    let sends = find(&mut conn, SharedWork::Sends, &slots.sends, now, &mut due).await?;
    // Test runs are the first to wait when the node is busy: they make turns as well.
    let test_runs = match slots.turns.has_open_room() {
        true => find(&mut conn, SharedWork::TestRuns, &slots.test_runs, now, &mut due).await?,
        false => Vec::new(),
    };
    due.turns = turns.into_iter().map(DueEntry::turn).collect();
    due.sends = sends.into_iter().map(DueEntry::send).collect();
    due.test_runs = test_runs.into_iter().map(DueEntry::test_run).collect();
    Ok(due)
}

async fn find(
    conn: &mut Conn<'_>,
    work: SharedWork,
    pool: &Pool,
    now: Timestamp,
    found: &mut Due,
) -> store::Result<Vec<DueEntry>> {
    if !pool.has_room() {
        found.left_over = true;
        return Ok(Vec::new());
    }
    let mut all = due::due(conn, work, now, BATCH + 1).await?;
    let is_all = all.len() as i64 <= BATCH;
    // Work of archived projects stays due, and must hide no other.
    all.retain(|entry| !entry.stopped);
    let (waiting, more_after) = match is_all {
        true => (by_project(all), None),
        false => each_project(conn, work, pool, now).await?,
    };
    let count: usize = waiting.iter().map(|(_, entries)| entries.len()).sum();
    let selected = pool.share(waiting);
    found.left_over |= !is_all || selected.len() < count;
    found.again |= more_after.is_some() || !is_all && !selected.is_empty();
    if let Some(project) = more_after {
        pool.set_last(project);
    }
    Ok(selected)
}

fn by_project(entries: Vec<DueEntry>) -> Waiting {
    let mut waiting = Waiting::new();
    for entry in entries {
        match waiting.last_mut() {
            Some((project, queue)) if *project == entry.project_id => queue.push_back(entry),
            _ => waiting.push((entry.project_id, VecDeque::from([entry]))),
        }
    }
    waiting
}

type Waiting = Vec<(ProjectId, VecDeque<DueEntry>)>;

/// Some entries of each project that may begin work, from the project that is next in the circle;
/// and the last project that was looked at, if there are more than one scan looks at.
async fn each_project(
    conn: &mut Conn<'_>,
    work: SharedWork,
    pool: &Pool,
    now: Timestamp,
) -> store::Result<(Waiting, Option<ProjectId>)> {
    let last = pool.last();
    let mut projects = due::projects_with(conn, work, last, PROJECTS).await?;
    let left = PROJECTS - projects.len() as i64;
    if left > 0 && !last.uuid().is_nil() {
        let first = due::projects_with(conn, work, Id::from_uuid(Uuid::nil()), left).await?;
        projects.extend(first.into_iter().filter(|project| *project <= last));
    }
    let more_after = projects.last().copied().filter(|_| projects.len() as i64 == PROJECTS);
    projects.retain(|project| pool.room(*project) > 0);
    let share = (BATCH / (projects.len() as i64).max(1)).max(1);
    let mut waiting = Waiting::new();
    for project in projects {
        let limit = share.min(i64::try_from(pool.room(project)).unwrap_or(share));
        let entries = due::due_of(conn, project, work, now, limit).await?;
        waiting.push((project, VecDeque::from(entries)));
    }
    Ok((waiting, more_after))
}
