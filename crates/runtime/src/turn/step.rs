//! One engine step as one commit: outcome, state, history, journal, outbox rows, timers and event together, under the
//! conversation's epoch. Whatever holds the conversation calls this: a claim, a running turn, or a settled send.

use super::{contact_context, mailbox as waiting, pending::Todo};
use crate::{
    Context,
    json::{from_json, to_json},
    outbox::{self, Parcel, Said},
    test_mode,
    workers::AT_ONCE,
};
use domain::{
    Timestamp,
    chat::ChatMessage,
    event::Event,
    execution::ExecutionStatus,
    ids::{ExecutionId, ProjectId, SnapshotId},
    message::MessageOrigin,
};
use engine::{AgentContent, CallModel, Compiled, Effect, Facts, Input, STATE_FORMAT, SendOutcome, State, Step};
use serde_json::json;
use std::sync::Arc;
use store::{
    Error, Result, Tx, agents,
    conversations::{self, ConversationRow, Release},
    events,
    executions::{self, NewExecution, Saved},
    history::{self, HistoryRow},
    journal::{self, JournalRow},
    mailbox, timers,
};

/// Format of the journal's texts.
const JOURNAL_FORMAT: i64 = 1;

/// A held conversation whose turn goes on.
#[derive(Debug, Clone)]
pub struct Held {
    pub(crate) project: ProjectId,
    pub(crate) conversation: ConversationRow,
    pub(crate) execution: ExecutionId,
    pub(crate) agent: Arc<Compiled>,
    pub(crate) state: State,
    pub(crate) step_no: i64,
    pub(crate) todo: Todo,
}

/// How the conversation came into these hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It was due and nobody had it: whoever was at work on it before is gone.
    Claimed,
    /// It is held already, or taken together with an outcome.
    Kept,
}

/// Takes everything that waits for the conversation and `outcomes` as far as they go. `None`: the conversation rests and
/// is released.
pub(crate) async fn step(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationRow,
    hold: Hold,
    outcomes: &[Input],
) -> Result<Option<Held>> {
    step_from(ctx, tx, project, conversation, outcomes, Begin::Load(hold)).await
}

/// [`step`] of a turn that this node holds: what its last step left is in hand and, under the conversation's epoch, still
/// what is stored.
pub(super) async fn step_on(
    ctx: &Context,
    tx: &mut Tx<'_>,
    turn: &Held,
    conversation: ConversationRow,
    outcomes: &[Input],
) -> Result<Option<Held>> {
    let known = Run {
        id: turn.execution,
        agent: Some(turn.agent.clone()),
        broken: String::new(),
        stored_as: turn.state.status,
        state: turn.state.clone(),
        step_no: turn.step_no,
        // What is new of the contact is told when the next turn is claimed.
        about_version: turn.state.contact.as_ref().map_or(0, |contact| contact.version),
        after: Timestamp::from_micros(0),
    };
    step_from(ctx, tx, turn.project, conversation, outcomes, Begin::With(Box::new(known))).await
}

/// What a step begins with.
enum Begin {
    /// What is stored.
    Load(Hold),
    /// What this node has in hand.
    With(Box<Run>),
}

