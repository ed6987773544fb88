//! `POST /whatsapp_templates`

use super::{
    accounts::{self, TemplateConfigSelector},
    view::{TemplateCategory, TemplateComponent, TemplateParameterFormat, WhatsappTemplate},
};
use crate::{
    ApiError,
    api::{Created, Data, Problems, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
};
use axum::extract::Request;
use domain::{
    ids::ProjectId,
    template::{self, Draft, POSITIONAL, Shape, Stage},
};
use runtime::templates;
use serde::Deserialize;
use serde_json::Value;
use store::{
    Tx,
    whatsapp_templates::{self, WhatsappTemplateRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
pub(super) struct WhatsappTemplateCreateRequest {
    template: NewWhatsappTemplate,
    /// Outside the wrapper: the template belongs to this config's business account.
    whatsapp_config_id: Option<Uuid>,
    /// Outside the wrapper: the template belongs to this customer's business account.
    customer_id: Option<Uuid>,
}

impl RequestBody for WhatsappTemplateCreateRequest {
    const WRAPPER: &'static [&'static str] = &["template", "whatsapp_template"];

    fn check(body: &Value, problems: &mut Problems) {
        let given = &body["template"];
        let text = |key: &str| given[key].as_str();
        // The schema reports missing or non-text values.
        let (Some(name), Some(language), Some(category)) = (text("name"), text("language_code"), text("category"))
        else {
            return;
        };
        let Some(components) = given["components"].as_array() else { return };
        let format = text("parameter_format").unwrap_or(POSITIONAL);
        let draft = Draft { name, language, category, shape: Shape { components, format } };
        problems.extend_under("/template", template::problems(&draft, Stage::Draft));
    }
}

#[derive(Deserialize, ToSchema)]
struct NewWhatsappTemplate {
    /// Lower-case letters, digits and underscores; unique per language.
    #[schema(min_length = 1, max_length = 512)]
    name: String,
    #[schema(min_length = 2, max_length = 20)]
    language_code: String,
    #[schema(value_type = TemplateCategory)]
    category: String,
    /// Format of the placeholders.
    #[serde(default = "positional")]
    #[schema(value_type = TemplateParameterFormat, default = "POSITIONAL")]
    parameter_format: String,
    /// Examples are required only at submission.
    #[schema(value_type = Vec<TemplateComponent>, min_items = 1, max_items = 10)]
    components: Vec<Value>,
}

fn positional() -> String {
    POSITIONAL.into()
}

/// Create a draft template
///
/// It belongs to one business account: that of the given config or customer, otherwise that of the
/// project's production configs. After approval every production config of the account can send it.
#[utoipa::path(
    post, path = "/whatsapp_templates", operation_id = "create_whatsapp_template", tag = "WhatsApp Templates",
    request_body = WhatsappTemplateCreateRequest,
    responses(
        (status = 201, description = "The draft.", body = Data<WhatsappTemplate>),
        (status = 422, description = "`ambiguous_account`: the configs are of different business accounts, so select one; \
            `no_production_config`: no config can call WhatsApp; details: `taken`, `unknown_config`, `unknown_customer`, and for rules of WhatsApp `blank`, `invalid_format`, \
            `too_long`, `no_body`, `missing_example`, `wrong_example_count`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    request: Request,
) -> Result<Changed<Created<WhatsappTemplate>>, ApiError> {
    let sent = body::read::<WhatsappTemplateCreateRequest>(request).await?;
    let selector =
        TemplateConfigSelector { whatsapp_config_id: sent.whatsapp_config_id, customer_id: sent.customer_id };
    let (project, new) = (ctx.project, sent.template);
    change!(ctx, "whatsapp_template.create", tx => {
        let waba_id = account(tx, project, selector).await?;
        check_name(tx, project, &waba_id, &new.name, &new.language_code).await?;
        let row = WhatsappTemplateRow {
            category: new.category.clone(),
            parameter_format: new.parameter_format.clone(),
            components: Value::from(new.components.clone()).to_string(),
            ..templates::draft_row(&ctx, &waba_id, &new.name, &new.language_code)
        };
        whatsapp_templates::insert(tx, project, &row).await?;
        Ok(Created(WhatsappTemplate::of(tx, project, &row).await?))
    })
}

/// Account of the selected configs; `None` if the project has no number yet.
async fn account(tx: &mut Tx<'_>, project: ProjectId, selector: TemplateConfigSelector) -> Result<String, ApiError> {
    let named = selector.whatsapp_config_id.is_some() || selector.customer_id.is_some();
    let configs = accounts::selected(tx, project, selector, accounts::unknown).await?;
    let Some(first) = configs.first() else {
        return if named { Err(accounts::no_number()) } else { Ok(String::new()) };
    };
    if configs.iter().any(|config| config.waba_id != first.waba_id) {
        let error = "The configs belong to different business accounts";
        return Err(ApiError::state("ambiguous_account", error, "name one with whatsapp_config_id"));
    }
    Ok(first.waba_id.clone())
}

/// Names are unique per language of an account, including drafts.
pub(super) async fn check_name(
    tx: &mut Tx<'_>,
    project: ProjectId,
    waba_id: &str,
    name: &str,
    language: &str,
) -> Result<(), ApiError> {
    let live = whatsapp_templates::named(tx, project, waba_id, name, Some(language)).await?;
    let draft = whatsapp_templates::draft(tx, project, waba_id, name, language).await?;
    if live.is_empty() && draft.is_none() {
        return Ok(());
    }
    Err(ApiError::invalid("/template/name", "taken", "has already been taken in this language"))
}
