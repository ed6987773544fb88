//! API representation of a conversation in the inbox.

use crate::{
    api::{Time, words},
    resources::{conversations::ConversationStatus, messages::MessageType},
};
use domain::{Span, conversation::ConversationStatus as Status, execution::ExecutionStatus, message, wording};
use serde::Serialize;
use serde_json::Value;
use store::inbox::EntryRow;
use utoipa::ToSchema;
use uuid::Uuid;

/// Meta's service window after the contact's latest message.
const WINDOW: Span = Span::from_hours(24);
/// Longest preview of a message, in characters.
const PREVIEW: usize = 160;

words!(InboxView = "mine", "needs_person", "agent", "all");
words!(InboxMode = "agent", "waiting", "handoff", "person", "failed", "none");
words!(InboxExecutionStatus = "started", "running", "paused", "ended", "handoff", "failed", "stopped");
words!(MessageAuthorKind = "contact", "agent", "person", "api", "sandbox", "phone");
words!(InboxDirection = "inbound", "outbound");

/// A conversation as the inbox shows it.
#[derive(Serialize, ToSchema)]
pub(super) struct InboxEntry {
    id: Uuid,
    contact: InboxContact,
    number: InboxNumber,
    /// Agent that answers new messages.
    agent: Option<InboxAgent>,
    /// Latest execution, active or over.
    execution: Option<InboxExecution>,
    /// `agent`: an execution runs. `waiting`: the agent waits for the contact. `handoff`: it waits for a
    /// person. `person`: the conversation is assigned. `failed`: the execution failed. `none`: closed, or
    /// without an agent.
    #[schema(value_type = InboxMode)]
    mode: &'static str,
    /// Active assignment.
    assignment: Option<InboxAssignment>,
    last_message: Option<InboxLastMessage>,
    /// True if the contact wrote after the place up to which the person has read; false with an API key
    /// that no person created.
    unread: bool,
    /// End of the service window, in which free text may be sent; null if the contact never wrote.
    window_expires_at: Option<Time>,
    #[schema(value_type = ConversationStatus)]
    status: &'static str,
    last_active_at: Time,
}

/// Contact of a conversation.
#[derive(Serialize, ToSchema)]
struct InboxContact {
    id: Uuid,
    name: Option<String>,
    /// Null if the contact hides it.
    phone_number: Option<String>,
}

/// Business number of a conversation.
#[derive(Serialize, ToSchema)]
struct InboxNumber {
    /// WhatsApp config; null for the sandbox's number.
    config_id: Option<Uuid>,
    name: Option<String>,
    is_sandbox: bool,
}

/// Agent of a conversation.
#[derive(Serialize, ToSchema)]
struct InboxAgent {
    id: Uuid,
    name: String,
}

/// Execution of a conversation.
#[derive(Serialize, ToSchema)]
struct InboxExecution {
    id: Uuid,
    agent_id: Uuid,
    #[schema(value_type = InboxExecutionStatus)]
    status: &'static str,
    /// Reason of the handoff or failure, in words.
    reason: Option<String>,
    /// True for a failure that a resume can retry.
    retryable: bool,
}

/// Active assignment of a conversation.
#[derive(Serialize, ToSchema)]
struct InboxAssignment {
    id: Uuid,
    user_id: Uuid,
    name: String,
}

/// Latest message of a conversation.
#[derive(Serialize, ToSchema)]
struct InboxLastMessage {
    id: Uuid,
    #[serde(rename = "type")]
    #[schema(value_type = MessageType)]
    kind: &'static str,
    /// The first 160 characters; empty if the contact deleted it.
    text: String,
    /// The contact deleted it.
    is_deleted: bool,
    #[schema(value_type = InboxDirection)]
    direction: &'static str,
    #[schema(value_type = MessageAuthorKind)]
    by: &'static str,
    status: &'static str,
    at: Time,
}

impl InboxEntry {
    pub(super) fn of(row: &EntryRow) -> Self {
        let execution = execution(row);
        Self {
            id: row.id.uuid(),
            contact: InboxContact {
                id: row.contact_id.uuid(),
                name: row.contact_name.clone(),
                phone_number: row.phone_number.clone(),
            },
            number: InboxNumber {
                config_id: row.config_id.map(|id| id.uuid()),
                name: row.config_name.clone(),
                is_sandbox: row.config_id.is_none(),
            },
            agent: row.agent_id.zip(row.agent_name.clone()).map(|(id, name)| InboxAgent { id: id.uuid(), name }),
            mode: mode(row),
            execution,
            assignment: row.assignment_id.zip(row.assignee_id).map(|(id, user)| InboxAssignment {
                id,
                user_id: user.uuid(),
                name: row.assignee_name.clone().unwrap_or_default(),
            }),
            last_message: last_message(row),
            unread: row.unread,
            window_expires_at: row.last_inbound_at.map(|at| (at + WINDOW).into()),
            status: row.status.as_str(),
            last_active_at: row.last_active_at.into(),
        }
    }
}

fn mode(row: &EntryRow) -> &'static str {
    match (row.assignee_id, row.agent_id, row.execution_status) {
        _ if row.status == Status::Ended => "none",
        (Some(_), ..) => "person",
        (_, None, _) => "none",
        (_, _, Some(ExecutionStatus::Handoff)) => "handoff",
        (_, _, Some(ExecutionStatus::Failed)) => "failed",
        (_, _, Some(ExecutionStatus::Started | ExecutionStatus::Running)) => "agent",
        _ => "waiting",
    }
}

fn execution(row: &EntryRow) -> Option<InboxExecution> {
    let error: Value =
        row.execution_error.as_deref().and_then(|error| serde_json::from_str(error).ok()).unwrap_or_default();
    let reason = row.handoff_reason.clone().or_else(|| error["message"].as_str().map(str::to_owned));
    Some(InboxExecution {
        id: row.execution_id?.uuid(),
        agent_id: row.execution_agent_id?.uuid(),
        status: row.execution_status?.as_str(),
        reason,
        retryable: error["retryable"] == true,
    })
}

fn last_message(row: &EntryRow) -> Option<InboxLastMessage> {
    let kind = row.message_kind.as_deref()?;
    let stored = row.message_content.as_deref().unwrap_or_default();
    let is_deleted = row.message_deleted_at.is_some();
    let content = if is_deleted { String::new() } else { wording::of_stored(stored, kind, row.message_raw.as_deref()) };
    Some(InboxLastMessage {
        id: row.message_id?.uuid(),
        kind: message::contract_kind(kind),
        text: content.chars().take(PREVIEW).collect(),
        is_deleted,
        direction: row.message_direction?.as_str(),
        by: row.message_origin?.as_str(),
        status: row.message_status?.as_str(),
        at: row.message_at?.into(),
    })
}
