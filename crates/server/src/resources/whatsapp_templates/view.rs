//! API representation of templates and syncs, and the schema of components.

use crate::api::{Time, words};
use domain::{ids::ProjectId, template::Shape};
use runtime::json::from_json;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use store::{
    Conn, Result, whatsapp_configs, whatsapp_template_syncs::TemplateSyncRow, whatsapp_templates::WhatsappTemplateRow,
};
use utoipa::ToSchema;
use uuid::Uuid;

words!(TemplateCategory = "MARKETING", "UTILITY", "AUTHENTICATION");
words!(TemplateStatus = "draft", "submitted", "approved", "rejected", "disabled", "removed");
words!(TemplateParameterFormat = "NAMED", "POSITIONAL");
words!(TemplateHeaderFormat = "TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION");
words!(TemplateSyncRunStatus = "queued", "running", "succeeded", "failed");

/// A component in Meta's format; unknown keys are kept.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the schema is wanted: components are kept as they were written")]
pub(super) struct TemplateComponent {
    /// `HEADER`, `BODY`, `FOOTER` or `BUTTONS`; templates created elsewhere may have others.
    #[schema(nullable = false)]
    r#type: Option<String>,
    /// Format of a `HEADER`.
    #[schema(value_type = Option<TemplateHeaderFormat>, nullable = false)]
    format: Option<String>,
    #[schema(nullable = false)]
    text: Option<String>,
    /// `header_handle`, `header_text` and `body_text`, or the `*_named_params` lists.
    #[schema(nullable = false)]
    example: Option<Map<String, Value>>,
    #[schema(nullable = false, max_items = 10)]
    buttons: Option<Vec<TemplateButton>>,
}

/// A button of a template; unknown keys are kept.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the schema is wanted: components are kept as they were written")]
pub(super) struct TemplateButton {
    /// `QUICK_REPLY`, `URL`, `PHONE_NUMBER`, `VOICE_CALL`, `COPY_CODE`, `OTP`, `FLOW`, `CATALOG` or
    /// `MPM`, which cannot be sent; templates created elsewhere may have others.
    #[schema(nullable = false)]
    r#type: Option<String>,
    #[schema(nullable = false)]
    text: Option<String>,
    #[schema(nullable = false)]
    url: Option<String>,
    #[schema(nullable = false)]
    phone_number: Option<String>,
}

/// A message template.
#[derive(Serialize, ToSchema)]
pub(super) struct WhatsappTemplate {
    id: Uuid,
    name: String,
    language_code: String,
    #[schema(value_type = TemplateCategory)]
    category: String,
    #[schema(value_type = TemplateStatus)]
    status: String,
    /// Text of the body with placeholders.
    content: String,
    /// Number of placeholders.
    #[schema(minimum = 0)]
    parameter_count: usize,
    /// Meta's component structure as stored.
    #[schema(value_type = Vec<TemplateComponent>)]
    components: Vec<Value>,
    /// `parameter_format`, and Meta's `meta_template_id`, `meta_status`, `rejected_reason` and
    /// `quality_score`. `in_doubt` names a call to WhatsApp with an unknown result, which is looked
    /// up automatically.
    metadata: Map<String, Value>,
    /// Meta's id of the business account; null for a draft of a project that has no number yet.
    business_account_id: Option<String>,
    /// The account's production configs: the numbers that can send it.
    whatsapp_config_ids: Vec<Uuid>,
    created_at: Time,
    updated_at: Time,
}

impl WhatsappTemplate {
    pub(super) async fn of(conn: &mut Conn<'_>, project: ProjectId, row: &WhatsappTemplateRow) -> Result<Self> {
        Ok(Self::all(conn, project, std::slice::from_ref(row)).await?.remove(0))
    }

    /// With the configs of its account, which are loaded once per account.
    pub(super) async fn all(
        conn: &mut Conn<'_>,
        project: ProjectId,
        rows: &[WhatsappTemplateRow],
    ) -> Result<Vec<Self>> {
        let mut accounts: HashMap<&str, Vec<Uuid>> = HashMap::new();
        for row in rows.iter().filter(|row| !row.waba_id.is_empty()) {
            if !accounts.contains_key(row.waba_id.as_str()) {
                let configs = whatsapp_configs::production(conn, project, None, Some(&row.waba_id)).await?;
                accounts.insert(&row.waba_id, configs.into_iter().map(|config| config.id.uuid()).collect());
            }
        }
        let configs = |row: &WhatsappTemplateRow| accounts.get(row.waba_id.as_str()).cloned().unwrap_or_default();
        rows.iter().map(|row| Self::with(row, configs(row))).collect()
    }

