//! Writes an event, and a delivery for each endpoint that asks for it.

use crate::Context;
use domain::{
    Span, Timestamp,
    hook::{DeliveryState, HookEvent, PayloadVersion},
    ids::{ConversationId, HookDeliveryId, HookEventId, ProjectId},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{
    Result, Tx,
    hook_deliveries::{self, NewDelivery},
    hook_endpoints::HookEndpointRow,
    hook_events::{self, HookEventRow},
};
use uuid::{Builder, Uuid, Variant, Version};

/// An event to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewEvent {
    /// An event with the same id is written once.
    pub id: HookEventId,
    pub name: HookEvent,
    pub conversation: Option<ConversationId>,
}

/// True if the endpoint asks for this event.
pub(super) fn asks_for(endpoint: &HookEndpointRow, name: HookEvent) -> bool {
    lists(&endpoint.events, name)
}

/// Names hold nothing that JSON escapes, so a quoted name is an element of the list.
fn lists(list: &str, name: HookEvent) -> bool {
    list.contains(&format!("\"{name}\""))
}

/// Writes the event and its deliveries to those of `endpoints` that ask for it. `render` is called
/// for the versions that they want.
pub(super) async fn publish(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    now: Timestamp,
    event: NewEvent,
    endpoints: &[HookEndpointRow],
    render: impl Fn(PayloadVersion) -> Value,
) -> Result<()> {
    let targets: Vec<_> = endpoints.iter().filter(|endpoint| asks_for(endpoint, event.name)).collect();
    send_to(ctx, tx, project, now, event, &targets, render).await.map(drop)
}

/// As [`publish`], for endpoints that need not have asked. Returns the last new delivery.
pub(super) async fn send_to(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    now: Timestamp,
    event: NewEvent,
    targets: &[&HookEndpointRow],
    render: impl Fn(PayloadVersion) -> Value,
) -> Result<Option<HookDeliveryId>> {
    let body = |version| {
        let wanted = targets.iter().any(|endpoint| endpoint.payload_version == version);
        wanted.then(|| render(version).to_string())
    };
    let row = HookEventRow { id: event.id, v1: body(PayloadVersion::V1), v2: body(PayloadVersion::V2) };
    let mut scope = tx.scope(project, now);
    if targets.is_empty() || !hook_events::insert(&mut scope, event.name, &row).await? {
        return Ok(None);
    }
    let mut last = None;
    for endpoint in targets {
        let mut new = NewDelivery {
            id: ctx.new_id(),
            endpoint: endpoint.id,
            event: event.id,
            name: event.name,
            conversation: event.conversation,
            batch: 0,
            state: DeliveryState::Pending,
            next_at: now,
        };
        if let Some(conversation) = event.conversation.filter(|_| buffers(endpoint, event.name)) {
            let most = endpoint.max_buffer_size;
            if let Some(open) = hook_deliveries::grow(&mut scope, endpoint.id, conversation, most).await? {
                hook_events::add_to_batch(&mut scope, project, open.id, open.batch, event.id).await?;
                continue;
            }
            new.batch = 1;
            if most > 1 {
                new.state = DeliveryState::Open;
                new.next_at = now + Span::from_secs(endpoint.buffer_window_seconds);
            }
            hook_events::add_to_batch(&mut scope, project, new.id, 1, event.id).await?;
        }
        hook_deliveries::insert(&mut scope, &new, endpoint.ordered).await?;
        last = Some(new.id);
    }
    Ok(last)
}

/// Only received messages are buffered, and only version 2 has a form for batches.
fn buffers(endpoint: &HookEndpointRow, name: HookEvent) -> bool {
    endpoint.buffer_enabled
        && endpoint.payload_version == PayloadVersion::V2
        && name == HookEvent::MessageReceived
        && lists(&endpoint.buffer_events, name)
}

/// The id of an event that an object has once: the object's time, and a hash.
pub(super) fn once(project: ProjectId, object: Uuid, name: HookEvent) -> HookEventId {
    let digest = Sha256::digest(format!("{project}/{object}/{name}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[..6].copy_from_slice(&object.as_bytes()[..6]);
    let id = Builder::from_bytes(bytes).with_variant(Variant::RFC4122).with_version(Version::SortRand).into_uuid();
    HookEventId::from_uuid(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Id;

    #[test]
    fn object_has_each_event_once_and_its_id_sorts_by_time() {
        let project = Id::from_uuid(Uuid::from_u128(1));
        let message: Uuid = "0197a1b2-c3d4-7000-8000-000000000001".parse().unwrap();
        let sent = once(project, message, HookEvent::MessageSent);
        assert_eq!(sent, once(project, message, HookEvent::MessageSent));
        assert_ne!(sent, once(project, message, HookEvent::MessageRead));
        assert_eq!(sent.to_string()[..13], message.to_string()[..13]);
        assert_eq!(sent.uuid().get_version_num(), 7);
    }

    #[test]
    fn name_that_begins_another_is_not_in_the_list() {
        assert!(lists(r#"["whatsapp.message.read"]"#, HookEvent::MessageRead));
        assert!(!lists(r#"["whatsapp.message.reads"]"#, HookEvent::MessageRead));
    }
}
