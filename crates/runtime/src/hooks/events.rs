//! One function for each change that outgoing webhooks report.

use super::{
    payload::{self, MessageFacts},
    publish::{NewEvent, asks_for, once, publish, send_to},
};
use crate::Context;
use domain::{
    Span, Timestamp,
    execution::ExecutionStatus,
    hook::{HookEvent, PayloadVersion},
    ids::{AgentId, ConversationId, ExecutionId, HookDeliveryId, HookEventId, MessageId, ProjectId},
    message::{Delivery, Direction},
    template::TemplateStatus,
};
use serde_json::{Map, Value, json};
use store::{
    Conn, Result, Tx,
    conversations::{self, ConversationRow},
    hook_endpoints::{self, HookEndpointRow},
    hook_events::{self, HookEventRow},
    messages::{self, MessageRow},
    whatsapp_configs::{self, WhatsappConfigRow},
    whatsapp_templates::WhatsappTemplateRow,
};

/// A contact's message was stored. `conversation` is its row as the message has left it.
pub(crate) async fn message_received(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    id: MessageId,
    now: Timestamp,
) -> Result<()> {
    let endpoints = hook_endpoints::live_of_config(tx, project, conversation.whatsapp_config_id).await?;
    let name = HookEvent::MessageReceived;
    message(ctx, tx, project, &endpoints, conversation, id, name, now).await
}

/// WhatsApp reported a status of a sent message, or its send has failed.
pub(crate) async fn message_status(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: ConversationId,
    id: MessageId,
    to: Delivery,
    now: Timestamp,
) -> Result<()> {
    let name = match to {
        Delivery::Pending => return Ok(()),
        Delivery::Sent => HookEvent::MessageSent,
        Delivery::Delivered => HookEvent::MessageDelivered,
        Delivery::Read | Delivery::Played => HookEvent::MessageRead,
        Delivery::Failed => HookEvent::MessageFailed,
    };
    let endpoints = hook_endpoints::live_of_conversation(tx, project, conversation).await?;
    if endpoints.is_empty() {
        return Ok(());
    }
    let Some(conversation) = conversations::find(tx, project, conversation).await? else { return Ok(()) };
    message(ctx, tx, project, &endpoints, &conversation, id, name, now).await
}

/// Removes the content of a message, which its author deleted, from its events: a delivery may wait,
/// and people read payloads. The message's row has no content any more.
pub(crate) async fn message_emptied(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    id: MessageId,
) -> Result<()> {
    let Some(row) = messages::find(tx, project, id).await? else { return Ok(()) };
    let names: &[HookEvent] = match row.direction {
        Direction::Inbound => &[HookEvent::MessageReceived],
        Direction::Outbound => {
            &[HookEvent::MessageSent, HookEvent::MessageDelivered, HookEvent::MessageRead, HookEvent::MessageFailed]
        }
    };
    for name in names {
        empty_event(tx, project, conversation, &row, once(project, id.uuid(), *name)).await?;
    }
    Ok(())
}

async fn empty_event(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    row: &MessageRow,
    event: HookEventId,
) -> Result<()> {
    let Some(stored) = hook_events::find(tx, project, event).await? else { return Ok(()) };
    let config = match conversation.whatsapp_config_id.filter(|_| stored.v1.is_some()) {
        Some(config) => whatsapp_configs::find(tx, project, config).await?,
        None => None,
    };
    let facts = MessageFacts { message: row, times: None, conversation, config: config.as_ref(), is_new: false };
    let emptied = |version, payload: Option<String>| {
        let stored: Value = payload.and_then(|payload| serde_json::from_str(&payload).ok())?;
        let mut body = facts.body(version);
        body["is_new_conversation"] = stored["is_new_conversation"].clone();
        Some(body.to_string())
    };
    let v1 = emptied(PayloadVersion::V1, stored.v1);
    let row = HookEventRow { id: stored.id, v1, v2: emptied(PayloadVersion::V2, stored.v2) };
    hook_events::replace(tx, project, &row).await
}

