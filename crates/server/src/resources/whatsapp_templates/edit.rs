//! `PATCH /whatsapp_templates/{template_id}/meta`

use super::{
    get,
    meta::{self, Asked},
    update,
    view::{TemplateCategory, TemplateComponent, WhatsappTemplate},
};
use crate::{
    ApiError,
    api::{Changed, Data, RequestBody, body, change},
    auth::ProjectContext,
};
use axum::extract::{Path, Request};
use domain::{
    ids::WhatsappTemplateId,
    template::{Stage, TemplateStatus},
};
use gateways::whatsapp::templates::TemplateEdit;
use runtime::templates::{self, doubt};
use serde::Deserialize;
use serde_json::Value;
use store::{
    transact,
    whatsapp_templates::{self, WhatsappTemplateRow},
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappTemplateMetaEditRequest {
    template: MetaEdit,
}

impl RequestBody for WhatsappTemplateMetaEditRequest {
    const WRAPPER: &'static [&'static str] = &["template", "whatsapp_template"];
}

/// What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[schema(as = WhatsappTemplateMetaEdit)]
struct MetaEdit {
    /// Fixed once WhatsApp has approved the template.
    #[schema(value_type = Option<TemplateCategory>, nullable = false)]
    category: Option<String>,
    /// Seconds after which a message that was not delivered is dropped.
    #[schema(minimum = 1, maximum = 2_592_000, nullable = false)]
    time_to_live: Option<i64>,
    /// All of them, with examples.
    #[schema(value_type = Option<Vec<TemplateComponent>>, min_items = 1, max_items = 10, nullable = false)]
    components: Option<Vec<Value>>,
}

/// Edit a template that Meta already holds
///
/// WhatsApp looks at it again, so it is `submitted` afterwards.
#[utoipa::path(
    patch, path = "/whatsapp_templates/{template_id}/meta", operation_id = "edit_whatsapp_template_on_meta",
    tag = "WhatsApp Templates", request_body = WhatsappTemplateMetaEditRequest,
    params(("template_id", description = "Template id on this platform, not Meta's.")),
    responses(
        (status = 200, description = "The edited template.", body = Data<WhatsappTemplate>),
        (status = 422, description = "`not_editable`: only approved, rejected and disabled templates can be edited; \
            `no_production_config`: no number of its business account can ask; `whatsapp_refused`: see `meta`; details: `fixed`, and \
            for what WhatsApp would refuse `blank`, `invalid_format`, `too_long`, `no_body`, `missing_example`, `wrong_example_count`"),
        (status = 500, description = "`whatsapp_unavailable`: nothing was edited; `whatsapp_unclear`: it may have been edited, which \
            is looked up within a minute"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(template_id): Path<String>,
    request: Request,
) -> Result<Changed<Data<WhatsappTemplate>>, ApiError> {
    let id = get::named(&ctx, &template_id).await?.id;
    let sent = body::read::<WhatsappTemplateMetaEditRequest>(request).await?.template;
    let (asked, edited) = begin(&ctx, id, &sent).await?;
    let edit = TemplateEdit {
        category: sent.category.as_deref(),
        components: sent.components.as_deref(),
        time_to_live: sent.time_to_live,
    };
    let meta_id = asked.row.meta_id.clone().unwrap_or_default();
    if let Err(error) = ctx.graph.edit_template(&meta_id, &asked.voice.token, &edit).await {
        return Err(meta::failed(&ctx, &asked, error).await?);
    }
    let done = record(&ctx, &asked, &edited).await;
    ctx.wake.notify_one();
    done
}

/// The marked row, and what it is to be.
async fn begin(
    ctx: &ProjectContext,
    id: WhatsappTemplateId,
    sent: &MetaEdit,
) -> Result<(Asked, WhatsappTemplateRow), ApiError> {
    let project = ctx.project;
    transact!(ctx.store, "template.edit.begin", ApiError, tx => {
        let row = whatsapp_templates::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Template"))?;
        if !row.status.can_be_edited_on_meta() || row.meta_id.is_none() {
            let why = "Only approved, rejected or disabled templates can be edited on WhatsApp";
            return Err(ApiError::Refused("not_editable", why.into()));
        }
        let mut edited = row.clone();
        if let Some(category) = sent.category.as_ref().filter(|category| **category != row.category) {
            if row.status == TemplateStatus::Approved {
                let why = "can't be changed once the template is approved";
                return Err(ApiError::invalid("/template/category", "fixed", why));
            }
            edited.category.clone_from(category);
        }
        if let Some(components) = &sent.components {
            edited.components = Value::from(components.clone()).to_string();
            update::check(&edited, Stage::Submission)?;
        }
        let asked = meta::mark(ctx, tx, row, doubt::EDIT, (None, None)).await?;
        Ok((asked, edited))
    })
}

async fn record(
    ctx: &ProjectContext,
    asked: &Asked,
    edited: &WhatsappTemplateRow,
) -> Result<Changed<Data<WhatsappTemplate>>, ApiError> {
    let (project, id) = (ctx.project, asked.row.id);
    change!(ctx, "whatsapp_template.edit", tx => {
        let mut row = whatsapp_templates::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Template"))?;
        let from = row.status;
        if row.version == asked.row.version {
            row.category.clone_from(&edited.category);
            row.components.clone_from(&edited.components);
            row.rejected_reason = None;
            templates::apply_meta_status(&mut row, "PENDING");
            row.in_doubt = None;
        } else {
            // News came meanwhile, of before the edit or of after it: Meta is asked which.
            row.in_doubt = Some(doubt::NEWS.into());
            templates::queue_refresh(ctx, tx, project, id, ctx.now()).await?;
        }
        row.updated_at = ctx.now();
        whatsapp_templates::update(tx, project, &row).await?;
        templates::append_status_event(ctx, tx, project, (from, &row)).await?;
        Ok(Data { data: WhatsappTemplate::of(tx, project, &row).await? })
    })
}
