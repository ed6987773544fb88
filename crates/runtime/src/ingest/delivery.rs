//! Stores a delivery, which is hardly ever more than one commit. An item that cannot be processed never blocks the others.

use super::{address_book, changes, early::Writer, echoes, messages, people, sandbox, statuses, templates};
use crate::{
    Context,
    context::PLATFORM_PROJECT,
    failpoint,
    unanswered::{Cause, Unanswered},
};
use domain::{
    Id,
    ids::{ConversationId, ProjectId, WhatsappConfigId},
    message_change,
};
use gateways::whatsapp::webhook::{self, Delivery, InboundMessage, Item};
use sha2::{Digest as _, Sha256};
use store::{
    Result, Tx, transact,
    unscoped::{self, DirectoryKind},
    webhook_events,
};

/// Items of one transaction: other writes wait for no more than these.
const BATCH: usize = 100;

/// Meta's ids have up to about 200 characters.
const LONGEST_ID: usize = 1_024;

#[derive(Debug, Clone, Copy)]
enum NumberOwner {
    Project(ProjectId, WhatsappConfigId),
    /// The number that all sandbox sessions share.
    Sandbox,
    /// It is in configs, of which none has proved it.
    Unproved,
}

/// Stores a delivery, in several commits if it has more than [`BATCH`] items. After a failure or a
/// crash between them Meta repeats all of it, and what was stored counts as seen.
pub(super) async fn store(ctx: &Context, delivery: &Delivery, body: &[u8]) -> Result<()> {
    let mut outcome =
        Unstored { kept: (delivery.malformed > 0 || delivery.items.is_empty()).then_some("malformed"), held: vec![] };
    let mut silenced = Vec::new();
    let mut rest = delivery.items.as_slice();
    loop {
        let (batch, later) = rest.split_at(rest.len().min(BATCH));
        rest = later;
        (outcome, silenced) = transact!(ctx.store, "ingest", tx => {
            let mut outcome = outcome.clone();
            let mut silenced = silenced.clone();
            for item in batch {
                silenced.extend(store_item(ctx, tx, item, &mut outcome).await?);
            }
            // Last, so that a body that is kept was processed.
            if rest.is_empty() {
                keep(ctx, tx, body, &outcome).await?;
            }
            reach(batch, ["ingest.commit", "status.commit"]);
            Ok((outcome, silenced))
        })?;
        for conversation in silenced.drain(..) {
            ctx.interrupts.signal(conversation);
        }
        reach(batch, ["ingest.committed", "status.committed"]);
        if rest.is_empty() {
            return Ok(());
        }
    }
}

/// Items of a delivery that were not stored.
#[derive(Clone)]
struct Unstored<'a> {
    /// The reason to keep the body.
    kept: Option<&'static str>,
    /// Unproved numbers whose messages wait in the body.
    held: Vec<&'a str>,
}

/// Stores one item. The conversation whose agent it silenced.
async fn store_item<'a>(
    ctx: &Context,
    tx: &mut Tx<'_>,
    item: &'a Item,
    outcome: &mut Unstored<'a>,
) -> Result<Option<ConversationId>> {
    match item {
        Item::Message(message) | Item::Echo(message) if !storable(message) => outcome.kept = Some("oversized"),
        Item::Message(message) if !messages::has_sender(message) => outcome.kept = Some("unknown_sender"),
        Item::Echo(echo) if !messages::has_sender(echo) => outcome.kept = Some("unknown_recipient"),
        Item::Echo(echo) => match owner(ctx, tx, &echo.phone_number_id).await? {
            Some(NumberOwner::Project(project, config)) => return store_echo(ctx, tx, project, config, echo).await,
            Some(NumberOwner::Sandbox) => return sandbox::store_echo(ctx, tx, echo).await,
            Some(NumberOwner::Unproved) => outcome.held.push(&echo.phone_number_id),
            None => outcome.kept = Some("unknown_number"),
        },
        Item::Message(message) => match owner(ctx, tx, &message.phone_number_id).await? {
            Some(NumberOwner::Project(project, config)) => store_message(ctx, tx, project, config, message).await?,
            Some(NumberOwner::Sandbox) => sandbox::store(ctx, tx, message).await?,
            Some(NumberOwner::Unproved) => outcome.held.push(&message.phone_number_id),
            None => {
                outcome.kept = Some("unknown_number");
                unknown_number(ctx, &message.kind);
            }
        },
        Item::Status(status) => statuses::store(ctx, tx, status).await?,
        Item::SavedContact(saved) => {
            let owner = owner(ctx, tx, &saved.phone_number_id).await?;
            let is_stored = match owner {
                Some(NumberOwner::Project(project, config)) if saved.number.len() <= LONGEST_ID => {
                    address_book::store(ctx, tx, project, config, saved).await?
                }
                _ => false,
            };
            if !is_stored {
                outcome.kept = Some("other_field");
            }
        }
        // Messages from before the number was connected: they are not imported.
        Item::Other { field, .. } if field == "history" => outcome.kept = Some("history"),
        Item::Other { field, waba_id, phone_number_id, raw, .. } => {
            let stored = match (field.as_str(), phone_number_id) {
                ("user_id_update", Some(number)) => match receiver(tx, number).await? {
                    Some(NumberOwner::Project(project, _)) => {
                        people::store_user_id_update(ctx, tx, project, waba_id.as_deref(), raw).await?
                    }
                    _ => false,
                },
                _ => templates::store(ctx, tx, waba_id.as_deref(), field, raw).await?,
            };
            if !stored {
                outcome.kept = Some("other_field");
            }
        }
    }
    Ok(None)
}

