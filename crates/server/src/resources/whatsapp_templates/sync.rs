//! `POST /whatsapp_templates/sync`

use super::{
    accounts::{self, TemplateConfigSelector},
    view::TemplateSyncRun,
};
use crate::{
    ApiError,
    api::{answer::Answer, body, words},
    auth::ProjectContext,
    change::{Changed, change},
};
use axum::{
    Json,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use runtime::templates;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashSet;
use utoipa::ToSchema;

/// Queued and already running syncs.
#[derive(Serialize, ToSchema)]
pub(super) struct TemplateSyncAccepted {
    #[schema(value_type = TemplateSyncAcceptedStatus)]
    status: &'static str,
    sync_requests: Vec<TemplateSyncRun>,
    summary: TemplateSyncAcceptedSummary,
}

words!(TemplateSyncAcceptedStatus = "queued");

#[derive(Serialize, ToSchema)]
struct TemplateSyncAcceptedSummary {
    #[schema(minimum = 0)]
    total_requests: usize,
    /// Number of new syncs.
    #[schema(minimum = 0)]
    jobs_enqueued: usize,
    #[schema(minimum = 0)]
    already_in_progress: usize,
}

impl IntoResponse for TemplateSyncAccepted {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self)).into_response()
    }
}

impl Answer for TemplateSyncAccepted {
    fn status(&self) -> StatusCode {
        StatusCode::ACCEPTED
    }
    fn body(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

/// Queue a template sync from Meta
///
/// One per business account. If an account already has one, that one is returned.
#[utoipa::path(
    post, path = "/whatsapp_templates/sync", operation_id = "sync_whatsapp_templates", tag = "WhatsApp Templates",
    request_body = TemplateConfigSelector,
    responses(
        (status = 202, description = "Accepted.", body = TemplateSyncAccepted),
        (status = 404, description = "`not_found`: no such config or customer"),
        (status = 422, description = "`no_production_config`: no config can call WhatsApp"),
    )
)]
pub(super) async fn handle(ctx: ProjectContext, request: Request) -> Result<Changed<TemplateSyncAccepted>, ApiError> {
    let selector = body::read::<TemplateConfigSelector>(request).await?;
    let project = ctx.project;
    let done = change!(ctx, "whatsapp_template.sync", tx => {
        let configs = accounts::selected(tx, project, selector, ApiError::NotFound).await?;
        let (mut accounts, mut runs, mut new) = (HashSet::new(), Vec::new(), 0);
        for config in configs.iter().filter(|config| accounts.insert(config.waba_id.as_str())) {
            let (run, queued) = templates::queue_sync(&ctx, tx, project, config).await?;
            runs.push(TemplateSyncRun::of(&run)?);
            new += usize::from(queued);
        }
        if runs.is_empty() {
            return Err(accounts::no_number());
        }
        let total = runs.len();
        let summary = TemplateSyncAcceptedSummary {
            total_requests: total,
            jobs_enqueued: new,
            already_in_progress: total - new,
        };
        Ok(TemplateSyncAccepted { status: "queued", sync_requests: runs, summary })
    });
    ctx.wake.notify_one();
    done
}
