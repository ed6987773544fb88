//! An execution within a step: loaded, advanced by the engine, recorded and saved in the step's
//! transaction.

use super::contact_context;
use crate::{
    Context,
    execution::{self, facts},
    hooks,
    json::to_json,
    outbox::{self, EntryContent, NewEntry},
    test_mode,
    unanswered::{Cause, Unanswered},
};
use domain::{
    Timestamp,
    agent_messages::AgentMessages,
    author::Author,
    event::Event,
    execution::ExecutionStatus,
    ids::{AgentId, ExecutionId, ProjectId, SnapshotId},
    message::MessageOrigin,
};
use engine::{Compiled, Effect, Facts, Input, STATE_FORMAT, SendOutcome, State, Step};
use serde_json::json;
use std::sync::Arc;
use store::{
    Error, Result, Tx, agents,
    conversations::ConversationRow,
    events,
    executions::{self, NewExecution, Saved, Sums},
    history::{self, HistoryRow},
    journal::{self, JournalRow},
    timers::{self, TimerRow},
};

/// Format of the journal's JSON.
const JOURNAL_FORMAT: i64 = 1;

pub(super) struct LoadedExecution {
    pub(super) id: ExecutionId,
    /// `None` if it cannot run; `broken` has the reason.
    pub(super) agent: Option<Arc<Compiled>>,
    pub(super) broken: String,
    pub(super) stored_status: ExecutionStatus,
    pub(super) state: State,
    pub(super) step_no: i64,
    /// Version of the contact's metadata and notes.
    pub(super) contact_version: i64,
    /// End of the conversation's previous execution.
    pub(super) previous_ended_at: Timestamp,
    /// Model calls of the steps that [`Self::save`] will store.
    pub(super) llm_calls: i64,
}

impl LoadedExecution {
    /// The conversation's live execution, or a new one if there is a message for an agent to
    /// answer. `first_message` is the place of the contact's first message among the inputs.
    #[expect(clippy::too_many_arguments, reason = "the conversation, its inputs and how to load its agent")]
    pub(super) async fn load(
        ctx: &Context,
        tx: &mut Tx<'_>,
        project: ProjectId,
        conversation: &ConversationRow,
        inputs: &mut Vec<Input>,
        first_message: Option<i64>,
        load_agent: LoadAgent,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        let mut previous_ended_at = Timestamp::from_micros(0);
        let resumed = inputs.iter().any(|input| matches!(input, Input::Resume { .. }));
        if let Some(id) = conversation.execution_id
            && let Some(mut execution) = Self::stored(ctx, tx, project, conversation, id, load_agent).await?
        {
            if resumed || !execution.state.status().is_over() {
                return Ok(Some(execution));
            }
            // It is over, but must record its outcomes: if it is resumed later, it must not wait
            // for settled sends.
            previous_ended_at = execution.previous_ended_at;
            let (sent, others) =
                std::mem::take(inputs).into_iter().partition(|input| matches!(input, Input::Sent { .. }));
            *inputs = others;
            execution.record_outcomes(ctx, tx, project, conversation, &sent, now).await?;
        }
        let has_message = inputs.iter().any(|input| matches!(input, Input::Message { .. } | Input::Edited { .. }));
        let Some(agent_id) = conversation.agent_id.filter(|_| has_message) else { return Ok(None) };
        let pinned = agents::snapshot_for(tx, project, agent_id, conversation.contact_id).await?;
        let Some((snapshot, contact_version, settings)) = pinned else { return Ok(None) };
        let id = ctx.new_id();
        let phone_number = conversation.phone_number.as_deref();
        let new = NewExecution {
            id,
            agent: agent_id,
            snapshot,
            conversation: conversation.id,
            phone_number,
            first_message,
            now,
        };
        executions::insert(tx, project, &new).await?;
        let (agent, broken) = load_agent.of(ctx, tx, project, snapshot).await?;
        let settings = settings.and_then(|text| serde_json::from_str::<AgentMessages>(&text).ok()).unwrap_or_default();
        let facts = facts(ctx, id, agent_id, conversation);
        let state = State::new(Facts { keep_markdown: settings.keep_markdown, ..facts });
        let stored_status = state.status();
        Ok(Some(Self {
            id,
            agent,
            broken,
            stored_status,
            state,
            step_no: 0,
            contact_version,
            previous_ended_at,
            llm_calls: 0,
        }))
    }

