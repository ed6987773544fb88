//! `PATCH /whatsapp_templates/{template_id}`

use super::{
    create::check_name,
    view::{TemplateCategory, TemplateComponent, TemplateParameterFormat, WhatsappTemplate},
};
use crate::{
    ApiError,
    api::{Data, Problems, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::template::{self, Draft, Shape, Stage, TemplateStatus, Unconfirmed};
use runtime::json::from_json;
use serde::Deserialize;
use serde_json::Value;
use store::whatsapp_templates::{self, WhatsappTemplateRow};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappTemplateUpdateRequest {
    template: WhatsappTemplateChange,
}

impl RequestBody for WhatsappTemplateUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["template", "whatsapp_template"];
}

/// Omitted fields stay unchanged.
#[derive(Deserialize, ToSchema)]
struct WhatsappTemplateChange {
    /// Lower-case letters, digits and underscores; unique per language.
    #[schema(min_length = 1, max_length = 512, nullable = false)]
    name: Option<String>,
    #[schema(min_length = 2, max_length = 20, nullable = false)]
    language_code: Option<String>,
    #[schema(value_type = Option<TemplateCategory>, nullable = false)]
    category: Option<String>,
    #[schema(value_type = Option<TemplateParameterFormat>, nullable = false, default = "POSITIONAL")]
    parameter_format: Option<String>,
    /// All components; examples are required only at submission.
    #[schema(value_type = Option<Vec<TemplateComponent>>, min_items = 1, max_items = 10, nullable = false)]
    components: Option<Vec<Value>>,
}

/// Update a draft
///
/// Only drafts. See `/meta` for templates that WhatsApp has.
#[utoipa::path(
    patch, path = "/whatsapp_templates/{template_id}", operation_id = "update_whatsapp_template",
    tag = "WhatsApp Templates", request_body = WhatsappTemplateUpdateRequest,
    params(("template_id", description = "Template id on this platform, not Meta's.")),
    responses(
        (status = 200, description = "The updated draft.", body = Data<WhatsappTemplate>),
        (status = 422, description = "`not_a_draft`: it is already at WhatsApp; `submission_unconfirmed`: it may be at WhatsApp, \
            which is being looked up; details: `taken`, and for rules of WhatsApp `blank`, \
            `invalid_format`, `too_long`, `no_body`, `missing_example`, `wrong_example_count`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(template): Found<whatsapp_templates::WhatsappTemplateRow>,
    request: Request,
) -> Result<Changed<Data<WhatsappTemplate>>, ApiError> {
    let (project, id) = (ctx.project, template.id);
    let sent = body::read::<WhatsappTemplateUpdateRequest>(request).await?.template;
    change!(ctx, "whatsapp_template.update", tx => {
        let row = whatsapp_templates::lock(tx, project, id).await?.found()?;
        let mut changed = sent.applied_to(&row)?;
        changed.updated_at = ctx.now();
        if (&row.name, &row.language_code) != (&changed.name, &changed.language_code) {
            check_name(tx, project, &row.waba_id, &changed.name, &changed.language_code).await?;
        }
        whatsapp_templates::update(tx, project, &changed).await?;
        Ok(Data { data: WhatsappTemplate::of(tx, project, &changed).await? })
    })
}

impl WhatsappTemplateChange {
    fn applied_to(&self, row: &WhatsappTemplateRow) -> Result<WhatsappTemplateRow, ApiError> {
        if row.status != TemplateStatus::Draft {
            return Err(ApiError::refused("not_a_draft", "Only draft templates can be updated"));
        }
        if row.in_doubt == Some(Unconfirmed::Submit) {
            let error = "An earlier submission may have reached WhatsApp";
            let why = "wait a minute, or submit it again to find out";
            return Err(ApiError::state("submission_unconfirmed", error, why));
        }
        let mut changed = row.clone();
        for (old, new) in [
            (&mut changed.name, &self.name),
            (&mut changed.language_code, &self.language_code),
            (&mut changed.category, &self.category),
            (&mut changed.parameter_format, &self.parameter_format),
        ] {
            if let Some(new) = new {
                old.clone_from(new);
            }
        }
        if let Some(components) = &self.components {
            changed.components = Value::from(components.clone()).to_string();
        }
        check(&changed, Stage::Draft)?;
        Ok(changed)
    }
}

/// Reports what WhatsApp would refuse in a stored template.
pub(super) fn check(row: &WhatsappTemplateRow, stage: Stage) -> Result<(), ApiError> {
    let components: Vec<Value> = from_json("template", &row.components)?;
    let draft = Draft {
        name: &row.name,
        language: &row.language_code,
        category: &row.category,
        shape: Shape { components: &components, format: &row.parameter_format },
    };
    let mut problems = Problems::default();
    problems.extend_under("/template", template::problems(&draft, stage));
    problems.done()
}
