//! Reads the events of an execution from its journal, from any place.

use domain::{
    Timestamp,
    ids::{ExecutionId, ProjectId},
};
use engine::Event;
use store::{
    Conn, Error, Result, Store,
    journal::{self, StepEvents},
};

/// Steps of one read.
const BATCH: i64 = 500;

/// A reader of an execution's events.
pub(super) struct JournalEvents {
    project: ProjectId,
    execution: ExecutionId,
    /// Last step whose events were read or passed over.
    step_no: i64,
}

impl JournalEvents {
    /// A reader that begins with the step of the first event after `seq`. Finds it in a number of
    /// reads that grows with the logarithm of the number of steps, because events of later steps have
    /// higher numbers.
    pub(super) async fn after(store: &Store, project: ProjectId, execution: ExecutionId, seq: u64) -> Result<Self> {
        let mut reader = store.read().await?;
        let mut conn = reader.conn();
        let mut events = Self { project, execution, step_no: 0 };
        if seq == 0 {
            return Ok(events);
        }
        let mut width = 1;
        while events.pass(&mut conn, width, seq).await? {
            width *= 2;
        }
        while width > 1 {
            let half = width / 2;
            width = if events.pass(&mut conn, half, seq).await? { width - half } else { half };
        }
        Ok(events)
    }

    /// Looks at the first step with events that is at least `steps` ahead. Passes it over if its
    /// events are not after `seq`, with all steps before it.
    async fn pass(&mut self, conn: &mut Conn<'_>, steps: i64, seq: u64) -> Result<bool> {
        let at = self.step_no + steps - 1;
        let found = journal::events(conn, self.project, self.execution, at, 1).await?;
        let Some(step) = found.first() else { return Ok(false) };
        let passed = parse(step)?.last().is_none_or(|event| event.seq <= seq);
        if passed {
            self.step_no = step.step_no;
        }
        Ok(passed)
    }

    /// Events of the next steps, with their steps; empty if no further step has events yet.
    pub(super) async fn next(&mut self, store: &Store) -> Result<Vec<(Event, i64, Timestamp)>> {
        let mut reader = store.read().await?;
        let steps = journal::events(&mut reader.conn(), self.project, self.execution, self.step_no, BATCH).await?;
        let mut events = Vec::new();
        for step in &steps {
            events.extend(parse(step)?.into_iter().map(|event| (event, step.step_no, step.at)));
            self.step_no = step.step_no;
        }
        Ok(events)
    }
}

fn parse(step: &StepEvents) -> Result<Vec<Event>> {
    serde_json::from_str(&step.events).map_err(|error| Error::Damaged { what: "events", why: error.to_string() })
}