async fn step_from(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationRow,
    outcomes: &[Input],
    begin: Begin,
) -> Result<Option<Held>> {
    let now = ctx.now();
    let taken = waiting::take(tx, project, &conversation).await?;
    if taken.waits {
        release(tx, project, &conversation, None, None, false).await?;
        return Ok(None);
    }
    let mut inputs = outcomes.to_vec();
    inputs.extend(taken.inputs);
    let claimed = matches!(begin, Begin::Load(Hold::Claimed));
    let run = match begin {
        Begin::With(run) => Some(*run),
        Begin::Load(_) => Run::load(ctx, tx, project, &conversation, &mut inputs, now).await?,
    };
    let Some(mut run) = run else {
        // Nobody answers here: what was said is stored, and that is all. An agent that begins later hears of it.
        for row in taken.outside.iter().filter(|_| conversation.agent_id.is_some()) {
            mailbox::put(tx, project, conversation.id, row).await?;
        }
        release(tx, project, &conversation, None, None, false).await?;
        return Ok(None);
    };
    if run.is_new() {
        waiting::as_earlier(&mut inputs, now);
    }
    let began_with = run.state.pending.clone();
    let before = run.state.status;
    if claimed && run.agent.is_some() && run.state.is_in_hand() {
        inputs.insert(0, Input::TakenOver);
    }
    run.tell_what_is_known(tx, project, &conversation, &mut inputs, taken.first, now).await?;
    // A closed service window refuses a send at once: its outcome is fed in the same commit.
    let mut unable = run.agent.is_none() && !run.state.status.is_over();
    while !inputs.is_empty() || run.is_new() || std::mem::take(&mut unable) {
        let step = run.advance(now, &inputs);
        inputs = run.record(ctx, tx, project, &conversation, &step, &inputs, now).await?;
    }
    run.save(ctx, tx, project, before, now).await?;
    let todo = Todo::of(run.state.pending.as_ref(), began_with.as_ref(), now);
    // A node that stops asks nobody new: another one, or the next life of this one, goes on from here.
    let parked = todo.as_ref().is_some_and(Todo::can_be_left) && ctx.stopping.is_cancelled();
    let due = if todo.is_some() { Some(AT_ONCE) } else { run.state.due_at() };
    release(tx, project, &conversation, Some(run.id), due, todo.is_some() && !parked).await?;
    let Some(todo) = todo.filter(|_| !parked) else { return Ok(None) };
    let Some(agent) = run.agent else { return Ok(None) };
    Ok(Some(Held { project, conversation, execution: run.id, agent, state: run.state, step_no: run.step_no, todo }))
}

async fn release(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    execution: Option<ExecutionId>,
    due_at: Option<Timestamp>,
    keep: bool,
) -> Result<()> {
    let execution = execution.or(conversation.execution_id);
    // The row says so already, and its epoch was asked for when this transaction locked it.
    if keep
        && execution == conversation.execution_id
        && due_at == conversation.due_at
        && conversation.burst_started_at.is_none()
    {
        return Ok(());
    }
    conversations::release(tx, project, conversation.id, conversation.epoch, Release { execution, due_at, keep }).await
}

/// An execution in the middle of a step.
struct Run {
    id: ExecutionId,
    /// `None` with the reason in `broken`.
    agent: Option<Arc<Compiled>>,
    broken: String,
    /// Its status as it is stored.
    stored_as: ExecutionStatus,
    state: State,
    step_no: i64,
    /// Which state of the contact there is to be known.
    about_version: i64,
    /// When the conversation's execution before this one was over.
    after: Timestamp,
}

impl Run {
    /// The conversation's live execution, or a new one where somebody said something and an agent answers there.
    async fn load(
        ctx: &Context,
        tx: &mut Tx<'_>,
        project: ProjectId,
        conversation: &ConversationRow,
        inputs: &mut Vec<Input>,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        let mut after = Timestamp::from_micros(0);
        let resumed = inputs.iter().any(|input| matches!(input, Input::Resume { .. }));
        if let Some(id) = conversation.execution_id
            && let Some(mut run) = Self::of(ctx, tx, project, conversation, id).await?
        {
            if resumed || !run.state.status.is_over() {
                return Ok(Some(run));
            }
            // It is over, but it must hear of its sends: one that is resumed later must not wait for what was settled.
            after = run.after;
            let (sent, others) =
                std::mem::take(inputs).into_iter().partition(|input| matches!(input, Input::Sent { .. }));
            *inputs = others;
            run.hear_of_sends(ctx, tx, project, conversation, &sent, now).await?;
        }
        let said = inputs.iter().any(|input| matches!(input, Input::Said { .. }));
        let Some(agent_id) = conversation.agent_id.filter(|_| said) else { return Ok(None) };
        let pinned = agents::snapshot_for(tx, project, agent_id, conversation.contact_id).await?;
        let Some((snapshot, about_version)) = pinned else { return Ok(None) };
        let id = ctx.new_id();
        let phone_number = conversation.phone_number.as_deref();
        let new = NewExecution { id, agent: agent_id, snapshot, conversation: conversation.id, phone_number, now };
        executions::insert(tx, project, &new).await?;
        let (agent, broken) = compiled(ctx, tx, project, snapshot).await?;
        let state = State::new(facts(id, agent_id, conversation));
        let stored_as = state.status;
        Ok(Some(Self { id, agent, broken, stored_as, state, step_no: 0, about_version, after }))
    }

