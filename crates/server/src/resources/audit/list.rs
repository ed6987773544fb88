//! `GET /audit`

use super::filters::AuditFilters;
use crate::{
    ApiError,
    api::{List, Page, Time},
    auth::ProjectContext,
};
use serde::Serialize;
use store::audit::{self, AuditRow};
use utoipa::ToSchema;
use uuid::Uuid;

/// One write of the project.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditEntry {
    id: Uuid,
    created_at: Time,
    /// `key:` or `user:` and an id, or `operator`.
    actor: String,
    action: String,
    /// Id of the written object, else the request's path.
    target: String,
    /// As in `X-Request-Id`.
    request_id: String,
}

impl AuditEntry {
    fn of(row: AuditRow) -> Self {
        let AuditRow { id, at, actor, action, target, request_id } = row;
        Self { id, created_at: at.into(), actor, action, target, request_id }
    }
}

/// List the writes of the project, newest first
///
/// Each write through the API, the dashboard and the command line is one entry.
#[utoipa::path(
    get, path = "/audit", operation_id = "list_audit", tag = "Audit", params(List<AuditFilters>),
    responses((status = 200, description = "One page of writes.", body = Page<AuditEntry>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List<AuditFilters>) -> Result<Page<AuditEntry>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let (rows, total) = audit::page(&mut reader.conn(), ctx.project, &list.filter.filter(), limit, offset).await?;
    Ok(list.page(rows.into_iter().map(AuditEntry::of).collect(), total))
}
