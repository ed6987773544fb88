//! Stores names of the WhatsApp Business app's address book: of contacts that have not told their own
//! name. A contact that has not written yet is stored, and is in no list until a message reaches it or
//! comes from it.

use crate::{Context, derived_id::derived_id, events};
use domain::{
    Id,
    event::Event,
    ids::{ProjectId, WhatsappConfigId},
    phone,
};
use gateways::whatsapp::webhook::SavedContact;
use serde_json::json;
use store::{
    Result, Tx,
    contacts::{self, Identity, Seen},
    conversations, whatsapp_configs,
};

/// `false`: its number is none.
pub(super) async fn store(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    config: WhatsappConfigId,
    saved: &SavedContact,
) -> Result<bool> {
    let Ok(phone) = phone::normalise(&saved.number) else { return Ok(false) };
    let (now, identity) = (ctx.now(), Identity::phone_number(phone.canonical()));
    let Some(contact) = contacts::by_identity(tx, project, &identity).await? else {
        // The same id as the first message of the contact would give.
        let name = format!("{}/{}/{}", identity.kind, identity.scope, identity.value);
        let new_id = Id::from_uuid(derived_id(project, "contact", &name));
        let number = whatsapp_configs::find(tx, project, config).await?;
        let customer = number.and_then(|number| number.customer_id);
        let seen = Seen { profile_name: Some(saved.name.clone()), customer, ..Seen::default() };
        contacts::ensure(tx, project, &[identity], new_id, &seen, now).await?;
        return Ok(true);
    };
    if contacts::name(tx, project, contact, &saved.name, now).await? {
        conversations::name(tx, project, &saved.phone_number_id, contact, &saved.name).await?;
        events::append(ctx, tx, project, Event::ContactUpdated, contact.uuid(), &json!({})).await?;
    }
    Ok(true)
}