    /// A stored execution.
    async fn of(
        ctx: &Context,
        tx: &mut Tx<'_>,
        project: ProjectId,
        conversation: &ConversationRow,
        id: ExecutionId,
    ) -> Result<Option<Self>> {
        let Some(row) = executions::for_step(tx, project, id, conversation.contact_id).await? else { return Ok(None) };
        let state = match row.state.as_str() {
            "" => State::new(facts(id, row_agent(tx, project, id).await?, conversation)),
            text => State::load(row.state_format, text).map_err(damaged)?,
        };
        let (agent, broken) = compiled(ctx, tx, project, row.snapshot_id).await?;
        let about_version = row.about_version.unwrap_or_default();
        let after = row.ended_at.unwrap_or(Timestamp::from_micros(0));
        Ok(Some(Self { id, agent, broken, stored_as: row.status, state, step_no: row.step_no, about_version, after }))
    }

    /// Puts before the inputs what else there is to be known. `first` is the place of the first of them in the conversation.
    async fn tell_what_is_known(
        &self,
        tx: &mut Tx<'_>,
        project: ProjectId,
        conversation: &ConversationRow,
        inputs: &mut Vec<Input>,
        first: i64,
        now: Timestamp,
    ) -> Result<()> {
        if self.state.facts.test_mode || self.agent.is_none() || !contact_context::goes_on(inputs) {
            return Ok(());
        }
        if self.is_new() {
            let earlier = contact_context::earlier(tx, project, conversation, first, self.after).await?;
            waiting::tell_first(inputs, earlier);
        }
        let contact = contact_context::contact(tx, project, conversation, &self.state, self.about_version, now).await?;
        inputs.splice(0..0, contact.map(Input::Contact));
        Ok(())
    }

    async fn hear_of_sends(
        &mut self,
        ctx: &Context,
        tx: &mut Tx<'_>,
        project: ProjectId,
        conversation: &ConversationRow,
        sent: &[Input],
        now: Timestamp,
    ) -> Result<()> {
        if sent.is_empty() {
            return Ok(());
        }
        let before = self.state.status;
        let step = self.advance(now, sent);
        self.record(ctx, tx, project, conversation, &step, sent, now).await?;
        self.save(ctx, tx, project, before, now).await
    }

    fn is_new(&self) -> bool {
        self.step_no == 0
    }

    fn advance(&mut self, now: Timestamp, inputs: &[Input]) -> Step {
        match &self.agent {
            Some(agent) => engine::advance(agent, &mut self.state, now, inputs),
            None => engine::fail_unrunnable(&mut self.state, now, &self.broken),
        }
    }

    /// Writes what a step brought. Gives back the outcomes that are known already.
    #[expect(clippy::too_many_arguments, reason = "the step, its inputs and where they belong")]
    async fn record(
        &mut self,
        ctx: &Context,
        tx: &mut Tx<'_>,
        project: ProjectId,
        conversation: &ConversationRow,
        step: &Step,
        inputs: &[Input],
        now: Timestamp,
    ) -> Result<Vec<Input>> {
        self.step_no += 1;
        for entry in &step.history {
            let row = HistoryRow {
                seq: entry.seq,
                at: now,
                node: entry.node.clone(),
                origin: entry.origin.into(),
                entry: to_json("history", &entry.message)?,
            };
            history::append(tx, project, self.id, &row).await?;
        }
        let row = JournalRow {
            step_no: self.step_no,
            epoch: conversation.epoch,
            format: JOURNAL_FORMAT,
            inputs: to_json("inputs", &inputs)?,
            effects: to_json("effects", &step.effects)?,
            events: to_json("events", &step.events)?,
            at: now,
        };
        journal::append(tx, project, self.id, &row).await?;
        if self.state.facts.test_mode {
            test_mode::hear(tx, project, &self.state, &step.events, now).await?;
        }
        let mut known = Vec::new();
        for effect in &step.effects {
            match effect {
                Effect::Send { id, content } => {
                    let parcel = Parcel::Said(content.clone());
                    let said = Said {
                        parcel: &parcel,
                        shown: None,
                        origin: MessageOrigin::Agent,
                        source_key: id,
                        waiting: Some((self.id, id)),
                    };
                    if let Err(refused) = outbox::enqueue(ctx, tx, project, conversation, &said, now).await? {
                        let outcome = SendOutcome::Failed { code: refused.code().into(), message: refused.to_string() };
                        known.push(Input::Sent { effect: id.clone(), outcome });
                    }
                }
                Effect::SetTimer { kind, generation, fire_at } => {
                    timers::set(tx, project, (conversation.id, self.id), (kind.as_str(), *generation), *fire_at)
                        .await?;
                }
                Effect::ClearTimer => timers::clear(tx, project, self.id).await?,
                // Carried out by the holder after the commit: the state says what is pending. A model whose answer is not
                // wanted any more is given up with the holder's task.
                Effect::CallModel(_)
                | Effect::CallTool { .. }
                | Effect::Retrieve { .. }
                | Effect::ListTools { .. }
                | Effect::CancelModel { .. } => {}
            }
        }
        Ok(known)
    }

