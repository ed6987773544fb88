//! Notices about contacts: another number, another user id; and two contacts that turn out to be
//! one person. They keep contact, conversation, notes and assignment.

use crate::{Context, events, ownership};
use domain::{
    event::Event,
    ids::{ContactId, ProjectId},
    phone,
};
use gateways::whatsapp::webhook::{InboundMessage, identity};
use serde_json::{Value, json};
use store::{
    Result, Tx,
    contact_joins::{self, NewAddress},
    contacts::{self, Identity},
};

/// Gives a contact the number or user id that a notice of WhatsApp tells.
pub(super) async fn apply_notice(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    contact: ContactId,
    message: &InboundMessage,
) -> Result<()> {
    let Some(new) = identity::of_notice(&message.raw) else { return Ok(()) };
    let phone = new.wa_id.as_deref().and_then(|number| phone::normalise(number).ok());
    let new = NewAddress {
        number: phone.as_ref().map(|phone| (phone.digits(), Identity::phone_number(phone.canonical()))),
        user_id: new.user_id.map(|id| Identity::user_id(message.waba_id.clone().unwrap_or_default(), id)),
    };
    change_address(ctx, tx, project, contact, &new).await
}

/// Applies a webhook of the field `user_id_update`. Returns false if it is about no contact.
pub(super) async fn store_user_id_update(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    waba_id: Option<&str>,
    change: &Value,
) -> Result<bool> {
    let scope = waba_id.unwrap_or_default();
    let mut stored = false;
    for update in identity::user_id_updates(change) {
        let previous = update.previous.map(|id| Identity::user_id(scope, id));
        let number = update.wa_id.as_deref().and_then(|number| phone::normalise(number).ok());
        let number = number.map(|phone| Identity::phone_number(phone.canonical()));
        for known in previous.iter().chain(&number) {
            let Some(contact) = contacts::by_identity(tx, project, known).await? else { continue };
            let user_id = Some(Identity::user_id(scope, &update.current));
            change_address(ctx, tx, project, contact, &NewAddress { number: None, user_id }).await?;
            stored = true;
            break;
        }
    }
    Ok(stored)
}

async fn change_address(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    contact: ContactId,
    new: &NewAddress<'_>,
) -> Result<()> {
    let changed = contact_joins::change_address(tx, project, contact, new, ctx.now()).await?;
    if let Some(twin) = changed.twin {
        join(ctx, tx, project, twin, contact).await?;
    }
    if changed.changed {
        events::append(ctx, tx, project, Event::ContactUpdated, contact.uuid(), &json!({})).await?;
    }
    for conversation in changed.shown {
        let body = json!({"phone_number": conversation.phone_number});
        events::append(ctx, tx, project, Event::ConversationUpdated, conversation.id.uuid(), &body).await?;
    }
    Ok(())
}

/// Makes two contacts that are one person one contact.
pub(super) async fn join(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    from: ContactId,
    to: ContactId,
) -> Result<()> {
    for finished in contact_joins::join(tx, project, from, to, ctx.now()).await? {
        ownership::continue_in(ctx, tx, project, &finished.row, finished.continues.as_ref(), ctx.now()).await?;
    }
    events::append(ctx, tx, project, Event::ContactUpdated, to.uuid(), &json!({})).await
}