    async fn stored(
        ctx: &Context,
        tx: &mut Tx<'_>,
        project: ProjectId,
        conversation: &ConversationRow,
        id: ExecutionId,
        load_agent: LoadAgent,
    ) -> Result<Option<Self>> {
        let Some(row) = executions::for_step(tx, project, id, conversation.contact_id).await? else { return Ok(None) };
        let state = match row.state.as_str() {
            "" => State::new(facts(ctx, id, agent_id(tx, project, id).await?, conversation)),
            text => State::load(row.state_format, text).map_err(damaged)?,
        };
        let (agent, broken) = load_agent.of(ctx, tx, project, row.snapshot_id).await?;
        Ok(Some(Self {
            id,
            agent,
            broken,
            stored_status: row.status,
            state,
            step_no: row.step_no,
            contact_version: row.about_version.unwrap_or_default(),
            previous_ended_at: row.ended_at.unwrap_or(Timestamp::from_micros(0)),
            llm_calls: 0,
        }))
    }

    pub(super) fn is_new(&self) -> bool {
        self.step_no == 0
    }

    /// Inputs that precede the others: earlier messages for a new execution, and the contact
    /// context if it has changed. `first_seq` is the place of the first input in the conversation.
    pub(super) async fn context_inputs(
        &self,
        tx: &mut Tx<'_>,
        project: ProjectId,
        conversation: &ConversationRow,
        inputs: &[Input],
        first_seq: i64,
        now: Timestamp,
    ) -> Result<(Option<Input>, Option<Input>)> {
        if self.state.facts.test_mode || self.agent.is_none() || !contact_context::is_needed(inputs) {
            return Ok((None, None));
        }
        let earlier = match self.is_new() {
            true => contact_context::earlier(tx, project, conversation, first_seq, self.previous_ended_at).await?,
            false => None,
        };
        let contact =
            contact_context::contact(tx, project, conversation, &self.state, self.contact_version, now).await?;
        Ok((earlier, contact.map(Input::Contact)))
    }

    async fn record_outcomes(
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
        let before = self.state.status();
        let step = self.advance(now, sent);
        self.record(ctx, tx, project, conversation, &step, sent, now).await?;
        self.save(ctx, tx, project, before, now).await
    }

    pub(super) fn advance(&mut self, now: Timestamp, inputs: &[Input]) -> Step {
        if let [Input::ForceEnd { end, code, message }] = inputs {
            return engine::force_end(&mut self.state, now, *end, code, message);
        }
        match &self.agent {
            Some(agent) => engine::advance(agent, &mut self.state, now, inputs),
            None => engine::fail_unrunnable(&mut self.state, now, inputs, &self.broken),
        }
    }

    /// Writes history, journal and effects of a step. Returns the outcomes of sends that were
    /// refused.
    #[expect(clippy::too_many_arguments, reason = "the step, its inputs and where they belong")]
    pub(super) async fn record(
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
                origin: entry.origin,
                entry: to_json("history", &entry.message)?,
                messages: if entry.parts.is_empty() { None } else { Some(to_json("history", &entry.parts)?) },
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
        if self.state.facts.test_mode || self.state.facts.without_channel {
            test_mode::store_sent(tx, project, &self.state, &step.events, now).await?;
        }
        let mut refused = Vec::new();
        let limits = self.agent.as_ref().map(|agent| &agent.limits);
        for effect in &step.effects {
            match effect {
                Effect::Send { id, content } => {
                    let content = EntryContent::Agent(content.clone());
                    let entry = NewEntry {
                        content: &content,
                        shown: None,
                        origin: MessageOrigin::Agent,
                        author: Some(Author::Execution(self.id)),
                        source_key: id,
                        waiting: Some((self.id, id)),
                        outside_window: limits.and_then(|limits| limits.outside_window_template.as_ref()),
                    };
                    if let Err(why) = outbox::enqueue(ctx, tx, project, conversation, &entry, now).await? {
                        self.unanswered(ctx, project, Cause::SendFailed, why.code());
                        let outcome = SendOutcome::Failed { code: why.code().into(), message: why.to_string() };
                        refused.push(Input::Sent { effect: id.clone(), outcome });
                    }
                }
                Effect::SetTimer { kind, generation, fire_at } => {
                    let (conversation_id, execution_id) = (conversation.id, self.id);
                    let timer = TimerRow { kind: *kind, conversation_id, execution_id, generation: *generation };
                    timers::set(tx, project, &timer, *fire_at).await?;
                }
                Effect::ClearTimer => timers::clear(tx, project, self.id).await?,
                // Executed after the commit: the state holds what is pending. A cancelled model
                // call is dropped with the task that waits for it.
                Effect::CallModel(_) => self.llm_calls += 1,
                Effect::CallTool { .. }
                | Effect::Retrieve { .. }
                | Effect::ListTools { .. }
                | Effect::CancelModel { .. } => {}
            }
        }
        Ok(refused)
    }