/// Stores a message that was written on the phone of a project's own number, or a change of one.
async fn store_echo(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    config: WhatsappConfigId,
    echo: &InboundMessage,
) -> Result<Option<ConversationId>> {
    if message_change::is_change(&echo.kind) {
        return changes::store_for_number(ctx, tx, project, config, echo, Writer::Phone).await.map(|()| None);
    }
    echoes::store_for_number(ctx, tx, project, config, echo).await
}

/// Stores a message to a project's own number, or its change of an earlier one.
async fn store_message(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    config: WhatsappConfigId,
    message: &InboundMessage,
) -> Result<()> {
    if message_change::is_change(&message.kind) {
        return changes::store_for_number(ctx, tx, project, config, message, Writer::Contact).await;
    }
    messages::store(ctx, tx, project, config, message).await
}

/// Keeps the body if an item was not stored.
async fn keep(ctx: &Context, tx: &mut Tx<'_>, body: &[u8], outcome: &Unstored<'_>) -> Result<()> {
    let reason = if outcome.held.is_empty() { outcome.kept } else { Some("unproved_number") };
    let Some(reason) = reason else { return Ok(()) };
    let (sha256, now) = (Sha256::digest(body), ctx.now());
    webhook_events::keep(tx, &sha256, body, reason, now).await?;
    for number in &outcome.held {
        unscoped::hold(tx, number, (webhook_events::day(now), &sha256), now).await?;
        metrics::counter!("chasqui_inbound_held_total").increment(1);
    }
    Ok(())
}

fn unknown_number(ctx: &Context, kind: &str) {
    let code = if kind == "text" { "text" } else { "other" };
    let cause = Cause::UnknownNumber;
    let (agent, execution, conversation) = (None, None, None);
    Unanswered { cause, code, project: PLATFORM_PROJECT, agent, execution, conversation }.report(ctx);
}

/// Ids too long for a database index are not Meta's: the item is kept raw.
fn storable(message: &InboundMessage) -> bool {
    let ids = [Some(&message.wamid), message.from.as_ref(), message.user_id.as_ref(), message.waba_id.as_ref()];
    ids.into_iter().flatten().all(|id| id.len() <= LONGEST_ID)
}

/// Marks one failpoint for messages and one for statuses.
fn reach(items: &[Item], [message, status]: [&'static str; 2]) {
    for item in items {
        match item {
            Item::Message(_) | Item::Echo(_) => failpoint::reach(message),
            Item::Status(_) => failpoint::reach(status),
            Item::SavedContact(_) | Item::Other { .. } => {}
        }
    }
}

async fn owner(ctx: &Context, tx: &mut Tx<'_>, phone_number_id: &str) -> Result<Option<NumberOwner>> {
    if ctx.sandbox.as_ref().is_some_and(|sandbox| sandbox.phone_number_id == phone_number_id) {
        return Ok(Some(NumberOwner::Sandbox));
    }
    if let Some(owner) = receiver(tx, phone_number_id).await? {
        return Ok(Some(owner));
    }
    if unscoped::of_number(tx, phone_number_id).await?.is_empty() {
        return Ok(None);
    }
    // A proof that commits meanwhile would not find the message that is held here.
    unscoped::lock_number(tx, phone_number_id).await?;
    Ok(Some(receiver(tx, phone_number_id).await?.unwrap_or(NumberOwner::Unproved)))
}

async fn receiver(tx: &mut Tx<'_>, phone_number_id: &str) -> Result<Option<NumberOwner>> {
    let pointer = unscoped::look_up(tx, DirectoryKind::Number, phone_number_id).await?;
    Ok(pointer.map(|pointer| NumberOwner::Project(pointer.project_id, Id::from_uuid(pointer.object_id))))
}

/// Stores the messages of a held webhook that are for one number, which a config has now proved.
pub(crate) async fn process_held(
    ctx: &Context,
    tx: &mut Tx<'_>,
    project: ProjectId,
    config: WhatsappConfigId,
    phone_number_id: &str,
    body: &[u8],
) -> Result<()> {
    let Ok(delivery) = webhook::parse(body) else { return Ok(()) };
    for item in &delivery.items {
        let (Item::Message(message) | Item::Echo(message)) = item else { continue };
        if message.phone_number_id != phone_number_id || !storable(message) || !messages::has_sender(message) {
            continue;
        }
        match item {
            Item::Echo(_) => drop(store_echo(ctx, tx, project, config, message).await?),
            _ => store_message(ctx, tx, project, config, message).await?,
        }
    }
    Ok(())
}
