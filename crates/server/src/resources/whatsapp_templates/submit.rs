//! `POST /whatsapp_templates/{template_id}/submit`
//!
//! Meta takes a name once in each language. So where an earlier submission may have arrived, "it is there already" means that
//! it did, and what is there is taken over.

use super::{
    accounts::{self, TemplateConfigSelector},
    get,
    meta::{self, Asked},
    update,
    view::WhatsappTemplate,
};
use crate::{
    ApiError,
    api::{
        Changed, body,
        change::{self, Answer, change},
    },
    auth::ProjectContext,
};
use axum::{
    Json,
    extract::{Path, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{
    Id,
    ids::WhatsappTemplateId,
    template::{Stage, TemplateStatus},
};
use gateways::whatsapp::{
    CallError,
    templates::{NewTemplate, Submitted, Template, is_taken},
};
use runtime::{
    failpoint,
    json::from_json,
    templates::{self, doubt},
};
use serde::Serialize;
use serde_json::Value;
use store::{transact, whatsapp_templates};
use utoipa::ToSchema;
use uuid::Uuid;

/// What became of a submission.
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

/// What Meta said.
enum Said {
    /// It took it.
    Taken(Submitted),
    /// It has had it from an earlier submission.
    Had(Box<Template>),
}

/// Send a draft to Meta for approval
///
/// Safe to repeat: if an answer of WhatsApp was lost, what it has is found and taken over.
#[utoipa::path(
    post, path = "/whatsapp_templates/{template_id}/submit", operation_id = "submit_whatsapp_template",
    tag = "WhatsApp Templates", request_body = TemplateConfigSelector,
    params(("template_id", description = "Template id on this platform, not Meta's.")),
    responses(
        (status = 200, description = "Submitted.", body = SubmitTemplateResult),
        (status = 422, description = "`not_a_draft`: it is with WhatsApp already; `no_production_config`: no number of its business \
            account can ask; `name_taken`: WhatsApp has another template of this name; `whatsapp_refused`: see `meta`; details: \
            `unknown_config`, `unknown_customer`, and for what WhatsApp would refuse `blank`, `invalid_format`, `too_long`, `no_body`, \
            `missing_example`, `wrong_example_count`"),
        (status = 500, description = "`whatsapp_unavailable`: nothing was submitted; `whatsapp_unclear`: it may have been \
            submitted, which is looked up within a minute"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(template_id): Path<String>,
    request: Request,
) -> Result<Changed<SubmitTemplateResult>, ApiError> {
    let id = get::named(&ctx, &template_id).await?.id;
    let selector = body::read::<TemplateConfigSelector>(request).await?;
    if let Some(before) = change::before(&ctx).await? {
        return Ok(Changed::Before(before));
    }
    let asked = match begin(&ctx, id, selector).await {
        Ok(asked) => asked,
        // The same request may have been done since: then the template is no draft because of it.
        Err(refused) => return change::before(&ctx).await?.map(Changed::Before).ok_or(refused),
    };
    failpoint::reach("template.ask");
    let said = match ask(&ctx, &asked).await {
        Ok(Some(said)) => said,
        Ok(None) => return Err(name_taken(&ctx, &asked).await?),
        Err(error) => return Err(meta::failed(&ctx, &asked, error).await?),
    };
    failpoint::reach("template.answered");
    let done = record(&ctx, &asked, &said).await;
    ctx.wake.notify_one();
    done
}

async fn begin(
    ctx: &ProjectContext,
    id: WhatsappTemplateId,
    selector: TemplateConfigSelector,
) -> Result<Asked, ApiError> {
    let project = ctx.project;
    transact!(ctx.store, "template.submit.begin", ApiError, tx => {
        let mut row = whatsapp_templates::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Template"))?;
        if row.status != TemplateStatus::Draft {
            return Err(ApiError::Refused("not_a_draft", "Only draft templates can be submitted".into()));
        }
        update::check(&row, Stage::Submission)?;
        let configs = accounts::meant(tx, project, selector, accounts::unknown).await?;
        if row.waba_id.is_empty() {
            // A draft from before the project had a number: now it is of this one's account.
            row.waba_id = configs.first().ok_or_else(accounts::no_number)?.waba_id.clone();
        }
        let of_account = configs.iter().find(|config| config.waba_id == row.waba_id).ok_or_else(accounts::no_number)?;
        let of = (selector.customer_id.map(Id::from_uuid), Some(of_account.id));
        meta::mark(ctx, tx, row, doubt::SUBMIT, of).await
    })
}

/// `None`: Meta has a template of this name that is not this one.
async fn ask(ctx: &ProjectContext, asked: &Asked) -> Result<Option<Said>, CallError> {
    let (row, token) = (&asked.row, &asked.voice.token);
    let new = NewTemplate {
        name: row.name.clone(),
        language: row.language_code.clone(),
        category: row.category.clone(),
        parameter_format: Some(row.parameter_format.clone()),
        components: from_json("template", &row.components).unwrap_or_default(),
        allow_category_change: false,
    };
    match ctx.graph.create_template(&row.waba_id, token, &new).await {
        Ok(submitted) => Ok(Some(Said::Taken(submitted))),
        Err(error) if is_taken(&error) => {
            // Only a submission that was sent before, and that nobody has heard of, can be what is there.
            if asked.before.as_deref() != Some(doubt::SUBMIT) {
                return Ok(None);
            }
            let found = ctx.graph.template_named(&row.waba_id, token, &row.name, &row.language_code).await?;
            Ok(Some(Said::Had(Box::new(found.ok_or(error)?))))
        }
        Err(error) => Err(error),
    }
}

async fn name_taken(ctx: &ProjectContext, asked: &Asked) -> Result<ApiError, ApiError> {
    let why = "WhatsApp has another template of this name in this language; sync to see it, or choose another name";
    meta::failed(ctx, asked, CallError::NotSent { message: why.into() }).await?;
    Ok(ApiError::Refused("name_taken", why.into()))
}

async fn record(ctx: &ProjectContext, asked: &Asked, said: &Said) -> Result<Changed<SubmitTemplateResult>, ApiError> {
    let (project, id) = (ctx.project, asked.row.id);
    change!(ctx, "whatsapp_template.submit", tx => {
        let mut row = whatsapp_templates::lock(tx, project, id).await?.ok_or(ApiError::NotFound("Template"))?;
        let (meta_id, from) = (said.meta_id().to_owned(), row.status);
        // A webhook or a pull may have been faster; it knows no less.
        if from == TemplateStatus::Draft {
            said.take_over(&mut row);
            row.updated_at = ctx.now();
            whatsapp_templates::update(tx, project, &row).await?;
            templates::append_status_event(ctx, tx, project, (from, &row)).await?;
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

impl Said {
    fn meta_id(&self) -> &str {
        match self {
            Self::Taken(submitted) => &submitted.id,
            Self::Had(template) => &template.id,
        }
    }

    fn take_over(&self, row: &mut whatsapp_templates::WhatsappTemplateRow) {
        match self {
            Self::Taken(submitted) => {
                row.meta_id = Some(submitted.id.clone());
                templates::apply_meta_status(row, &submitted.status);
                if let Some(category) = submitted.category.as_deref().and_then(templates::category) {
                    category.clone_into(&mut row.category);
                }
                row.in_doubt = None;
            }
            Self::Had(template) => {
                templates::apply_meta(row, template);
            }
        }
    }
}
