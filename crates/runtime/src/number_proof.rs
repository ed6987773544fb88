//! Proof that a config may receive the messages of its number: its access token reads the number
//! and finds it in the config's business account (docs/spec/whatsapp-cloud-api.md 2.8).
//!
//! The directory has an entry for a number only while a config receives its messages. Its key
//! decides between two proofs at the same time. The first proof wins: a later one changes nothing
//! until the first config is deleted, gets another number, or fails a check.

use crate::{
    Context, events,
    senders::{self, Sender},
};
use domain::{
    Timestamp,
    conversation::{NumberProof, ProofFailure},
    event::Event,
    ids::{ProjectId, WhatsappConfigId},
    job::JobKind,
};
use gateways::whatsapp::{CallError, ErrorClass};
use secrecy::SecretString;
use serde_json::json;
use store::{
    Error, Result, Tx,
    jobs::{self, NewJob},
    unscoped::{self, DirectoryKind},
    whatsapp_configs::{self, WhatsappConfigRow},
};

/// Result of a check at Meta.
#[derive(Debug, Clone)]
pub struct Check {
    /// The number as Meta displays it, if the token reads it.
    pub display_phone_number: Option<String>,
    /// `Ok` is a proof.
    pub result: std::result::Result<(), Failure>,
}

#[derive(Debug, Clone)]
pub struct Failure {
    pub class: ProofFailure,
    /// Meta's error, if it answered with one.
    pub error: Option<CallError>,
}

impl Failure {
    const fn of(class: ProofFailure) -> Self {
        Self { class, error: None }
    }

    fn at_meta(error: CallError, refused: ProofFailure) -> Self {
        let class = match &error {
            CallError::Refused { class: ErrorClass::Auth, .. } => ProofFailure::TokenInvalid,
            error if error.is_passing() => ProofFailure::Unreachable,
            _ => refused,
        };
        Self { class, error: Some(error) }
    }
}

/// Asks Meta with the config's token.
pub async fn check(ctx: &Context, phone_number_id: &str, waba_id: &str, token: &SecretString) -> Check {
    let (number, listed) = tokio::join!(
        ctx.graph.number(phone_number_id, token),
        ctx.graph.account_has_number(waba_id, phone_number_id, token)
    );
    let display_phone_number = number.as_ref().ok().and_then(|number| number.display_phone_number.clone());
    let number = match number {
        Ok(number) if number.id == phone_number_id => Ok(()),
        // The id is another spelling of this number, under which no webhooks arrive.
        Ok(_) => Err(Failure::of(ProofFailure::NumberNotReadable)),
        Err(error) => Err(Failure::at_meta(error, ProofFailure::NumberNotReadable)),
    };
    let listed = match listed {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::of(ProofFailure::NotInAccount)),
        Err(error) => Err(Failure::at_meta(error, ProofFailure::AccountNotReadable)),
    };
    Check { display_phone_number, result: number.and(listed) }
}

/// The result for a config without a token.
pub const fn without_token() -> Check {
    Check { display_phone_number: None, result: Err(Failure::of(ProofFailure::NoToken)) }
}

/// The config with the token to check it with.
pub(crate) async fn sender(
    ctx: &Context,
    project: ProjectId,
    id: WhatsappConfigId,
) -> Result<Option<(WhatsappConfigRow, Option<Sender>)>> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let Some(config) = whatsapp_configs::find(&mut conn, project, id).await? else { return Ok(None) };
    let sender = senders::sender_of_config(ctx, &mut conn, project, config.clone()).await?;
    Ok(Some((config, sender)))
}

/// Enters the result of a check into a row, which still has to be stored. An unreachable Meta
/// decides nothing.
pub fn enter(row: &mut WhatsappConfigRow, check: &Check, now: Timestamp) {
    row.proof_failure = check.result.as_ref().err().map(|failure| failure.class);
    if row.proof_failure == Some(ProofFailure::Unreachable) {
        return;
    }
    row.proof = if row.proof_failure.is_none() { NumberProof::Proved } else { NumberProof::Unproved };
    row.proof_at = Some(now);
}

/// Enters a proof that comes too late: another config has proved the number.
pub(crate) fn enter_taken(row: &mut WhatsappConfigRow, now: Timestamp) {
    row.proof = NumberProof::Unproved;
    row.proof_at = Some(now);
    row.proof_failure = Some(ProofFailure::NumberTaken);
}

/// Reports a new, changed or deleted config.
pub async fn append_event(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, id: WhatsappConfigId) -> Result<()> {
    events::append(ctx, tx, project, Event::WhatsappConfigUpdated, id.uuid(), &json!({})).await
}

/// Queues what follows from a stored row: another check until one succeeds, and the messages that
/// were held for a number that is proved now.
pub async fn follow_up(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, row: &WhatsappConfigRow) -> Result<()> {
    if row.proof.receives() {
        queue(ctx, tx, project, row.id, JobKind::HeldMessages).await?;
    }
    if row.proof == NumberProof::Proved {
        return Ok(());
    }
    queue(ctx, tx, project, row.id, JobKind::NumberProof).await
}

/// Lets other configs of a number, which no config receives any more, try again to prove it.
pub async fn released(ctx: &Context, tx: &mut Tx<'_>, phone_number_id: &str) -> Result<()> {
    if unscoped::look_up(tx, DirectoryKind::Number, phone_number_id).await?.is_some() {
        return Ok(());
    }
    for other in unscoped::of_number(tx, phone_number_id).await? {
        queue(ctx, tx, other.project_id, WhatsappConfigId::from_uuid(other.id), JobKind::NumberProof).await?;
    }
    Ok(())
}

/// Queues a check, at once.
pub async fn queue_check(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, id: WhatsappConfigId) -> Result<()> {
    queue(ctx, tx, project, id, JobKind::NumberProof).await
}

async fn queue(ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, id: WhatsappConfigId, kind: JobKind) -> Result<()> {
    // The migration that introduced proofs queued a check under the same key.
    let key = id.uuid().simple().to_string();
    let now = ctx.now();
    let job = NewJob { id: ctx.new_uuid(), kind, key: &key, payload: &key, run_at: now };
    jobs::put(&mut tx.scope(project, now), job).await
}

/// Reads the payload of a job about a config.
pub(crate) fn config_of(payload: &str) -> Result<WhatsappConfigId> {
    let id = uuid::Uuid::try_parse(payload);
    id.map(WhatsappConfigId::from_uuid).map_err(|_| Error::Damaged { what: "job", why: "not a config id".into() })
}
