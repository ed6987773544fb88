//! `DELETE /invitations/{invitation_id}`

use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
};
use axum::http::StatusCode;
use store::invitations::{self, InvitationRow};

/// Withdraw an invitation
///
/// Its link stops working.
#[utoipa::path(
    delete, path = "/invitations/{invitation_id}", operation_id = "delete_invitation", tag = "Members",
    params(("invitation_id", description = "Invitation id.")), responses((status = 204, description = "Withdrawn."))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(invitation): Found<InvitationRow>,
) -> Result<Changed<StatusCode>, ApiError> {
    let project = ctx.project;
    change!(ctx, "invitation.delete", tx => {
        match invitations::delete(tx, project, invitation.id).await? {
            true => Ok(StatusCode::NO_CONTENT),
            false => Err(ApiError::NotFound("Invitation")),
        }
    })
}
