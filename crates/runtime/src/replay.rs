//! Replays an execution: feeds its journal through the engine, with no network and no clock, and
//! compares the results with what the live run stored, byte for byte.

use crate::{
    Context,
    execution::{InitialState, compile, history_window},
    json::{from_json, to_json},
};
use domain::{
    Timestamp,
    chat::ModelRequest,
    ids::{ConversationId, ExecutionId, ProjectId, SnapshotId},
};
use engine::{
    CallModel, CompileError, Compiled, Facts, Input, State, Step, advance, fail_unrunnable, force_end, model_request,
};
use serde_json::Value;
use std::sync::Arc;
use store::{
    Conn, Error, executions,
    journal::{self, JournalRow},
};

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
    Ok(replay_to(conn, project, id, step_no, &|_| None).await?.1)
}

/// The agent of an execution, its state after one of its steps, and what that step returned.
async fn replay_to(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ExecutionId,
    step_no: i64,
    compiled: Lookup<'_>,
) -> store::Result<(Agent, State, Step)> {
    let row = executions::state(conn, project, id).await?.ok_or_else(|| damaged("execution", "it is missing"))?;
    let live = State::load(row.state_format, &row.state).map_err(|why| damaged("state", &why))?;
    let (agent, mut state) = initial(conn, project, id, row.snapshot_id, live.facts, compiled).await?;
    let mut done = 0;
    let mut latest = Step::default();
    while done < step_no {
        let steps = journal::read(conn, project, id, done).await?;
        let Some(last) = steps.last().map(|step| step.step_no) else { break };
        for stored in steps.iter().filter(|step| step.step_no <= step_no) {
            latest = run_step(&agent, &mut state, stored.at, &from_json::<Vec<Input>>("journal", &stored.inputs)?);
        }
        done = last;
    }
    Ok((agent, state, latest))
}

/// A step as the journal holds it, and what it led to.
#[derive(Debug, Clone)]
pub struct StepRecord {
    pub row: JournalRow,
    /// The model request that the step asked for.
    pub request: Option<Rebuilt>,
    /// The input with the result of the step's effect, JSON.
    pub outcome: Option<Value>,
}

/// A model request, built again from the journal. No request is stored.
#[derive(Debug, Clone)]
pub enum Rebuilt {
    Request(Box<ModelRequest>, ConversationId),
    /// This version of the engine does not repeat the step.
    Differs,
}

/// Reads a step. Rebuilds its model request by a replay of all steps until then.
pub async fn step(
    ctx: &Context,
    project: ProjectId,
    id: ExecutionId,
    step_no: i64,
) -> store::Result<Option<StepRecord>> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let Some(row) = journal::step(&mut conn, project, id, step_no).await? else { return Ok(None) };
    let effects: Vec<Value> = from_json("journal", &row.effects)?;
    let is = |effect: &&Value, kinds: &[&str]| kinds.iter().any(|kind| effect["effect"] == *kind);
    let awaited = effects.iter().find(|effect| is(effect, &["call_model", "call_tool", "retrieve", "list_tools"]));
    let awaited = awaited.or_else(|| effects.iter().find(|effect| is(effect, &["send"])));
    let outcome = match awaited.and_then(|effect| effect["id"].as_str()) {
        Some(effect) => outcome(&mut conn, project, id, step_no, effect).await?,
        None => None,
    };
    let request = match effects.iter().find(|effect| is(effect, &["call_model"])) {
        Some(call) => Some(rebuild(ctx, &mut conn, project, id, &row, call).await?),
        None => None,
    };
    Ok(Some(StepRecord { row, request, outcome }))
}

/// The input of a later step that ended the effect.
async fn outcome(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ExecutionId,
    step_no: i64,
    effect: &str,
) -> store::Result<Option<Value>> {
    for inputs in journal::inputs_with(conn, project, id, step_no, effect).await? {
        let inputs: Vec<Value> = from_json("journal", &inputs)?;
        if let Some(found) = inputs.into_iter().find(|input| input["effect"] == effect) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn rebuild(
    ctx: &Context,
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: ExecutionId,
    row: &JournalRow,
    call: &Value,
) -> store::Result<Rebuilt> {
    let compiled = |snapshot| ctx.compiled(snapshot);
    let (agent, state, step) = match replay_to(conn, project, id, row.step_no, &compiled).await {
        Ok(replayed) => replayed,
        // An older format of the state or the journal.
        Err(Error::Damaged { .. }) => return Ok(Rebuilt::Differs),
        Err(error) => return Err(error),
    };
    let is_equal = to_json("step", &step.effects)? == row.effects;
    match (agent, serde_json::from_value::<CallModel>(call.clone())) {
        (Ok(agent), Ok(call)) if is_equal => {
            let rows = history_window(conn, project, id, &call).await?;
            let request = model_request(&agent, &state, &call, &rows);
            Ok(Rebuilt::Request(Box::new(request), state.facts.conversation_id))
        }
        _ => Ok(Rebuilt::Differs),
    }
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
