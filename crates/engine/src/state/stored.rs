//! The stored form of a state: one flat object, whose fields and their order never change without a new format.

use super::{
    End, FailedSend, Handoff, HistoryIndex, Inputs, Interrupt, McpTools, OpenSend, Pending, Phase, QueuedInput,
    RequestedStatus, Resume, State, Summary, TurnCounters, Visit,
};
use crate::facts::{Contact, Facts};
use domain::{
    Timestamp,
    chat::{ToolCall, Usage},
    execution::{ExecutionError, ExecutionStatus},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::BTreeMap};

/// Borrows from the state when it is written, owns its fields when it is read.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    facts: Cow<'a, Facts>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    contact: Cow<'a, Option<Contact>>,
    #[serde(skip_serializing_if = "no_fields", default)]
    vars: Cow<'a, Map<String, Value>>,
    status: ExecutionStatus,
    node: Cow<'a, str>,
    entering: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    triggering_node: Cow<'a, Option<String>>,
    #[serde(skip_serializing_if = "is_empty", default)]
    refused_tools: Cow<'a, [String]>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    return_to: Cow<'a, Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    handoff_reason: Cow<'a, Option<String>>,
    #[serde(skip_serializing_if = "is_empty", default)]
    calls: Cow<'a, [ToolCall]>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    interrupt: Option<Cow<'a, Interrupt>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pending: Option<Cow<'a, Pending>>,
    #[serde(skip_serializing_if = "is_empty", default)]
    sends: Cow<'a, [OpenSend]>,
    #[serde(skip_serializing_if = "is_empty", default)]
    failed_sends: Cow<'a, [FailedSend]>,
    #[serde(rename = "inbox", skip_serializing_if = "is_empty", default)]
    queued_inputs: Cow<'a, [QueuedInput]>,
    #[serde(rename = "outside", skip_serializing_if = "is_empty", default)]
    external_messages: Cow<'a, [String]>,
    #[serde(skip_serializing_if = "is_zero", default)]
    deleted: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    resume: Cow<'a, Option<Resume>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    stop: Cow<'a, Option<String>>,
    #[serde(rename = "wanted", skip_serializing_if = "Option::is_none", default)]
    requested_status: Cow<'a, Option<RequestedStatus>>,
    #[serde(rename = "said", skip_serializing_if = "Option::is_none", default)]
    sent_call: Cow<'a, Option<String>>,
    #[serde(rename = "heard_at", skip_serializing_if = "Option::is_none", default)]
    last_message_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_empty", default)]
    links: Cow<'a, [String]>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    quotes_calls: bool,
    #[serde(skip_serializing_if = "is_empty", default)]
    sizes: Cow<'a, [u32]>,
    turn: Cow<'a, TurnCounters>,
    turn_no: i64,
    history_len: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    first_input: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    step_prompt: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    summary: Cow<'a, Option<Summary>>,
    #[serde(skip_serializing_if = "is_empty", default)]
    left_out: Cow<'a, [String]>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    mcp: Cow<'a, Option<McpTools>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    last_input: Cow<'a, Option<String>>,
    next_id: u64,
    next_event: u64,
    generation: i64,
    usage: Usage,
    #[serde(skip_serializing_if = "no_models", default)]
    usage_by_model: Cow<'a, BTreeMap<String, Usage>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    end_reason: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    error: Option<Cow<'a, ExecutionError>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

const fn is_empty<T>(values: &[T]) -> bool {
    values.is_empty()
}

fn no_fields(fields: &Map<String, Value>) -> bool {
    fields.is_empty()
}

fn no_models(usage: &BTreeMap<String, Usage>) -> bool {
    usage.is_empty()
}

