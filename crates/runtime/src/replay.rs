//! Replays an execution: feeds its journal through the engine, with no network and no clock, and
//! compares the results with what the live run stored, byte for byte.

use crate::{
    execution::{InitialState, compile},
    json::{from_json, to_json},
};
use domain::{
    Timestamp,
    ids::{ExecutionId, ProjectId, SnapshotId},
};
use engine::{CompileError, Compiled, Facts, Input, State, Step, advance, fail_unrunnable, force_end};
use std::sync::Arc;
use store::{Conn, Error, executions, journal};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Steps replayed.
    pub steps: i64,
    /// Effects compared.
    pub effects: usize,
    /// The first difference, if any.
    pub difference: Option<Difference>,
}

/// The point at which a replay differs from the live run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The step, from 1.
    pub step_no: i64,
    /// `effects`, `events` or `state`.
    pub what: &'static str,
    pub stored: String,
    pub replayed: String,
}

/// Looks up agents that are compiled already, for callers that replay thousands of executions.
pub type Lookup<'a> = &'a (dyn Fn(SnapshotId) -> Option<Arc<Compiled>> + Sync);

pub async fn replay(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ExecutionId,
    compiled: Lookup<'_>,
) -> store::Result<Replay> {
    let row = executions::state(conn, project, id).await?.ok_or_else(|| damaged("execution", "it is missing"))?;
    let mut result = Replay { steps: 0, effects: 0, difference: None };
    if row.state.is_empty() {
        return Ok(result);
    }
    let live = State::load(row.state_format, &row.state).map_err(|why| damaged("state", &why))?;
    let (agent, mut state) = initial(conn, project, id, row.snapshot_id, live.facts, compiled).await?;
    loop {
        let steps = journal::read(conn, project, id, result.steps).await?;
        if steps.is_empty() {
            break;
        }
        for stored in steps {
            let inputs: Vec<Input> = from_json("journal", &stored.inputs)?;
            let step = run_step(&agent, &mut state, stored.at, &inputs);
            result.steps = stored.step_no;
            result.effects += step.effects.len();
            for (what, stored_text, now) in [
                ("effects", &stored.effects, to_json("step", &step.effects)?),
                ("events", &stored.events, to_json("step", &step.events)?),
            ] {
                if *stored_text != now {
                    let stored = stored_text.clone();
                    result.difference = Some(Difference { step_no: result.steps, what, stored, replayed: now });
                    return Ok(result);
                }
            }
        }
    }
    let replayed = to_json("step", &state)?;
    if replayed != row.state {
        result.difference = Some(Difference { step_no: result.steps, what: "state", stored: row.state, replayed });
    }
    Ok(result)
}

/// The state of an execution after one of its steps.
pub(crate) async fn state_at(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ExecutionId,
    step_no: i64,
) -> store::Result<State> {
    let row = executions::state(conn, project, id).await?.ok_or_else(|| damaged("execution", "it is missing"))?;
    let live = State::load(row.state_format, &row.state).map_err(|why| damaged("state", &why))?;
    let (agent, mut state) = initial(conn, project, id, row.snapshot_id, live.facts, &|_| None).await?;
    let mut done = 0;
    while done < step_no {
        let steps = journal::read(conn, project, id, done).await?;
        let Some(last) = steps.last().map(|step| step.step_no) else { break };
        for stored in steps.iter().filter(|step| step.step_no <= step_no) {
            run_step(&agent, &mut state, stored.at, &from_json::<Vec<Input>>("journal", &stored.inputs)?);
        }
        done = last;
    }
    Ok(state)
}

type Agent = Result<Arc<Compiled>, CompileError>;

/// The agent of an execution and the state before its first step.
async fn initial(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ExecutionId,
    snapshot: SnapshotId,
    facts: Facts,
    compiled: Lookup<'_>,
) -> store::Result<(Agent, State)> {
    let agent = match compiled(snapshot) {
        Some(agent) => Ok(agent),
        None => compile(conn, project, snapshot).await?,
    };
    let state = match executions::began_with(conn, project, id).await? {
        Some(initial) => {
            let initial: InitialState = from_json("state", &initial)?;
            State::load(initial.format, &initial.state.to_string()).map_err(|why| damaged("state", &why))?
        }
        None => State::new(facts),
    };
    Ok((agent, state))
}

fn run_step(agent: &Agent, state: &mut State, at: Timestamp, inputs: &[Input]) -> Step {
    if let [Input::ForceEnd { end, code, message }] = inputs {
        return force_end(state, at, *end, code, message);
    }
    match agent {
        Ok(agent) => advance(agent, state, at, inputs),
        Err(why) => fail_unrunnable(state, at, inputs, &why.to_string()),
    }
}

fn damaged(what: &'static str, why: &str) -> Error {
    Error::Damaged { what, why: why.into() }
}
