//! Register of the work in progress, in a file of the data folder.
//!
//! A process that dies leaves its entries in the file. The next process of the folder reads them
//! and counts a death for each (see `poison`). The database cannot do this without another commit
//! per turn: the claim and the first step, which may be what kills the process, are one
//! transaction. Entries are not flushed, because they must survive the process, not a power cut.

use domain::ids::ProjectId;
use std::{
    collections::HashMap,
    fs::File,
    io::{Read as _, Write as _},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{Mutex, PoisonError},
};
use store::suspects::{SuspectRow, WorkId, WorkKind};
use uuid::Uuid;

const FILE: &str = "in-flight";
/// Bytes of an entry: its state, its kind, the project, the subject.
const ENTRY: usize = 34;
/// Above the sum of the workers' limits and of ordinary numbers of concurrent webhooks. Work that
/// finds no free slot runs without an entry.
const SLOTS: usize = 1_024;

/// An entry that a dead process left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub work: WorkId,
    /// No other work ran.
    pub alone: bool,
}

/// The register, and the suspects that this process knows.
#[derive(Default)]
pub struct InFlight {
    slots: Option<Slots>,
    known: Mutex<Known>,
    exclusive: tokio::sync::Mutex<()>,
}

struct Slots {
    file: File,
    free: Mutex<Vec<usize>>,
}

#[derive(Default)]
struct Known {
    /// Deaths by work.
    deaths: HashMap<WorkId, i64>,
    /// The work that runs alone.
    alone: Option<WorkId>,
}

/// Removes the entry when dropped: when the work ends, fails, panics or is cancelled.
pub(crate) struct InFlightGuard<'a> {
    slots: Option<(&'a Slots, usize)>,
}

impl InFlight {
    /// Opens the register of a folder, and returns the entries that an earlier process left. Only
    /// one process may have it open.
    pub fn open(folder: &Path) -> std::io::Result<(Self, Vec<Left>)> {
        let path = folder.join(FILE);
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let left = once_each(bytes.chunks_exact(ENTRY).filter_map(parse));
        file.set_len(0)?;
        file.write_all(&[0; ENTRY * SLOTS])?;
        let slots = Slots { file, free: Mutex::new((0..SLOTS).rev().collect()) };
        Ok((Self { slots: Some(slots), ..Self::default() }, left))
    }

    /// Waits until no other work runs alone. Two entries with the mark would both count as the cause
    /// of a death.
    pub(crate) async fn exclusive(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.exclusive.lock().await
    }

    /// Adds an entry, which exists until the guard is dropped.
    pub(crate) fn enter(&self, work: WorkId) -> InFlightGuard<'_> {
        let alone = self.known().alone == Some(work);
        self.enter_as(work, alone)
    }

    /// As [`Self::enter`], for a caller that makes sure that the work runs alone.
    pub(crate) fn enter_as(&self, work: WorkId, alone: bool) -> InFlightGuard<'_> {
        let Some(slots) = &self.slots else { return InFlightGuard { slots: None } };
        let place = slots.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(place) = place else { return InFlightGuard { slots: None } };
        slots.write(place, &format(work, alone));
        InFlightGuard { slots: Some((slots, place)) }
    }

    /// Sets the work that runs alone. Entries that were written as alone are not any more.
    pub(crate) fn set_alone(&self, work: Option<WorkId>) {
        self.known().alone = work;
        let Some(slots) = &self.slots else { return };
        let mut bytes = vec![0; ENTRY * SLOTS];
        if slots.file.read_exact_at(&mut bytes, 0).is_err() {
            return;
        }
        for (place, entry) in bytes.chunks_exact(ENTRY).enumerate() {
            if let Some(Left { work, alone: true }) = parse(entry) {
                slots.write(place, &format(work, false));
            }
        }
    }

    /// Parked work counts from zero again, except for webhooks: an equal body is the same work.
    pub(crate) fn set_suspects(&self, rows: &[SuspectRow]) {
        let counted = rows.iter().filter(|row| row.parked_at.is_none() || row.kind == WorkKind::Webhook);
        self.known().deaths = counted.map(|row| (row.work(), row.deaths)).collect();
    }

    /// Deaths and panics since this work last committed an outcome.
    pub(crate) fn deaths(&self, work: WorkId) -> i64 {
        self.known().deaths.get(&work).copied().unwrap_or(0)
    }

    pub(crate) fn set_deaths(&self, work: WorkId, deaths: i64) {
        self.known().deaths.insert(work, deaths);
    }

    pub(crate) fn forget(&self, work: WorkId) {
        self.known().deaths.remove(&work);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// A failure leaves the work without an entry, which is no reason not to do it.
    fn write(&self, place: usize, entry: &[u8; ENTRY]) {
        if let Err(error) = self.file.write_all_at(entry, (place * ENTRY) as u64) {
            tracing::debug!(%error, "cannot record work in progress");
        }
    }
}