impl<'a> From<&'a State> for Stored<'a> {
    fn from(state: &'a State) -> Self {
        Self {
            facts: Cow::Borrowed(&state.facts),
            contact: Cow::Borrowed(&state.contact),
            vars: Cow::Borrowed(&state.vars),
            status: state.phase.status(),
            node: Cow::Borrowed(&state.visit.node),
            entering: state.visit.entering,
            triggering_node: Cow::Borrowed(&state.visit.triggering_node),
            refused_tools: Cow::Borrowed(&state.visit.refused_tools),
            return_to: Cow::Borrowed(&state.handoff.return_to),
            handoff_reason: Cow::Borrowed(&state.handoff.reason),
            calls: Cow::Borrowed(&state.calls),
            interrupt: state.phase.interrupt().map(Cow::Borrowed),
            pending: state.phase.pending().map(Cow::Borrowed),
            sends: Cow::Borrowed(&state.sends),
            failed_sends: Cow::Borrowed(&state.failed_sends),
            queued_inputs: Cow::Borrowed(&state.inputs.queued),
            external_messages: Cow::Borrowed(&state.inputs.external_messages),
            deleted: state.inputs.deleted,
            resume: Cow::Borrowed(&state.inputs.resume),
            stop: Cow::Borrowed(&state.inputs.stop),
            requested_status: Cow::Borrowed(&state.inputs.requested_status),
            sent_call: Cow::Borrowed(&state.sent_call),
            last_message_at: state.last_message_at,
            links: Cow::Borrowed(&state.links),
            quotes_calls: state.quotes_calls,
            sizes: Cow::Borrowed(&state.history.sizes),
            turn: Cow::Borrowed(&state.turn),
            turn_no: state.turn_no,
            history_len: state.history.len,
            first_input: state.history.first_input,
            step_prompt: state.history.step_prompt,
            summary: Cow::Borrowed(&state.history.summary),
            left_out: Cow::Borrowed(&state.history.left_out),
            mcp: Cow::Borrowed(&state.mcp),
            last_input: Cow::Borrowed(&state.last_input),
            next_id: state.next_id,
            next_event: state.next_event,
            generation: state.generation,
            usage: state.usage,
            usage_by_model: Cow::Borrowed(&state.usage_by_model),
            end_reason: state.phase.end_reason().map(Cow::Borrowed),
            error: state.phase.error().map(Cow::Borrowed),
        }
    }
}

impl TryFrom<Stored<'_>> for State {
    type Error = &'static str;

    fn try_from(stored: Stored<'_>) -> Result<Self, Self::Error> {
        let waiting = |interrupt: Option<Cow<'_, Interrupt>>| {
            interrupt.map(|interrupt| Phase::Waiting(interrupt.into_owned())).ok_or("a wait without an interrupt")
        };
        let phase = match stored.status {
            ExecutionStatus::Started => Phase::New,
            ExecutionStatus::Running => Phase::Running { pending: stored.pending.map(Cow::into_owned) },
            ExecutionStatus::Paused | ExecutionStatus::Handoff => waiting(stored.interrupt)?,
            ExecutionStatus::Ended => Phase::Over(End::Ended { reason: stored.end_reason.map(Cow::into_owned) }),
            ExecutionStatus::Stopped => Phase::Over(End::Stopped),
            ExecutionStatus::Failed => {
                let error = stored.error.ok_or("a failure without an error")?;
                Phase::Over(End::Failed(error.into_owned()))
            }
        };
        if phase.status() != stored.status {
            return Err("status and interrupt differ");
        }
        Ok(Self {
            facts: stored.facts.into_owned(),
            contact: stored.contact.into_owned(),
            vars: stored.vars.into_owned(),
            phase,
            visit: Visit {
                node: stored.node.into_owned(),
                entering: stored.entering,
                triggering_node: stored.triggering_node.into_owned(),
                refused_tools: stored.refused_tools.into_owned(),
            },
            handoff: Handoff { return_to: stored.return_to.into_owned(), reason: stored.handoff_reason.into_owned() },
            calls: stored.calls.into_owned(),
            sent_call: stored.sent_call.into_owned(),
            sends: stored.sends.into_owned(),
            failed_sends: stored.failed_sends.into_owned(),
            inputs: Inputs {
                queued: stored.queued_inputs.into_owned(),
                external_messages: stored.external_messages.into_owned(),
                deleted: stored.deleted,
                resume: stored.resume.into_owned(),
                stop: stored.stop.into_owned(),
                requested_status: stored.requested_status.into_owned(),
            },
            last_message_at: stored.last_message_at,
            last_input: stored.last_input.into_owned(),
            links: stored.links.into_owned(),
            quotes_calls: stored.quotes_calls,
            history: HistoryIndex {
                len: stored.history_len,
                sizes: stored.sizes.into_owned(),
                first_input: stored.first_input,
                step_prompt: stored.step_prompt,
                summary: stored.summary.into_owned(),
                left_out: stored.left_out.into_owned(),
            },
            mcp: stored.mcp.into_owned(),
            turn: stored.turn.into_owned(),
            turn_no: stored.turn_no,
            next_id: stored.next_id,
            next_event: stored.next_event,
            generation: stored.generation,
            usage: stored.usage,
            usage_by_model: stored.usage_by_model.into_owned(),
        })
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Stored::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}
