//! `POST /whatsapp_templates/{template_id}/submit`
//!
//! Meta accepts a name once per language. So if an earlier submission may have arrived, "already
//! exists" means that it did, and Meta's template is adopted.

use super::{
    accounts::{self, TemplateConfigSelector},
    meta::{self, MarkedTemplate},
    update,
    view::WhatsappTemplate,
};
use crate::{
    ApiError,
    api::{answer::Answer, body},
    auth::ProjectContext,
    change::{self, Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::{
    Json,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{
    Id,
    ids::WhatsappTemplateId,
    template::{Stage, TemplateStatus, Unconfirmed},
};
use gateways::whatsapp::{
    CallError,
    templates::{NewTemplate, Submitted, Template, is_taken},
};
use runtime::{failpoint, json::from_json, templates};
use serde::Serialize;
use serde_json::Value;
use store::{transact, whatsapp_templates};
use utoipa::ToSchema;
use uuid::Uuid;

/// Result of a submission.
#[derive(Serialize, ToSchema)]
pub(super) struct SubmitTemplateResult {
    #[schema(value_type = TemplateActionStatus)]
    status: &'static str,
    message: String,
    template_id: Uuid,
    template_name: String,
    /// Meta's id of the template.
    submission_id: String,
    data: WhatsappTemplate,
}

crate::api::words!(TemplateActionStatus = "success");

impl IntoResponse for SubmitTemplateResult {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

impl Answer for SubmitTemplateResult {
    fn status(&self) -> StatusCode {
        StatusCode::OK
    }
    fn body(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

/// Answer of Meta.
enum MetaAnswer {
    /// Accepted.
    Submitted(Submitted),
    /// Exists from an earlier submission.
    Existing(Box<Template>),
}

/// Submit a draft to Meta for approval
///
/// Safe to repeat: after a lost response, Meta's template is found and adopted.
#[utoipa::path(
    post, path = "/whatsapp_templates/{template_id}/submit", operation_id = "submit_whatsapp_template",
    tag = "WhatsApp Templates", request_body = TemplateConfigSelector,
    params(("template_id", description = "Template id on this platform, not Meta's.")),
    responses(
        (status = 200, description = "Submitted.", body = SubmitTemplateResult),
        (status = 422, description = "`not_a_draft`: it is already at WhatsApp; `no_production_config`: no config of its business \
            account can call WhatsApp; `name_taken`: WhatsApp has another template of this name; `whatsapp_refused`: see `meta`; details: \
            `unknown_config`, `unknown_customer`, and for rules of WhatsApp `blank`, `invalid_format`, `too_long`, `no_body`, \
            `missing_example`, `wrong_example_count`"),
        (status = 500, description = "`whatsapp_unavailable`: nothing was submitted; `whatsapp_unconfirmed`: it may have been \
            submitted, which is looked up within a minute"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(template): Found<whatsapp_templates::WhatsappTemplateRow>,
    request: Request,
) -> Result<Changed<SubmitTemplateResult>, ApiError> {
    let id = template.id;
    let selector = body::read::<TemplateConfigSelector>(request).await?;
    if let Some(before) = change::before(&ctx).await? {
        return Ok(Changed::Before(before));
    }
    let marked = match begin(&ctx, id, selector).await {
        Ok(marked) => marked,
        // The same request may have completed since, so the template is no longer a draft.
        Err(refused) => return change::before(&ctx).await?.map(Changed::Before).ok_or(refused),
    };
    failpoint::reach("template.ask");
    let answer = match ask(&ctx, &marked).await {
        Ok(Some(answer)) => answer,
        Ok(None) => return Err(name_taken(&ctx, &marked).await?),
        Err(error) => return Err(meta::failed(&ctx, &marked, error).await?),
    };
    failpoint::reach("template.answered");
    let done = record(&ctx, &marked, &answer).await;
    ctx.wake.notify_one();
    done
}

async fn begin(
    ctx: &ProjectContext,
    id: WhatsappTemplateId,
    selector: TemplateConfigSelector,
) -> Result<MarkedTemplate, ApiError> {
    let project = ctx.project;
    transact!(ctx.store, "template.submit.begin", ApiError, tx => {
        let mut row = whatsapp_templates::lock(tx, project, id).await?.found()?;
        if row.status != TemplateStatus::Draft {
            return Err(ApiError::refused("not_a_draft", "Only draft templates can be submitted"));
        }
        update::check(&row, Stage::Submission)?;
        let configs = accounts::selected(tx, project, selector, accounts::unknown).await?;
        if row.waba_id.is_empty() {
            // A draft created before the project had a number joins this account.
            row.waba_id = configs.first().ok_or_else(accounts::no_number)?.waba_id.clone();
        }
        let of_account = configs.iter().find(|config| config.waba_id == row.waba_id).ok_or_else(accounts::no_number)?;
        let customer = selector.customer_id.map(Id::from_uuid);
        meta::mark(ctx, tx, row, Unconfirmed::Submit, customer, Some(of_account.id)).await
    })
}

/// `None` if Meta has a different template of this name.
async fn ask(ctx: &ProjectContext, marked: &MarkedTemplate) -> Result<Option<MetaAnswer>, CallError> {
    let (row, token) = (&marked.row, &marked.sender.token);
    let new = NewTemplate {
        name: row.name.clone(),
        language: row.language_code.clone(),
        category: row.category.clone(),
        parameter_format: Some(row.parameter_format.clone()),
        components: from_json("template", &row.components).unwrap_or_default(),
        allow_category_change: false,
    };
    match ctx.graph.create_template(&row.waba_id, token, &new).await {
        Ok(submitted) => Ok(Some(MetaAnswer::Submitted(submitted))),
        Err(error) if is_taken(&error) => {
            // Only an earlier unconfirmed submission can have created it.
            if marked.before != Some(Unconfirmed::Submit) {
                return Ok(None);
            }
            let found = ctx.graph.template_named(&row.waba_id, token, &row.name, &row.language_code).await?;
            Ok(Some(MetaAnswer::Existing(Box::new(found.ok_or(error)?))))
        }
        Err(error) => Err(error),
    }
}

async fn name_taken(ctx: &ProjectContext, marked: &MarkedTemplate) -> Result<ApiError, ApiError> {
    let why = "WhatsApp has another template of this name in this language; sync to see it, or choose another name";
    meta::failed(ctx, marked, CallError::NotSent { message: why.into() }).await?;
    Ok(ApiError::state("name_taken", "Template name is taken on WhatsApp", why))
}

async fn record(
    ctx: &ProjectContext,
    marked: &MarkedTemplate,
    answer: &MetaAnswer,
) -> Result<Changed<SubmitTemplateResult>, ApiError> {
    let (project, id) = (ctx.project, marked.row.id);
    change!(ctx, "whatsapp_template.submit", tx => {
        let mut row = whatsapp_templates::lock(tx, project, id).await?.found()?;
        let (meta_id, from) = (answer.meta_id().to_owned(), row.status);
        // A webhook or a sync may have stored it first, with the same content.
        if from == TemplateStatus::Draft {
            answer.apply_to(&mut row);
            row.updated_at = ctx.now();
            whatsapp_templates::update(tx, project, &row).await?;
            templates::append_status_event(ctx, tx, project, from, &row).await?;
        }
        Ok(SubmitTemplateResult {
            status: "success",
            message: "Template submitted successfully".into(),
            template_id: id.uuid(),
            template_name: row.name.clone(),
            submission_id: meta_id,
            data: WhatsappTemplate::of(tx, project, &row).await?,
        })
    })
}

impl MetaAnswer {
    fn meta_id(&self) -> &str {
        match self {
            Self::Submitted(submitted) => &submitted.id,
            Self::Existing(template) => &template.id,
        }
    }

    fn apply_to(&self, row: &mut whatsapp_templates::WhatsappTemplateRow) {
        match self {
            Self::Submitted(submitted) => {
                row.meta_id = Some(submitted.id.clone());
                templates::apply_meta_status(row, &submitted.status);
                if let Some(category) = submitted.category.as_deref().and_then(templates::category) {
                    category.clone_into(&mut row.category);
                }
                row.in_doubt = None;
            }
            Self::Existing(template) => {
                templates::apply_meta(row, template);
            }
        }
    }
}
