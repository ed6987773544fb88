//! `PATCH /whatsapp_templates/{template_id}/meta`

use super::{
    meta::{self, MarkedTemplate},
    update,
    view::{TemplateCategory, TemplateComponent, WhatsappTemplate},
};
use crate::{
    ApiError,
    api::{Data, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::{
    ids::WhatsappTemplateId,
    template::{Stage, TemplateStatus, Unconfirmed},
};
use gateways::whatsapp::templates::TemplateEdit;
use runtime::templates;
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

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
#[schema(as = WhatsappTemplateMetaEdit)]
struct MetaEdit {
    /// Cannot change after approval by WhatsApp.
    #[schema(value_type = Option<TemplateCategory>, nullable = false)]
    category: Option<String>,
    /// Seconds after which an undelivered message is dropped.
    #[schema(minimum = 1, maximum = 2_592_000, nullable = false)]
    time_to_live: Option<i64>,
    /// All components, with examples.
    #[schema(value_type = Option<Vec<TemplateComponent>>, min_items = 1, max_items = 10, nullable = false)]
    components: Option<Vec<Value>>,
}

/// Edit a template at Meta
///
/// WhatsApp reviews it again: its status becomes `submitted`.
#[utoipa::path(
    patch, path = "/whatsapp_templates/{template_id}/meta", operation_id = "edit_whatsapp_template_on_meta",
    tag = "WhatsApp Templates", request_body = WhatsappTemplateMetaEditRequest,
    params(("template_id", description = "Template id on this platform, not Meta's.")),
    responses(
        (status = 200, description = "The edited template.", body = Data<WhatsappTemplate>),
        (status = 422, description = "`not_editable`: only approved, rejected and disabled templates can be edited; \
            `no_production_config`: no config of its business account can call WhatsApp; `whatsapp_refused`: see `meta`; details: `immutable`, and \
            for rules of WhatsApp `blank`, `invalid_format`, `too_long`, `no_body`, `missing_example`, `wrong_example_count`"),
        (status = 500, description = "`whatsapp_unavailable`: nothing was edited; `whatsapp_unconfirmed`: it may have been edited, which \
            is looked up within a minute"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(template): Found<whatsapp_templates::WhatsappTemplateRow>,
    request: Request,
) -> Result<Changed<Data<WhatsappTemplate>>, ApiError> {
    let id = template.id;
    let sent = body::read::<WhatsappTemplateMetaEditRequest>(request).await?.template;
    let (marked, edited) = begin(&ctx, id, &sent).await?;
    let edit = TemplateEdit {
        category: sent.category.as_deref(),
        components: sent.components.as_deref(),
        time_to_live: sent.time_to_live,
    };
    let meta_id = marked.row.meta_id.clone().unwrap_or_default();
    if let Err(error) = ctx.graph.edit_template(&meta_id, &marked.sender.token, &edit).await {
        return Err(meta::failed(&ctx, &marked, error).await?);
    }
    let done = record(&ctx, &marked, &edited).await;
    ctx.wake.notify_one();
    done
}

/// The marked row and its new content.
async fn begin(
    ctx: &ProjectContext,
    id: WhatsappTemplateId,
    sent: &MetaEdit,
) -> Result<(MarkedTemplate, WhatsappTemplateRow), ApiError> {
    let project = ctx.project;
    transact!(ctx.store, "template.edit.begin", ApiError, tx => {
        let row = whatsapp_templates::lock(tx, project, id).await?.found()?;
        if !row.status.can_be_edited_on_meta() || row.meta_id.is_none() {
            let why = "Only approved, rejected or disabled templates can be edited on WhatsApp";
            return Err(ApiError::refused("not_editable", why));
        }
        let mut edited = row.clone();
        if let Some(category) = sent.category.as_ref().filter(|category| **category != row.category) {
            if row.status == TemplateStatus::Approved {
                let why = "can't be changed once the template is approved";
                return Err(ApiError::invalid("/template/category", "immutable", why));
            }
            edited.category.clone_from(category);
        }
        if let Some(components) = &sent.components {
            edited.components = Value::from(components.clone()).to_string();
            update::check(&edited, Stage::Submission)?;
        }
        let marked = meta::mark(ctx, tx, row, Unconfirmed::Edit, None, None).await?;
        Ok((marked, edited))
    })
}

async fn record(
    ctx: &ProjectContext,
    marked: &MarkedTemplate,
    edited: &WhatsappTemplateRow,
) -> Result<Changed<Data<WhatsappTemplate>>, ApiError> {
    let (project, id) = (ctx.project, marked.row.id);
    change!(ctx, "whatsapp_template.edit", tx => {
        let mut row = whatsapp_templates::lock(tx, project, id).await?.found()?;
        let from = row.status;
        if row.version == marked.row.version {
            row.category.clone_from(&edited.category);
            row.components.clone_from(&edited.components);
            row.rejected_reason = None;
            templates::apply_meta_status(&mut row, "PENDING");
            row.in_doubt = None;
        } else {
            // A webhook arrived meanwhile, from before or after the edit: ask Meta.
            row.in_doubt = Some(Unconfirmed::Partial);
            templates::queue_refresh(ctx, tx, project, id, ctx.now()).await?;
        }
        row.updated_at = ctx.now();
        whatsapp_templates::update(tx, project, &row).await?;
        templates::append_status_event(ctx, tx, project, from, &row).await?;
        Ok(Data { data: WhatsappTemplate::of(tx, project, &row).await? })
    })
}
