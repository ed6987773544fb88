//! What the endpoints share that change a template at Meta: the mark that is set before Meta is asked, and what its answers
//! mean for the client.

use super::accounts;
use crate::{ApiError, auth::ProjectContext};
use axum::http::StatusCode;
use domain::ids::{CustomerId, WhatsappConfigId};
use gateways::whatsapp::{CallError, ErrorClass};
use runtime::{
    senders::{self, Sender},
    templates::{self, REFRESH_AFTER},
};
use serde_json::{Map, json};
use store::{
    Tx, transact,
    whatsapp_templates::{self, WhatsappTemplateRow},
};

/// A template that Meta is asked about now, marked as such.
pub(super) struct Asked {
    /// As it is stored with the mark.
    pub row: WhatsappTemplateRow,
    pub voice: Sender,
    /// The mark that it had before: an earlier call's, whose end nobody knows.
    pub before: Option<String>,
}

/// Marks a locked row and lets a job look it up, should nobody come back with an answer.
pub(super) async fn mark(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    mut row: WhatsappTemplateRow,
    doubt: &str,
    of: (Option<CustomerId>, Option<WhatsappConfigId>),
) -> Result<Asked, ApiError> {
    let (project, now) = (ctx.project, ctx.now());
    let voice =
        senders::sender_of_account(ctx, tx, project, &row.waba_id, of).await?.ok_or_else(accounts::no_number)?;
    let before = row.in_doubt.replace(doubt.to_owned());
    whatsapp_templates::update(tx, project, &row).await?;
    row.version += 1;
    templates::queue_refresh(ctx, tx, project, row.id, now + REFRESH_AFTER).await?;
    Ok(Asked { row, voice, before })
}

/// Takes the mark away where Meta did nothing for certain, unless somebody wrote the row since. The client's error.
pub(super) async fn failed(ctx: &ProjectContext, asked: &Asked, error: CallError) -> Result<ApiError, ApiError> {
    if !matches!(error, CallError::Unknown { .. }) {
        let (project, seen) = (ctx.project, &asked.row);
        transact!(ctx.store, "template.unmark", ApiError, tx => {
            let row = whatsapp_templates::lock(tx, project, seen.id).await?;
            // An earlier call's mark stays: this answer says nothing of that one.
            if let Some(mut row) = row.filter(|row| row.version == seen.version) {
                row.in_doubt.clone_from(&asked.before);
                whatsapp_templates::update(tx, project, &row).await?;
            }
            Ok(())
        })?;
    }
    Ok(of_call(error))
}

/// WhatsApp's refusals are about what was sent; all else is nobody's fault here.
pub(super) fn of_call(error: CallError) -> ApiError {
    let message = error.to_string();
    let (mut status, mut code, mut said) = (StatusCode::INTERNAL_SERVER_ERROR, "whatsapp_unavailable", Map::new());
    match error {
        CallError::Refused { class, code: number, subcode, http, .. } => {
            for (key, value) in [("error_code", number), ("error_subcode", subcode), ("http_status", Some(http.into()))]
            {
                said.extend(value.map(|value| (key.to_owned(), json!(value))));
            }
            if class != ErrorClass::Throttle {
                (status, code) = (StatusCode::UNPROCESSABLE_ENTITY, "whatsapp_refused");
            }
        }
        CallError::Unknown { .. } => code = "whatsapp_unclear",
        CallError::NotSent { .. } => {}
    }
    ApiError::Whatsapp { status, code, message, said }
}
