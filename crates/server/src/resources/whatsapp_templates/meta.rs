//! Shared by endpoints that change a template at Meta: the mark set before the request, and the
//! mapping of Meta's answers.

use super::accounts;
use crate::{ApiError, auth::ProjectContext};
use axum::http::StatusCode;
use domain::{
    ids::{CustomerId, WhatsappConfigId},
    template::Unconfirmed,
};
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

/// A template marked as being changed at Meta.
pub(super) struct MarkedTemplate {
    /// Row with the mark.
    pub row: WhatsappTemplateRow,
    pub sender: Sender,
    /// Earlier mark, of a call with an unknown result.
    pub before: Option<Unconfirmed>,
}

/// Marks a locked row and schedules a refresh in case no answer is stored.
pub(super) async fn mark(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    mut row: WhatsappTemplateRow,
    call: Unconfirmed,
    customer: Option<CustomerId>,
    first: Option<WhatsappConfigId>,
) -> Result<MarkedTemplate, ApiError> {
    let (project, now) = (ctx.project, ctx.now());
    let sender = senders::sender_of_account(ctx, tx, project, &row.waba_id, customer, first)
        .await?
        .ok_or_else(accounts::no_number)?;
    let before = row.in_doubt.replace(call);
    whatsapp_templates::update(tx, project, &row).await?;
    row.version += 1;
    templates::queue_refresh(ctx, tx, project, row.id, now + REFRESH_AFTER).await?;
    Ok(MarkedTemplate { row, sender, before })
}

/// Clears the mark if Meta definitely changed nothing, unless the row was written since. Returns
/// the client's error.
pub(super) async fn failed(
    ctx: &ProjectContext,
    marked: &MarkedTemplate,
    error: CallError,
) -> Result<ApiError, ApiError> {
    if !matches!(error, CallError::Unknown { .. }) {
        let (project, seen) = (ctx.project, &marked.row);
        transact!(ctx.store, "template.unmark", ApiError, tx => {
            let row = whatsapp_templates::lock(tx, project, seen.id).await?;
            // Keeps the mark of an earlier call, which this answer does not settle.
            if let Some(mut row) = row.filter(|row| row.version == seen.version) {
                row.in_doubt = marked.before;
                whatsapp_templates::update(tx, project, &row).await?;
            }
            Ok(())
        })?;
    }
    Ok(call_error(error))
}

/// Refusals concern the request (422); other failures are not the client's fault (500).
pub(super) fn call_error(error: CallError) -> ApiError {
    let message = error.to_string();
    let (mut status, mut code, mut details) = (StatusCode::INTERNAL_SERVER_ERROR, "whatsapp_unavailable", Map::new());
    match error {
        CallError::Refused { class, code: number, subcode, http, .. } => {
            for (key, value) in [("error_code", number), ("error_subcode", subcode), ("http_status", Some(http.into()))]
            {
                details.extend(value.map(|value| (key.to_owned(), json!(value))));
            }
            if class != ErrorClass::Throttle {
                (status, code) = (StatusCode::UNPROCESSABLE_ENTITY, "whatsapp_refused");
            }
        }
        CallError::Unknown { .. } => code = "whatsapp_unconfirmed",
        CallError::NotSent { .. } => {}
    }
    ApiError::whatsapp(status, code, message, details)
}