#[expect(clippy::too_many_arguments, reason = "the message, its event and who asks for it")]
async fn message(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    endpoints: &[HookEndpointRow],
    conversation: &ConversationRow,
    id: MessageId,
    name: HookEvent,
    now: Timestamp,
) -> Result<()> {
    if matches!(name, HookEvent::MessageReceived | HookEvent::MessageSent) {
        for endpoint in endpoints.iter().filter(|endpoint| asks_for(endpoint, HookEvent::ConversationInactive)) {
            let due = now + Span::from_mins(endpoint.inactivity_minutes);
            hook_endpoints::silence_from(tx, project, endpoint.id, conversation.id, id, due).await?;
        }
    }
    if !endpoints.iter().any(|endpoint| asks_for(endpoint, name)) {
        return Ok(());
    }
    // Our copy of the message may have been deleted.
    let Some(row) = messages::find(tx, project, id).await? else { return Ok(()) };
    let times = match name {
        HookEvent::MessageReceived => None,
        _ => messages::status_times(tx, project, id).await?,
    };
    let config = config_for_v1(tx, project, conversation, endpoints).await?;
    let is_new = name == HookEvent::MessageReceived && conversation.next_seq == 1;
    let facts = MessageFacts { message: &row, times, conversation, config: config.as_ref(), is_new };
    let event = NewEvent { id: once(project, id.uuid(), name), name, conversation: Some(conversation.id) };
    publish(ctx, tx, project, now, event, endpoints, |version| facts.body(version)).await
}

/// Only version 1 shows the number of the config.
async fn config_for_v1(
    conn: &mut Conn<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    endpoints: &[HookEndpointRow],
) -> Result<Option<WhatsappConfigRow>> {
    let wanted = endpoints.iter().any(|endpoint| endpoint.payload_version == PayloadVersion::V1);
    match conversation.whatsapp_config_id.filter(|_| wanted) {
        Some(config) => whatsapp_configs::find(conn, project, config).await,
        None => Ok(None),
    }
}

/// A conversation was opened.
pub(crate) async fn conversation_created(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &ConversationRow,
    now: Timestamp,
) -> Result<()> {
    let name = HookEvent::ConversationCreated;
    let endpoints = hook_endpoints::live_of_config(tx, project, row.whatsapp_config_id).await?;
    let id = once(project, row.id.uuid(), name);
    conversation(ctx, tx, project, row, NewEvent { id, name, conversation: Some(row.id) }, &endpoints, now).await
}

/// A conversation was ended; `row` is as it was before.
pub(crate) async fn conversation_ended(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &ConversationRow,
    now: Timestamp,
) -> Result<()> {
    // In test mode there is no number.
    if row.phone_number_id.is_empty() {
        return Ok(());
    }
    let endpoints = hook_endpoints::live_of_config(tx, project, row.whatsapp_config_id).await?;
    if endpoints.is_empty() {
        return Ok(());
    }
    hook_endpoints::no_silence(tx, project, row.id).await?;
    let row = ConversationRow { status: domain::conversation::ConversationStatus::Ended, ..row.clone() };
    let name = HookEvent::ConversationEnded;
    let event = NewEvent { id: ctx.new_id(), name, conversation: Some(row.id) };
    conversation(ctx, tx, project, &row, event, &endpoints, now).await
}

async fn conversation(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &ConversationRow,
    event: NewEvent,
    endpoints: &[HookEndpointRow],
    now: Timestamp,
) -> Result<()> {
    if !endpoints.iter().any(|endpoint| asks_for(endpoint, event.name)) {
        return Ok(());
    }
    let config = config_for_v1(tx, project, row, endpoints).await?;
    let body = |version| payload::conversation(row, config.as_ref(), version, &Map::new());
    publish(ctx, tx, project, now, event, endpoints, body).await
}

/// A conversation has been silent since a message for as long as the endpoint asked.
pub(crate) async fn inactive(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    endpoint: &HookEndpointRow,
    row: &ConversationRow,
    since: MessageId,
    now: Timestamp,
) -> Result<()> {
    let mut more = Map::new();
    if let Some(message) = messages::find(tx, project, since).await? {
        let since = json!({"id": message.id, "whatsapp_message_id": message.wamid, "direction": message.direction.as_str(),
            "created_at": message.created_at.to_iso()});
        more.insert("since_message".into(), since);
    }
    more.insert("inactivity".into(), json!({"minutes": endpoint.inactivity_minutes}));
    let config = config_for_v1(tx, project, row, std::slice::from_ref(endpoint)).await?;
    let name = HookEvent::ConversationInactive;
    let event = NewEvent { id: ctx.new_id(), name, conversation: Some(row.id) };
    let body = |version| payload::conversation(row, config.as_ref(), version, &more);
    send_to(ctx, tx, project, now, event, &[endpoint], body).await.map(drop)
}

/// The change of an execution's status.
#[derive(Debug)]
pub(crate) struct ExecutionChange<'a> {
    pub id: ExecutionId,
    pub agent: AgentId,
    pub conversation: ConversationId,
    pub status: ExecutionStatus,
    pub node: &'a str,
    pub handoff_reason: Option<&'a str>,
    pub end_reason: Option<&'a str>,
    /// JSON.
    pub error: Option<&'a str>,
}

