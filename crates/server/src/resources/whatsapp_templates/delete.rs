//! `DELETE /whatsapp_templates/{template_id}`

use super::{
    get,
    meta::{self, Asked},
    view::WhatsappTemplate,
};
use crate::{
    ApiError,
    api::{Changed, Data, change},
    auth::ProjectContext,
};
use axum::extract::Path;
use domain::{ids::WhatsappTemplateId, template::TemplateStatus};
use gateways::whatsapp::CallError;
use runtime::templates::{self, doubt};
use store::{transact, whatsapp_templates};

/// Delete on Meta and mark as removed here
///
/// Only this language of the name. A draft is removed here alone, and one that is removed already is answered as it is.
#[utoipa::path(
    delete, path = "/whatsapp_templates/{template_id}", operation_id = "delete_whatsapp_template",
    tag = "WhatsApp Templates", params(("template_id", description = "Template id on this platform, not Meta's.")),
    responses(
        (status = 200, description = "The template, now with status removed.", body = Data<WhatsappTemplate>),
        (status = 422, description = "`no_production_config`: no number of its business account can ask; `whatsapp_refused`: see `meta`"),
        (status = 500, description = "`whatsapp_unavailable`: nothing was deleted; `whatsapp_unclear`: it may have been deleted, \
            which is looked up within a minute"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(template_id): Path<String>,
) -> Result<Changed<Data<WhatsappTemplate>>, ApiError> {
    let id = get::named(&ctx, &template_id).await?.id;
    if let Some(asked) = begin(&ctx, id).await?
        && let Err(error) = ask(&ctx, &asked).await
    {
        return Err(meta::failed(&ctx, &asked, error).await?);
    }
    let project = ctx.project;
    change!(ctx, "whatsapp_template.delete", tx => {
        let mut row = whatsapp_templates::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Template"))?;
        let from = row.status;
        if from != TemplateStatus::Removed {
            row.status = TemplateStatus::Removed;
            row.in_doubt = None;
            row.updated_at = ctx.now();
            whatsapp_templates::update(tx, project, &row).await?;
            templates::append_status_event(&ctx, tx, project, (from, &row)).await?;
        }
        Ok(Data { data: WhatsappTemplate::of(tx, project, &row).await? })
    })
}

/// `None`: Meta has nothing of it, so there is nothing to ask.
async fn begin(ctx: &ProjectContext, id: WhatsappTemplateId) -> Result<Option<Asked>, ApiError> {
    let project = ctx.project;
    transact!(ctx.store, "template.delete.begin", ApiError, tx => {
        let row = whatsapp_templates::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Template"))?;
        let removed = row.status == TemplateStatus::Removed;
        if removed || (row.meta_id.is_none() && row.in_doubt.is_none()) {
            return Ok(None);
        }
        meta::mark(ctx, tx, row, doubt::DELETE, (None, None)).await.map(Some)
    })
}

/// By its id: the name alone would take all its languages along.
async fn ask(ctx: &ProjectContext, asked: &Asked) -> Result<(), CallError> {
    let (row, token) = (&asked.row, &asked.voice.token);
    let meta_id = match &row.meta_id {
        Some(meta_id) => Some(meta_id.clone()),
        // A draft that may have arrived.
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
