//! `GET /members`

use super::view::Member;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
};
use store::members;

/// List the project's members
///
/// Operators have access without being members.
#[utoipa::path(
    get, path = "/members", operation_id = "list_members", tag = "Members", params(List),
    responses((status = 200, description = "One page of members.", body = Page<Member>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List) -> Result<Page<Member>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let (rows, total) = members::list(&mut reader.conn(), ctx.project, limit, offset).await?;
    let role = ctx.principal.role();
    Ok(list.page(rows.iter().map(|row| Member::of(row, role)).collect(), total))
}