/// An execution has another status. Not called in test mode.
pub(crate) async fn execution_changed(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    e: &ExecutionChange<'_>,
    is_new: bool,
    now: Timestamp,
) -> Result<()> {
    let of_status = match e.status {
        ExecutionStatus::Handoff => Some(HookEvent::ExecutionHandoff),
        ExecutionStatus::Failed => Some(HookEvent::ExecutionFailed),
        ExecutionStatus::Ended | ExecutionStatus::Stopped => Some(HookEvent::ExecutionEnded),
        ExecutionStatus::Started | ExecutionStatus::Running | ExecutionStatus::Paused => None,
    };
    let names: Vec<HookEvent> = is_new.then_some(HookEvent::ExecutionStarted).into_iter().chain(of_status).collect();
    if names.is_empty() {
        return Ok(());
    }
    let endpoints = hook_endpoints::live_of_conversation(tx, project, e.conversation).await?;
    for name in names {
        let error = e.error.and_then(|error| serde_json::from_str::<Value>(error).ok());
        let body = json!({"execution": {"id": e.id, "agent_id": e.agent, "conversation_id": e.conversation,
            "status": e.status, "node": e.node, "handoff_reason": e.handoff_reason, "end_reason": e.end_reason,
            "error": error}});
        let event = NewEvent { id: ctx.new_id(), name, conversation: Some(e.conversation) };
        publish(ctx, tx, project, now, event, &endpoints, |_| body.clone()).await?;
    }
    Ok(())
}

/// A template has another status.
pub async fn template_status(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    from: TemplateStatus,
    row: &WhatsappTemplateRow,
    now: Timestamp,
) -> Result<()> {
    let body = json!({"template": {"id": row.id, "name": row.name, "language_code": row.language_code,
        "status": row.status.as_str(), "previous_status": from.as_str(), "rejected_reason": row.rejected_reason,
        "business_account_id": row.waba_id}});
    of_project(ctx, tx, project, HookEvent::TemplateStatus, &body, now).await
}

/// A number has another proof, or another reason for not being proved.
pub async fn number_health(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &WhatsappConfigRow,
    now: Timestamp,
) -> Result<()> {
    let status = if row.proof_failure.is_none() && row.proof.receives() { "healthy" } else { "unhealthy" };
    let body = json!({"whatsapp_config": {"id": row.id, "phone_number_id": row.phone_number_id,
        "display_phone_number": row.display_phone_number, "status": status, "proof": row.proof.as_str(),
        "failure": row.proof_failure.map(|failure| failure.as_str())}});
    of_project(ctx, tx, project, HookEvent::NumberHealth, &body, now).await
}

/// A test run is over.
pub(crate) async fn test_run_finished(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    run: &Value,
    now: Timestamp,
) -> Result<()> {
    of_project(ctx, tx, project, HookEvent::TestRunFinished, &json!({"test_run": run}), now).await
}

/// An endpoint was paused.
pub(crate) async fn endpoint_paused(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    endpoint: &HookEndpointRow,
    now: Timestamp,
) -> Result<()> {
    let since = endpoint.failing_since.map(Timestamp::to_iso);
    let body = json!({"webhook_endpoint": {"id": endpoint.id, "whatsapp_config_id": endpoint.whatsapp_config_id,
        "paused_at": now.to_iso(), "failing_since": since}});
    of_project(ctx, tx, project, HookEvent::WebhookPaused, &body, now).await
}

/// Writes an event that belongs to no number: only endpoints of the project get it.
async fn of_project(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    name: HookEvent,
    body: &Value,
    now: Timestamp,
) -> Result<()> {
    let endpoints = hook_endpoints::live_of_config(tx, project, None).await?;
    let event = NewEvent { id: ctx.new_id(), name, conversation: None };
    publish(ctx, tx, project, now, event, &endpoints, |_| body.clone()).await
}

/// Writes a test event for one endpoint. Returns its delivery.
pub async fn test(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    endpoint: &HookEndpointRow,
    now: Timestamp,
) -> Result<Option<HookDeliveryId>> {
    let id = endpoint.id;
    let body = json!({"webhook_endpoint": {"id": id}, "message": "This is a test event.", "sent_at": now.to_iso()});
    let event = NewEvent { id: ctx.new_id(), name: HookEvent::WebhookTest, conversation: None };
    send_to(ctx, tx, project, now, event, &[endpoint], |_| body.clone()).await
}