impl Drop for InFlightGuard<'_> {
    fn drop(&mut self) {
        if let Some((slots, place)) = self.slots {
            slots.write(place, &[0; ENTRY]);
            slots.free.lock().unwrap_or_else(PoisonError::into_inner).push(place);
        }
    }
}

/// Work that was in progress twice died once: Meta repeats a webhook while the first delivery is
/// processed.
fn once_each(left: impl Iterator<Item = Left>) -> Vec<Left> {
    let mut once: Vec<Left> = Vec::new();
    for entry in left {
        match once.iter_mut().find(|other| other.work == entry.work) {
            Some(other) => other.alone |= entry.alone,
            None => once.push(entry),
        }
    }
    once
}

/// A word's place in [`WorkKind::ALL`], plus one, is its byte.
fn format(work: WorkId, alone: bool) -> [u8; ENTRY] {
    let mut entry = [0; ENTRY];
    entry[0] = if alone { 2 } else { 1 };
    let place = WorkKind::ALL.iter().position(|kind| *kind == work.kind);
    entry[1] = place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX);
    entry[2..18].copy_from_slice(work.project.uuid().as_bytes());
    entry[18..].copy_from_slice(work.subject.as_bytes());
    entry
}

/// `None` for a free slot.
fn parse(entry: &[u8]) -> Option<Left> {
    let alone = match entry.first()? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let kind = *WorkKind::ALL.get(usize::from(*entry.get(1)?))?;
    let project = ProjectId::from_uuid(Uuid::from_slice(entry.get(2..18)?).ok()?);
    let subject = Uuid::from_slice(entry.get(18..ENTRY)?).ok()?;
    Some(Left { work: WorkId { kind, project, subject }, alone })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(kind: WorkKind, number: u128) -> WorkId {
        WorkId { kind, project: ProjectId::from_uuid(Uuid::from_u128(7)), subject: Uuid::from_u128(number) }
    }

    #[test]
    fn work_of_a_dead_process_is_found_and_finished_work_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (register, left) = InFlight::open(folder.path()).unwrap();
        assert_eq!(left, []);
        for (number, kind) in WorkKind::ALL.iter().enumerate() {
            std::mem::forget(register.enter(work(*kind, number as u128)));
        }
        drop(register.enter(work(WorkKind::Turn, 99)));
        register.set_alone(Some(work(WorkKind::Send, 50)));
        std::mem::forget(register.enter(work(WorkKind::Send, 50)));
        drop(register);
        let (_, left) = InFlight::open(folder.path()).unwrap();
        let mut expected: Vec<Left> = WorkKind::ALL
            .iter()
            .enumerate()
            .map(|(number, kind)| Left { work: work(*kind, number as u128), alone: false })
            .collect();
        expected.push(Left { work: work(WorkKind::Send, 50), alone: true });
        assert_eq!(left, expected);
        assert_eq!(InFlight::open(folder.path()).unwrap().1, [], "entries are read once");
    }

    #[test]
    fn work_that_is_not_alone_any_more_loses_the_mark() {
        let folder = tempfile::tempdir().unwrap();
        let (register, _) = InFlight::open(folder.path()).unwrap();
        register.set_alone(Some(work(WorkKind::Turn, 1)));
        std::mem::forget(register.enter(work(WorkKind::Turn, 1)));
        register.set_alone(None);
        drop(register);
        assert_eq!(InFlight::open(folder.path()).unwrap().1, [Left { work: work(WorkKind::Turn, 1), alone: false }]);
    }

    #[test]
    fn work_in_progress_twice_dies_once() {
        let folder = tempfile::tempdir().unwrap();
        let (register, _) = InFlight::open(folder.path()).unwrap();
        for alone in [false, true, false] {
            std::mem::forget(register.enter_as(work(WorkKind::Webhook, 1), alone));
        }
        drop(register);
        assert_eq!(InFlight::open(folder.path()).unwrap().1, [Left { work: work(WorkKind::Webhook, 1), alone: true }]);
    }

    #[test]
    fn work_without_a_free_slot_still_runs() {
        let folder = tempfile::tempdir().unwrap();
        let (register, _) = InFlight::open(folder.path()).unwrap();
        let guards: Vec<_> = (0..SLOTS + 5).map(|number| register.enter(work(WorkKind::Job, number as u128))).collect();
        drop(guards);
        assert_eq!(register.slots.as_ref().unwrap().free.lock().unwrap().len(), SLOTS);
    }
}
