//! `DELETE /whatsapp_templates/{template_id}`

use super::{
    meta::{self, MarkedTemplate},
    view::WhatsappTemplate,
};
use crate::{
    ApiError,
    api::Data,
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use domain::{
    ids::WhatsappTemplateId,
    template::{TemplateStatus, Unconfirmed},
};
use gateways::whatsapp::CallError;
use runtime::templates;
use store::{transact, whatsapp_templates};

/// Delete at Meta and mark as removed here
///
/// Deletes only this language of the name. A draft is removed only here. A removed template is
/// returned unchanged.
#[utoipa::path(
    delete, path = "/whatsapp_templates/{template_id}", operation_id = "delete_whatsapp_template",
    tag = "WhatsApp Templates", params(("template_id", description = "Template id on this platform, not Meta's.")),
    responses(
        (status = 200, description = "The template, now with status removed.", body = Data<WhatsappTemplate>),
        (status = 422, description = "`no_production_config`: no config of its business account can call WhatsApp; `whatsapp_refused`: see `meta`"),
        (status = 500, description = "`whatsapp_unavailable`: nothing was deleted; `whatsapp_unconfirmed`: it may have been deleted, \
            which is looked up within a minute"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(template): Found<whatsapp_templates::WhatsappTemplateRow>,
) -> Result<Changed<Data<WhatsappTemplate>>, ApiError> {
    let id = template.id;
    if let Some(marked) = begin(&ctx, id).await?
        && let Err(error) = ask(&ctx, &marked).await
    {
        return Err(meta::failed(&ctx, &marked, error).await?);
    }
    let project = ctx.project;
    change!(ctx, "whatsapp_template.delete", tx => {
        let mut row = whatsapp_templates::lock(tx, project, id).await?.found()?;
        let from = row.status;
        if from != TemplateStatus::Removed {
            row.status = TemplateStatus::Removed;
            row.in_doubt = None;
            row.updated_at = ctx.now();
            whatsapp_templates::update(tx, project, &row).await?;
            templates::append_status_event(&ctx, tx, project, from, &row).await?;
        }
        Ok(Data { data: WhatsappTemplate::of(tx, project, &row).await? })
    })
}

/// `None` if Meta does not have it, so no request is needed.
async fn begin(ctx: &ProjectContext, id: WhatsappTemplateId) -> Result<Option<MarkedTemplate>, ApiError> {
    let project = ctx.project;
    transact!(ctx.store, "template.delete.begin", ApiError, tx => {
        let row = whatsapp_templates::lock(tx, project, id).await?.found()?;
        let removed = row.status == TemplateStatus::Removed;
        if removed || (row.meta_id.is_none() && row.in_doubt.is_none()) {
            return Ok(None);
        }
        meta::mark(ctx, tx, row, Unconfirmed::Delete, None, None).await.map(Some)
    })
}

/// By id, because deletion by name removes all languages.
async fn ask(ctx: &ProjectContext, marked: &MarkedTemplate) -> Result<(), CallError> {
    let (row, token) = (&marked.row, &marked.sender.token);
    let meta_id = match &row.meta_id {
        Some(meta_id) => Some(meta_id.clone()),
        // A draft whose submission may have arrived.
        None => {
            let found = ctx.graph.template_named(&row.waba_id, token, &row.name, &row.language_code).await?;
            found.map(|template| template.id)
        }
    };
    match meta_id {
        Some(meta_id) => ctx.graph.delete_template(&row.waba_id, token, &row.name, Some(&meta_id)).await,
        None => Ok(()),
    }
}
