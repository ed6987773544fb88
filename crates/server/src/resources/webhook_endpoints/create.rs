//! `POST /webhook_endpoints`

use super::{
    fields::{self, MOST, Required, WebhookOptions},
    view::{WebhookEndpoint, WebhookEndpointEventName},
};
use crate::{
    ApiError,
    api::{Created, Data, Problems, RequestBody, body},
    auth::ProjectContext,
    change::{Changed, change},
};
use axum::extract::Request;
use serde::Deserialize;
use serde_json::Value;
use store::hook_endpoints;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct WebhookEndpointCreateRequest {
    webhook_endpoint: NewWebhookEndpoint,
}

impl RequestBody for WebhookEndpointCreateRequest {
    const WRAPPER: &'static [&'static str] = &["webhook_endpoint"];

    fn check(body: &Value, problems: &mut Problems) {
        fields::check(body, "/webhook_endpoint", problems);
    }
}

#[derive(Deserialize, ToSchema)]
struct NewWebhookEndpoint {
    #[schema(max_length = 2048, format = "uri")]
    url: String,
    /// Signs the deliveries. Stored encrypted; only its last four characters are returned.
    #[schema(min_length = 1, max_length = 255, pattern = r"\S", write_only)]
    secret_key: String,
    #[schema(value_type = Vec<WebhookEndpointEventName>, min_items = 1)]
    events: Vec<String>,
    /// True keeps the order of each conversation. Default: false.
    #[serde(default)]
    #[schema(required = false)]
    ordered: bool,
    #[serde(flatten)]
    options: WebhookOptions,
}

/// Subscribe a URL to events of the project
///
/// Gets events of all numbers and of the sandbox. Retries and signatures are those of
/// `create_whatsapp_webhook`.
#[utoipa::path(
    post, path = "/webhook_endpoints", operation_id = "create_webhook_endpoint", tag = "Webhook Endpoints",
    request_body = WebhookEndpointCreateRequest,
    responses(
        (status = 201, description = "The endpoint.", body = Data<WebhookEndpoint>),
        (status = 409, description = "`too_many_endpoints`: the project has 50"),
        (status = 422, description = "Details: `invalid_url`, `invalid_header`, `reserved_header`, `not_buffered`, `too_large`"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    request: Request,
) -> Result<Changed<Created<WebhookEndpoint>>, ApiError> {
    let project = ctx.project;
    let new = body::read::<WebhookEndpointCreateRequest>(request).await?.webhook_endpoint;
    change!(ctx, "webhook_endpoint.create", tx => {
        if hook_endpoints::of_scope(tx, project, project.uuid()).await?.len() >= MOST {
            return Err(fields::too_many());
        }
        let mut row = fields::new_row(&ctx, project);
        row.ordered = new.ordered;
        let required = Required { url: Some(&new.url), events: Some(&new.events) };
        new.options.apply(&required, &mut row);
        new.options.seal(&ctx, tx, project, Some(&new.secret_key), &mut row).await?;
        hook_endpoints::insert(tx, project, &row).await?;
        Ok(Created(WebhookEndpoint::of(&row)))
    })
}
