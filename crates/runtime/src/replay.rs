//! Feeds an execution's journal through the engine again, with no network and no clock, and compares what comes out with
//! what the live run stored, byte for byte.

use crate::test_mode::Base;
use domain::{
    Timestamp,
    ids::{ExecutionId, ProjectId, SnapshotId},
};
use engine::{AgentContent, CannotRun, Compiled, Facts, Input, State, Step, advance, fail_unrunnable};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use store::{Conn, Error, agents, executions, journal};

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Steps fed.
    pub steps: i64,
    /// Effects compared.
    pub effects: usize,
    /// The first difference, if any.
    pub difference: Option<Difference>,
}

/// Where a replay parts from the live run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The step, from 1.
    pub step_no: i64,
    /// `effects`, `events` or `state`.
    pub what: &'static str,
    /// What the live run stored.
    pub stored: String,
    /// What comes out now.
    pub replayed: String,
}

/// Replays an execution with agents that `compiled` may have already: for whoever replays thousands.
pub async fn replay(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ExecutionId,
    compiled: Known<'_>,
) -> store::Result<Replay> {
    let row = executions::state(conn, project, id).await?.ok_or_else(|| damaged("execution", "gone"))?;
    let mut found = Replay { steps: 0, effects: 0, difference: None };
    if row.state.is_empty() {
        return Ok(found);
    }
    let live = State::load(row.state_format, &row.state).map_err(|why| damaged("state", &why))?;
    let (agent, mut state) = beginning(conn, project, id, row.snapshot_id, live.facts, compiled).await?;
    loop {
        let steps = journal::read(conn, project, id, found.steps).await?;
        if steps.is_empty() {
            break;
        }
        for stored in steps {
            let inputs: Vec<Input> = read("journal", &stored.inputs)?;
            let step = again(&agent, &mut state, stored.at, &inputs);
            found.steps = stored.step_no;
            found.effects += step.effects.len();
            for (what, stored_text, now) in
                [("effects", &stored.effects, write(&step.effects)?), ("events", &stored.events, write(&step.events)?)]
            {
                if *stored_text != now {
                    let stored = stored_text.clone();
                    found.difference = Some(Difference { step_no: found.steps, what, stored, replayed: now });
                    return Ok(found);
                }
            }
        }
    }
    let replayed = write(&state)?;
    if replayed != row.state {
        found.difference = Some(Difference { step_no: found.steps, what: "state", stored: row.state, replayed });
    }
    Ok(found)
}

type Agent = Result<Arc<Compiled>, CannotRun>;
/// Agents that are compiled already.
pub type Known<'a> = &'a (dyn Fn(SnapshotId) -> Option<Arc<Compiled>> + Sync);

/// The agent of an execution, and the state before its first step.
async fn beginning(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ExecutionId,
    snapshot: SnapshotId,
    facts: Facts,
    compiled: Known<'_>,
) -> store::Result<(Agent, State)> {
    let agent = match compiled(snapshot) {
        Some(agent) => Ok(agent),
        None => {
            let content = agents::snapshot(conn, project, snapshot).await?;
            let content = content.ok_or_else(|| damaged("snapshot", "gone"))?;
            Compiled::new(&read::<AgentContent>("snapshot", &content)?).map(Arc::new)
        }
    };
    let state = match executions::began_with(conn, project, id).await? {
        Some(base) => {
            let base: Base = read("state", &base)?;
            State::load(base.format, &base.state.to_string()).map_err(|why| damaged("state", &why))?
        }
        None => State::new(facts),
    };
    Ok((agent, state))
}

fn again(agent: &Agent, state: &mut State, at: Timestamp, inputs: &[Input]) -> Step {
    match agent {
        Ok(agent) => advance(agent, state, at, inputs),
        Err(why) => fail_unrunnable(state, at, &why.to_string()),
    }
}

/// The state of an execution after one of its steps, by replay.
pub(crate) async fn state_at(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ExecutionId,
    step_no: i64,
) -> store::Result<State> {
    let row = executions::state(conn, project, id).await?.ok_or_else(|| damaged("execution", "gone"))?;
    let live = State::load(row.state_format, &row.state).map_err(|why| damaged("state", &why))?;
    let (agent, mut state) = beginning(conn, project, id, row.snapshot_id, live.facts, &|_| None).await?;
    let mut done = 0;
    while done < step_no {
        let steps = journal::read(conn, project, id, done).await?;
        let Some(last) = steps.last().map(|step| step.step_no) else { break };
        for stored in steps.iter().filter(|step| step.step_no <= step_no) {
            again(&agent, &mut state, stored.at, &read::<Vec<Input>>("journal", &stored.inputs)?);
        }
        done = last;
    }
    Ok(state)
}

fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> store::Result<T> {
    serde_json::from_str(text).map_err(|error| damaged(what, &error.to_string()))
}

fn write<T: serde::Serialize>(value: &T) -> store::Result<String> {
    serde_json::to_string(value).map_err(|error| damaged("step", &error.to_string()))
}

fn damaged(what: &'static str, why: &str) -> Error {
    Error::Damaged { what, why: why.into() }
}
