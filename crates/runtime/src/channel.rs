//! Opens a conversation with a phone number that may not have written yet.

use crate::{Context, derived_id::derived_id, events, hooks, sandbox};
use domain::{
    Id,
    event::Event,
    ids::{CustomerId, ProjectId, WhatsappConfigId},
    phone::Phone,
    sandbox::SessionStatus,
};
use serde_json::json;
use store::{
    Result, Tx,
    contacts::{self, Identity, Seen},
    conversations::{self, ConversationRow, Touch},
    sandbox_sessions,
    whatsapp_configs::WhatsappConfigRow,
};

/// The number that a conversation is held from.
#[derive(Debug, Clone)]
pub struct Channel {
    phone_number_id: String,
    config: Option<WhatsappConfigId>,
    customer: Option<CustomerId>,
}

impl From<WhatsappConfigRow> for Channel {
    fn from(config: WhatsappConfigRow) -> Self {
        Self { phone_number_id: config.phone_number_id, config: Some(config.id), customer: config.customer_id }
    }
}

/// The sandbox number, for a phone with an active session in this project.
pub async fn sandbox(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, phone: &Phone) -> Result<Option<Channel>> {
    let session = sandbox_sessions::live(tx, project, phone.canonical()).await?;
    let active = session.is_some_and(|session| sandbox::is_live(&session, SessionStatus::Active, ctx.now()));
    let number = ctx.sandbox.as_ref().filter(|_| active).map(|sandbox| sandbox.phone_number_id.clone());
    Ok(number.map(|phone_number_id| Channel { phone_number_id, config: None, customer: None }))
}

/// Finds or creates the contact and its open conversation on the channel. Takes the conversation's
/// next sequence number and locks its row.
pub async fn open(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    phone: &Phone,
    channel: &Channel,
) -> Result<ConversationRow> {
    let now = ctx.now();
    let identity = Identity::phone_number(phone.canonical());
    let new_contact = Id::from_uuid(derived_id(project, "contact", &format!("wa_id//{}", phone.canonical())));
    let known = match contacts::by_identity(tx, project, &identity).await? {
        Some(id) => contacts::find(tx, project, id).await?,
        None => None,
    };
    let seen = match known {
        // The address that WhatsApp reported last is the better one.
        Some(_) => Seen::default(),
        None => Seen { wa_id: Some(phone.digits().into()), customer: channel.customer, ..Seen::default() },
    };
    let met = contacts::see(tx, project, &[identity], new_contact, &seen, now).await?;
    let contact = met.id;
    if met.changed {
        events::append(ctx, tx, project, Event::ContactUpdated, contact.uuid(), &json!({})).await?;
    }
    // The end of an earlier conversation does not close WhatsApp's service window.
    let inbound_at = conversations::last_inbound(tx, project, contact, &channel.phone_number_id).await?;
    let number = known.as_ref().and_then(|contact| contact.wa_id.as_ref());
    let number = number.map_or_else(|| phone.e164(), |wa_id| format!("+{wa_id}"));
    let touch = Touch {
        new_id: ctx.new_id(),
        phone_number_id: &channel.phone_number_id,
        contact,
        config: channel.config,
        phone_number: Some(&number),
        contact_name: known.as_ref().and_then(|contact| contact.profile_name.as_deref()),
        agent: None,
        inbound_at,
        now,
    };
    let conversation = conversations::touch(tx, project, &touch).await?;
    if conversation.id == touch.new_id {
        events::append(ctx, tx, project, Event::ConversationCreated, conversation.id.uuid(), &json!({})).await?;
        hooks::conversation_created(ctx, tx, project, &conversation, now).await?;
    }
    Ok(conversation)
}