    /// Saves the state, and appends an event if the status changed.
    pub(super) async fn save(
        &self,
        ctx: &Context,
        tx: &mut Tx<'_>,
        project: ProjectId,
        before: ExecutionStatus,
        now: Timestamp,
    ) -> Result<()> {
        let state = &self.state;
        let error = state.phase.error().map(|error| to_json("error", error)).transpose()?;
        let saved = Saved {
            entered: (state.status() != self.stored_status).then_some(state.status()),
            node: &state.visit.node,
            handoff_reason: state.handoff.reason.as_deref(),
            end_reason: state.phase.end_reason(),
            error: error.as_deref(),
            state: &to_json("state", state)?,
            state_format: STATE_FORMAT,
            step_no: self.step_no,
            sums: Sums {
                turns: state.turn_no,
                input_tokens: i64::try_from(state.usage.input_tokens).unwrap_or(i64::MAX),
                output_tokens: i64::try_from(state.usage.output_tokens).unwrap_or(i64::MAX),
            },
            llm_calls: self.llm_calls,
            now,
        };
        executions::save(tx, project, self.id, &saved).await?;
        let working = matches!(state.status(), ExecutionStatus::Started | ExecutionStatus::Running);
        if state.facts.test_mode && !working {
            test_mode::record_rest(ctx, tx, project, state, self.step_no, now).await?;
        }
        if state.status() == before && self.step_no > 1 {
            return Ok(());
        }
        self.report(ctx, project);
        let body =
            json!({"conversation_id": state.facts.conversation_id, "agent_id": state.facts.agent_id, "from": before, "to": state.status(), "node": state.visit.node})
                .to_string();
        let (id, object) = (ctx.new_uuid(), self.id.uuid());
        events::append(&mut tx.scope(project, now), id, Event::ExecutionStatus, object, &body).await?;
        if state.facts.test_mode {
            return Ok(());
        }
        if let Some(error) = state.phase.error().filter(|error| error.code.starts_with("llm_")) {
            let body =
                json!({"conversation_id": state.facts.conversation_id, "execution_id": self.id, "code": error.code});
            let (id, agent) = (ctx.new_uuid(), state.facts.agent_id.uuid());
            events::append(&mut tx.scope(project, now), id, Event::ModelFailing, agent, &body.to_string()).await?;
        }
        let change = hooks::ExecutionChange {
            id: self.id,
            agent: state.facts.agent_id,
            conversation: state.facts.conversation_id,
            status: state.status(),
            node: &state.visit.node,
            handoff_reason: state.handoff.reason.as_deref(),
            end_reason: state.phase.end_reason(),
            error: error.as_deref(),
        };
        hooks::execution_changed(ctx, tx, project, &change, self.step_no <= 1, now).await
    }
}

impl LoadedExecution {
    /// Metrics of a changed status; a log line if it leaves the contact without an answer.
    fn report(&self, ctx: &Context, project: ProjectId) {
        let state = &self.state;
        let status = state.status();
        if state.facts.test_mode {
            return;
        }
        if status == ExecutionStatus::Handoff {
            metrics::counter!("chasqui_handoffs_total", "project" => project.to_string()).increment(1);
        }
        if status.is_over() {
            let labels = [("status", status.as_str().to_owned()), ("project", project.to_string())];
            metrics::counter!("chasqui_executions_over_total", &labels).increment(1);
        }
        if let Some(error) = state.phase.error() {
            self.unanswered(ctx, project, Cause::ExecutionFailed, &error.code);
        }
    }

    fn unanswered(&self, ctx: &Context, project: ProjectId, cause: Cause, code: &str) {
        let facts = &self.state.facts;
        if facts.test_mode {
            return;
        }
        let (agent, execution, conversation) = (Some(facts.agent_id), Some(self.id), Some(facts.conversation_id));
        Unanswered { cause, code, project, agent, execution, conversation }.report(ctx);
    }
}

async fn agent_id(tx: &mut Tx<'_>, project: ProjectId, id: ExecutionId) -> Result<AgentId> {
    let row = executions::find(tx, project, id).await?;
    Ok(row.ok_or_else(|| damaged("the execution is missing"))?.agent_id)
}

/// Decides whether the agent is loaded with its execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoadAgent {
    Yes,
    /// The execution is ended without it: compiling it may be what ends the process.
    No,
}

impl LoadAgent {
    /// The agent, or the reason why there is none.
    async fn of(
        self,
        ctx: &Context,
        tx: &mut Tx<'_>,
        project: ProjectId,
        snapshot: SnapshotId,
    ) -> Result<(Option<Arc<Compiled>>, String)> {
        if self == Self::No {
            return Ok((None, String::new()));
        }
        Ok(match execution::agent(ctx, tx, project, snapshot).await? {
            Ok(agent) => (Some(agent), String::new()),
            Err(why) => (None, why.to_string()),
        })
    }
}

fn damaged(why: impl Into<String>) -> Error {
    Error::Damaged { what: "execution", why: why.into() }
}
