//! `GET /invitations`

use super::view::Invitation;
use crate::{
    ApiError,
    api::{List, Page},
    auth::ProjectContext,
};
use store::invitations;

/// List invitations that are not accepted
///
/// An accepted or withdrawn invitation is gone.
#[utoipa::path(
    get, path = "/invitations", operation_id = "list_invitations", tag = "Members", params(List),
    responses((status = 200, description = "One page of invitations.", body = Page<Invitation>))
)]
pub(super) async fn handle(ctx: ProjectContext, list: List) -> Result<Page<Invitation>, ApiError> {
    let (limit, offset) = list.range();
    let mut reader = ctx.store.read().await?;
    let (rows, total) = invitations::list(&mut reader.conn(), ctx.project, limit, offset).await?;
    Ok(list.page(rows.iter().map(Invitation::of).collect(), total))
}
