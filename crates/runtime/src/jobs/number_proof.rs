//! Checks at Meta that a config's token reads its number and its business account.
//!
//! Repeats with a growing delay while Meta gives no answer, and for some hours after a refusal:
//! permissions are often granted after the config was created. A health check starts it again.

use super::retry::backoff;
use crate::{
    Context, hooks,
    number_proof::{self, Check},
};
use domain::{
    Id, Span, Timestamp,
    conversation::{NumberProof, ProofFailure},
    ids::ProjectId,
};
use gateways::whatsapp::CallError;
use store::{
    Result, Tx, jobs,
    jobs::JobRow,
    transact,
    unscoped::{self, DirectoryKind},
    whatsapp_configs::{self, WhatsappConfigRow},
};

/// Checks that Meta refused, spread over about three hours.
const MAX_REFUSALS: i64 = 14;

pub(super) async fn run(ctx: &Context, project: ProjectId, job: &JobRow) -> Result<()> {
    let Some((seen, sender)) = number_proof::sender(ctx, project, number_proof::config_of(&job.payload)?).await? else {
        return finish(ctx, project, job).await;
    };
    if seen.proof == NumberProof::Proved {
        return finish(ctx, project, job).await;
    }
    let check = match sender {
        Some(sender) => number_proof::check(ctx, &seen.phone_number_id, &seen.waba_id, &sender.token).await,
        None => number_proof::without_token(),
    };
    apply(ctx, project, job, &seen, &check).await
}

async fn finish(ctx: &Context, project: ProjectId, job: &JobRow) -> Result<()> {
    transact!(ctx.store, "number.proof.done", tx => jobs::finish(tx, project, job).await)
}

async fn apply(ctx: &Context, project: ProjectId, job: &JobRow, seen: &WhatsappConfigRow, check: &Check) -> Result<()> {
    let stored = transact!(ctx.store, "number.proof", tx => {
        let now = ctx.now();
        jobs::hold(tx, project, job, &ctx.node).await?;
        let Some(mut row) = whatsapp_configs::lock(tx, project, seen.id).await? else {
            jobs::finish(tx, project, job).await?;
            return Ok(None);
        };
        if checked(&row) != checked(seen) {
            // The check was about an earlier number, account or token.
            jobs::again(tx, project, job, now, "").await?;
            return Ok(None);
        }
        let received = row.proof.receives();
        let before = (row.proof, row.proof_failure);
        number_proof::enter(&mut row, check, now);
        if let Some(number) = &check.display_phone_number {
            whatsapp_configs::show_as(tx, project, row.id, number).await?;
        }
        let wait = next_check(tx, job, &mut row, check, now).await?;
        whatsapp_configs::set_proof(tx, project, &row).await?;
        number_proof::append_event(ctx, tx, project, row.id).await?;
        if (row.proof, row.proof_failure) != before {
            hooks::number_health(ctx, tx, project, &row, now).await?;
        }
        if row.proof.receives() != received {
            number_proof::follow_up(ctx, tx, project, &row).await?;
            number_proof::released(ctx, tx, &row.phone_number_id).await?;
        }
        match wait {
            Some(wait) => jobs::again(tx, project, job, now + wait, row.proof_failure.map_or("", ProofFailure::as_str)).await?,
            None => jobs::finish(tx, project, job).await?,
        }
        Ok(Some(row))
    })?;
    if let Some(row) = stored {
        report(project, &row);
        ctx.wake.notify_one();
    }
    Ok(())
}

/// The parts of a config that its proof is about.
fn checked(row: &WhatsappConfigRow) -> impl PartialEq + use<> {
    (row.phone_number_id.clone(), row.waba_id.clone(), row.access_token_id)
}

/// Delay of the next check; `None` if none is needed. Turns a proof of a taken number into a
/// failure.
async fn next_check(
    tx: &mut Tx<'_>,
    job: &JobRow,
    row: &mut WhatsappConfigRow,
    check: &Check,
    now: Timestamp,
) -> Result<Option<Span>> {
    let error = check.result.as_ref().err().and_then(|failure| failure.error.clone());
    let wait = backoff(job.attempt, &error.unwrap_or_else(|| CallError::NotSent { message: String::new() }));
    if row.proof == NumberProof::Proved {
        unscoped::lock_number(tx, &row.phone_number_id).await?;
        let owner = unscoped::look_up(tx, DirectoryKind::Number, &row.phone_number_id).await?;
        let Some(owner) = owner.filter(|owner| owner.object_id != row.id.uuid()) else { return Ok(None) };
        let id = Id::from_uuid(owner.object_id);
        let owner = whatsapp_configs::find(tx, owner.project_id, id).await?;
        number_proof::enter_taken(row, now);
        // One that is not checked yet may still lose the number.
        let is_open = owner.is_some_and(|owner| owner.proof == NumberProof::Assumed);
        return Ok(is_open.then_some(wait));
    }
    Ok(match row.proof_failure {
        Some(ProofFailure::Unreachable) => Some(wait),
        // Nothing changes by itself: an update of the config starts a check.
        Some(ProofFailure::NoToken) => None,
        _ => (job.attempt < MAX_REFUSALS).then_some(wait),
    })
}

fn report(project: ProjectId, row: &WhatsappConfigRow) {
    let failure = row.proof_failure.map_or("", ProofFailure::as_str);
    metrics::counter!("chasqui_number_checks_total", "proof" => row.proof.as_str(), "failure" => failure).increment(1);
    if !failure.is_empty() {
        tracing::warn!(
            %project, config = %row.id, number = row.phone_number_id, proof = row.proof.as_str(), failure,
            "number not proved; a config receives messages only after its token has read its number and its \
             business account"
        );
    }
}
