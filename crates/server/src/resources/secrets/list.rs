//! `GET /secrets`

use crate::{
    ApiError,
    api::{List, Page, Time},
    auth::ProjectContext,
};
use serde::Serialize;
use store::secrets;
use utoipa::ToSchema;

/// A secret without its value.
#[derive(Serialize, ToSchema)]
pub(super) struct Secret {
    name: String,
    created_at: Time,
    /// Time at which it was last set.
    updated_at: Time,
}

/// List the names of the project's secrets
///
/// Newest first. Values are never returned.
#[utoipa::path(
    get, path = "/secrets", operation_id = "list_secrets", tag = "Secrets", params(List),
    responses((status = 200, description = "One page of names.", body = Page<Secret>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List) -> Result<Page<Secret>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let (rows, total) = secrets::named(&mut reader.conn(), ctx.project, limit, offset).await?;
    let view = |row: secrets::NamedSecretRow| Secret {
        updated_at: row.updated_at.unwrap_or(row.created_at).into(),
        name: row.name,
        created_at: row.created_at.into(),
    };
    Ok(list.page(rows.into_iter().map(view).collect(), total))
}
