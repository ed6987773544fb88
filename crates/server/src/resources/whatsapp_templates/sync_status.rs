//! `GET /whatsapp_templates/sync_status`

use super::{
    accounts::{self, TemplateConfigSelector},
    view::TemplateSyncRun,
};
use crate::{
    ApiError,
    api::{Query, Time},
    auth::ProjectContext,
};
use axum::Json;
use domain::{Id, ids::ProjectId, job::SyncStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{
    Conn,
    whatsapp_template_syncs::{self as syncs, TemplateSyncRow},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Maximum number of shown syncs per account.
const OF_ACCOUNT: i64 = 20;

#[derive(Deserialize, IntoParams)]
pub(super) struct Filters {
    /// Only these runs, comma separated.
    #[param(style = Form, explode = false, max_items = 100)]
    sync_request_ids: Option<Vec<Uuid>>,
    /// The latest runs of this business account.
    business_account_id: Option<String>,
    /// The latest runs of this config's business account.
    whatsapp_config_id: Option<Uuid>,
    /// The latest runs of every business account of this customer's production configs.
    customer_id: Option<Uuid>,
}

/// Template syncs, newest first, with counts by status.
#[derive(Serialize, ToSchema)]
pub(super) struct TemplateSyncStatus {
    sync_requests: Vec<TemplateSyncRun>,
    summary: TemplateSyncSummary,
}

#[derive(Serialize, ToSchema)]
struct TemplateSyncSummary {
    #[schema(minimum = 0)]
    total_requests: usize,
    #[schema(minimum = 0)]
    queued: usize,
    #[schema(minimum = 0)]
    running: usize,
    #[schema(minimum = 0)]
    succeeded: usize,
    #[schema(minimum = 0)]
    failed: usize,
    last_finished_at: Option<Time>,
    #[schema(minimum = 0)]
    templates_removed: i64,
}

/// Read sync runs
///
/// Without filters, the newest run of each business account.
#[utoipa::path(
    get, path = "/whatsapp_templates/sync_status", operation_id = "get_whatsapp_template_sync_status",
    tag = "WhatsApp Templates", params(Filters),
    responses(
        (status = 200, description = "Runs and counts.", body = TemplateSyncStatus),
        (status = 404, description = "`not_found`: no such config or customer"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Query(filters): Query<Filters>,
) -> Result<Json<TemplateSyncStatus>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let mut rows = found(&mut reader.conn(), ctx.project, &filters).await?;
    rows.sort_by_key(|row| std::cmp::Reverse((row.queued_at, row.id)));
    let count = |status: SyncStatus| rows.iter().filter(|row| row.status == status).count();
    let summary = TemplateSyncSummary {
        total_requests: rows.len(),
        queued: count(SyncStatus::Queued),
        running: count(SyncStatus::Running),
        succeeded: count(SyncStatus::Succeeded),
        failed: count(SyncStatus::Failed),
        last_finished_at: rows.iter().filter_map(|row| row.finished_at).max().map(Time),
        templates_removed: rows.iter().map(|row| row.templates_removed).sum(),
    };
    let sync_requests = rows.iter().map(TemplateSyncRun::of).collect::<Result<_, _>>()?;
    Ok(Json(TemplateSyncStatus { sync_requests, summary }))
}

async fn found(conn: &mut Conn<'_>, project: ProjectId, filters: &Filters) -> Result<Vec<TemplateSyncRow>, ApiError> {
    let selector =
        TemplateConfigSelector { whatsapp_config_id: filters.whatsapp_config_id, customer_id: filters.customer_id };
    let by_config = selector.whatsapp_config_id.is_some() || selector.customer_id.is_some();
    let mut accounts: BTreeSet<String> = filters.business_account_id.iter().cloned().collect();
    if by_config {
        let configs = accounts::selected(conn, project, selector, ApiError::NotFound).await?;
        let of_configs: BTreeSet<String> = configs.into_iter().map(|config| config.waba_id).collect();
        accounts = match &filters.business_account_id {
            Some(account) => of_configs.into_iter().filter(|one| one == account).collect(),
            None => of_configs,
        };
    }
    let by_account = by_config || filters.business_account_id.is_some();
    if let Some(ids) = &filters.sync_request_ids {
        let mut rows = Vec::new();
        for id in ids.iter().collect::<BTreeSet<_>>() {
            let row = syncs::find(conn, project, Id::from_uuid(*id)).await?;
            rows.extend(row.filter(|row| !by_account || accounts.contains(&row.waba_id)));
        }
        return Ok(rows);
    }
    if !by_account {
        return Ok(syncs::newest(conn, project).await?);
    }
    let mut rows = Vec::new();
    for account in &accounts {
        rows.extend(syncs::of_account(conn, project, account, OF_ACCOUNT).await?);
    }
    Ok(rows)
}