    async fn save(
        &self,
        ctx: &Context,
        tx: &mut Tx<'_>,
        project: ProjectId,
        before: ExecutionStatus,
        now: Timestamp,
    ) -> Result<()> {
        let state = &self.state;
        let error = state.error.as_ref().map(|error| to_json("error", error)).transpose()?;
        let saved = Saved {
            entered: (state.status != self.stored_as).then_some(state.status),
            node: &state.node,
            handoff_reason: state.handoff_reason.as_deref(),
            end_reason: state.end_reason.as_deref(),
            error: error.as_deref(),
            state: &to_json("state", state)?,
            state_format: STATE_FORMAT,
            step_no: self.step_no,
            now,
        };
        executions::save(tx, project, self.id, &saved).await?;
        let working = matches!(state.status, ExecutionStatus::Started | ExecutionStatus::Running);
        if state.facts.test_mode && !working {
            test_mode::rested(ctx, tx, project, state, self.step_no, now).await?;
        }
        if state.status == before && self.step_no > 1 {
            return Ok(());
        }
        let body = json!({"agent_id": state.facts.agent_id, "from": before, "to": state.status, "node": state.node})
            .to_string();
        let (id, object) = (ctx.new_uuid(), self.id.uuid());
        events::append(&mut tx.scope(project, now), id, Event::ExecutionStatus, object, &body).await
    }
}

async fn row_agent(tx: &mut Tx<'_>, project: ProjectId, id: ExecutionId) -> Result<domain::ids::AgentId> {
    Ok(executions::find(tx, project, id).await?.ok_or_else(|| damaged("the execution is gone"))?.agent_id)
}

/// What an execution knows of the conversation it works on.
pub(crate) fn facts(id: ExecutionId, agent_id: domain::ids::AgentId, conversation: &ConversationRow) -> Facts {
    Facts {
        agent_id,
        execution_id: id,
        conversation_id: conversation.id,
        phone_number: conversation.phone_number.clone(),
        profile_name: conversation.contact_name.clone(),
        vars: Default::default(),
        about: Default::default(),
        test_mode: false,
    }
}

/// The pinned agent, ready to run, or why it cannot.
async fn compiled(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    snapshot: SnapshotId,
) -> Result<(Option<Arc<Compiled>>, String)> {
    if let Some(agent) = ctx.compiled(snapshot) {
        return Ok((Some(agent), String::new()));
    }
    let text = agents::snapshot(tx, project, snapshot).await?.ok_or_else(|| damaged("the snapshot is gone"))?;
    let content: AgentContent = from_json("snapshot", &text)?;
    Ok(match Compiled::new(&content) {
        Ok(agent) => {
            let agent = Arc::new(agent);
            ctx.keep_compiled(snapshot, &agent);
            (Some(agent), String::new())
        }
        Err(why) => (None, why.to_string()),
    })
}

/// The rows of history that a question to the model shows.
pub(super) async fn history_of(ctx: &Context, held: &Held, call: &CallModel) -> Result<Vec<(i64, ChatMessage)>> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let mut rows = history::window(&mut conn, held.project, held.execution, call.from).await?;
    for pinned in [call.first_input, call.step_prompt].into_iter().flatten().filter(|seq| *seq < call.from) {
        rows.extend(history::one(&mut conn, held.project, held.execution, pinned).await?);
    }
    rows.into_iter().map(|row| Ok((row.seq, from_json("history", &row.entry)?))).collect()
}

fn damaged(why: impl Into<String>) -> Error {
    Error::Damaged { what: "execution", why: why.into() }
}