    fn with(row: &WhatsappTemplateRow, whatsapp_config_ids: Vec<Uuid>) -> Result<Self> {
        let components: Vec<Value> = from_json("template", &row.components)?;
        let shape = Shape { components: &components, format: &row.parameter_format };
        let (content, parameter_count) = (shape.body().to_owned(), shape.body_variables().len());
        let mut metadata = Map::from_iter([("parameter_format".to_owned(), json!(row.parameter_format))]);
        for (key, value) in [
            ("meta_template_id", &row.meta_id),
            ("meta_status", &row.meta_status),
            ("rejected_reason", &row.rejected_reason),
            ("quality_score", &row.quality),
            ("in_doubt", &row.in_doubt.map(|call| call.to_string())),
        ] {
            metadata.extend(value.as_ref().map(|value| (key.to_owned(), json!(value))));
        }
        Ok(Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            language_code: row.language_code.clone(),
            category: row.category.clone(),
            status: row.status.as_str().to_owned(),
            content,
            parameter_count,
            components,
            metadata,
            business_account_id: Some(row.waba_id.clone()).filter(|waba| !waba.is_empty()),
            whatsapp_config_ids,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        })
    }
}

/// A template sync of an account.
#[derive(Serialize, ToSchema)]
pub(super) struct TemplateSyncRun {
    id: Uuid,
    business_account_id: String,
    /// Config of the request.
    anchor_whatsapp_config_id: Uuid,
    #[schema(value_type = TemplateSyncRunStatus)]
    status: String,
    /// Templates at Meta.
    #[schema(minimum = 0)]
    templates_synced: i64,
    /// Number of new ones.
    #[schema(minimum = 0)]
    templates_created: i64,
    /// Number of changed ones.
    #[schema(minimum = 0)]
    templates_updated: i64,
    /// Templates that no longer exist at Meta.
    #[schema(minimum = 0)]
    templates_removed: i64,
    queued_at: Time,
    started_at: Option<Time>,
    finished_at: Option<Time>,
    job_id: Option<String>,
    /// `channel_auth`, `rate_limited`, `refused` or `unreachable`; also set during retries.
    error_class: Option<String>,
    error_message: Option<String>,
    /// The four counts by config id.
    results: BTreeMap<String, BTreeMap<String, i64>>,
    affected_whatsapp_config_ids: Vec<Uuid>,
    /// Config at the time of the request.
    anchor_whatsapp_config: Map<String, Value>,
}

impl TemplateSyncRun {
    pub(super) fn of(row: &TemplateSyncRow) -> Result<Self> {
        let configs: Vec<Uuid> = from_json("template sync", &row.config_ids)?;
        let counts = BTreeMap::from([
            ("templates_synced".to_owned(), row.templates_synced),
            ("templates_created".to_owned(), row.templates_created),
            ("templates_updated".to_owned(), row.templates_updated),
            ("templates_removed".to_owned(), row.templates_removed),
        ]);
        Ok(Self {
            id: row.id.uuid(),
            business_account_id: row.waba_id.clone(),
            anchor_whatsapp_config_id: row.anchor_config_id.uuid(),
            status: row.status.as_str().to_owned(),
            templates_synced: row.templates_synced,
            templates_created: row.templates_created,
            templates_updated: row.templates_updated,
            templates_removed: row.templates_removed,
            queued_at: row.queued_at.into(),
            started_at: row.started_at.map(Time),
            finished_at: row.finished_at.map(Time),
            job_id: Some(row.job_id.to_string()),
            error_class: row.error_class.clone(),
            error_message: row.error_message.clone(),
            results: configs.iter().map(|id| (id.to_string(), counts.clone())).collect(),
            affected_whatsapp_config_ids: configs,
            anchor_whatsapp_config: from_json("template sync", &row.anchor)?,
        })
    }
}
