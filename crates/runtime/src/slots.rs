//! Slots for the concurrent work of a node, which projects share.
//!
//! A project holds at most its limit of slots. The last quarter of a pool is for projects that hold
//! none, so one project, or a few, cannot make the work of another wait. A free slot goes to the
//! project that holds the fewest; projects that hold equally many take turns.

use domain::{Id, ids::ProjectId};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// Turns at once on a node; each waits for a model most of the time.
const TURNS: usize = 256;
/// Sends at once: apart from turns, so that a model that hangs does not keep answers from leaving.
const SENDS: usize = 128;
/// Sends at once of one project.
const PROJECT_SENDS: usize = 64;
/// Test runs at once.
const TEST_RUNS: usize = 64;
/// Test runs at once of one project.
const PROJECT_TEST_RUNS: usize = 16;

/// The pools of a node.
pub struct Slots {
    pub(crate) turns: Pool,
    pub(crate) sends: Pool,
    pub(crate) test_runs: Pool,
}

impl Slots {
    /// `project_turns` is the limit of turns of one project; 0 for none.
    pub(crate) fn new(project_turns: usize) -> Self {
        Self {
            turns: Pool::new(TURNS, project_turns),
            sends: Pool::new(SENDS, PROJECT_SENDS),
            test_runs: Pool::new(TEST_RUNS, PROJECT_TEST_RUNS),
        }
    }

    /// Slots in use, by the kind of work.
    pub fn used(&self) -> [(&'static str, usize); 3] {
        [("turns", self.turns.used()), ("sends", self.sends.used()), ("test_runs", self.test_runs.used())]
    }
}

/// Slots for one kind of work.
pub(crate) struct Pool(Arc<Mutex<Counts>>);

/// A slot in use; dropping it frees the slot.
pub(crate) struct Slot {
    counts: Arc<Mutex<Counts>>,
    project: ProjectId,
}

#[derive(Debug, Clone)]
struct Counts {
    total: usize,
    /// 0 for no limit.
    per_project: usize,
    used: usize,
    held: HashMap<ProjectId, usize>,
    /// Project that was served last.
    last: ProjectId,
}

impl Pool {
    fn new(total: usize, per_project: usize) -> Self {
        let last = Id::from_uuid(Uuid::nil());
        Self(Arc::new(Mutex::new(Counts { total, per_project, used: 0, held: HashMap::new(), last })))
    }

    /// Takes a slot; `None` if there is none for this project.
    pub(crate) fn take(&self, project: ProjectId) -> Option<Slot> {
        let taken = self.counts().take(project);
        taken.then(|| Slot { counts: self.0.clone(), project })
    }

    /// Slots that the project could take now.
    pub(crate) fn room(&self, project: ProjectId) -> usize {
        self.counts().room(project)
    }

    /// False if not even a project without slots gets one.
    pub(crate) fn has_room(&self) -> bool {
        let counts = self.counts();
        counts.used < counts.total
    }

    /// False if only projects without slots get one.
    pub(crate) fn has_open_room(&self) -> bool {
        self.counts().open() > 0
    }

    fn used(&self) -> usize {
        self.counts().used
    }

    /// Project after which the next search for work begins.
    pub(crate) fn last(&self) -> ProjectId {
        self.counts().last
    }

    pub(crate) fn set_last(&self, project: ProjectId) {
        self.counts().last = project;
    }

    /// Selects the work that may begin, from lists of single projects. Takes no slots.
    pub(crate) fn share<T>(&self, waiting: Vec<(ProjectId, VecDeque<T>)>) -> Vec<T> {
        let mut counts = self.counts();
        let mut plan = counts.clone();
        let selected = plan.share(waiting);
        counts.last = plan.last;
        selected
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn held(&self, project: ProjectId) -> usize {
        self.held.get(&project).copied().unwrap_or(0)
    }

    /// Free slots without the reserve.
    fn open(&self) -> usize {
        (self.total - self.total / 4).saturating_sub(self.used)
    }

    fn room(&self, project: ProjectId) -> usize {
        let (held, free) = (self.held(project), self.total.saturating_sub(self.used));
        let room = if held == 0 { self.open().max(free.min(1)) } else { self.open() };
        match self.per_project {
            0 => room,
            limit => room.min(limit.saturating_sub(held)),
        }
    }

    fn take(&mut self, project: ProjectId) -> bool {
        if self.room(project) == 0 {
            return false;
        }
        self.used += 1;
        *self.held.entry(project).or_default() += 1;
        true
    }

    fn release(&mut self, project: ProjectId) {
        self.used = self.used.saturating_sub(1);
        if let Some(held) = self.held.get_mut(&project) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&project);
            }
        }
    }

    fn share<T>(&mut self, mut waiting: Vec<(ProjectId, VecDeque<T>)>) -> Vec<T> {
        let mut selected = Vec::new();
        loop {
            let ready = waiting.iter_mut().filter(|(project, work)| !work.is_empty() && self.room(*project) > 0);
            let next = ready.min_by_key(|(project, _)| (self.held(*project), *project <= self.last, *project));
            let Some((project, work)) = next else { return selected };
            self.take(*project);
            self.last = *project;
            selected.extend(work.pop_front());
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).release(self.project);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(number: u128) -> ProjectId {
        Id::from_uuid(Uuid::from_u128(number))
    }

    /// Work of a project: its number, repeated.
    fn waiting(projects: &[(u128, usize)]) -> Vec<(ProjectId, VecDeque<u128>)> {
        projects.iter().map(|(number, count)| (project(*number), VecDeque::from(vec![*number; *count]))).collect()
    }

    #[test]
    fn project_holds_at_most_its_limit() {
        let pool = Pool::new(40, 3);
        let mut held: Vec<_> = (0..3).map(|_| pool.take(project(1)).unwrap()).collect();
        assert!(pool.take(project(1)).is_none());
        held.pop();
        assert_eq!(pool.room(project(1)), 1);
        assert!(pool.take(project(1)).is_some());
        drop(held);
        assert_eq!(pool.used(), 0);
        assert!(pool.counts().held.is_empty(), "nothing is kept of projects without slots");
    }

    #[test]
    fn last_quarter_is_for_projects_that_hold_nothing() {
        let pool = Pool::new(8, 0);
        let busy: Vec<_> = (0..6).map(|_| pool.take(project(1)).unwrap()).collect();
        assert!(pool.take(project(1)).is_none() && !pool.has_open_room());
        let second = pool.take(project(2)).unwrap();
        assert!(pool.take(project(2)).is_none(), "it holds one now");
        let third = pool.take(project(3)).unwrap();
        assert!(pool.take(project(4)).is_none() && !pool.has_room(), "all are in use");
        drop(second);
        assert!(pool.take(project(4)).is_some());
        drop((busy, third));
    }

    #[test]
    fn free_slots_go_to_the_project_that_holds_the_fewest() {
        let pool = Pool::new(8, 0);
        let _held = [pool.take(project(1)), pool.take(project(1)), pool.take(project(2))];
        assert_eq!(pool.share(waiting(&[(1, 9), (2, 9), (3, 9)])), [3, 2, 3]);
        assert_eq!(pool.used(), 3, "nothing was taken");
    }

    #[test]
    fn projects_with_equal_slots_take_turns() {
        let pool = Pool::new(4, 0);
        let one_by_one: Vec<u128> = (0..6)
            .flat_map(|_| {
                let _held = [pool.take(project(8)), pool.take(project(9))];
                pool.share(waiting(&[(1, 5), (2, 5), (3, 5)]))
            })
            .collect();
        assert_eq!(one_by_one, [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3], "two each time, one of them from the reserve");
    }
}
