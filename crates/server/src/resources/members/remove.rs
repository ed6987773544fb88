//! `DELETE /members/{member_id}`

use super::rules::{keep_an_owner, report};
use crate::{
    ApiError,
    auth::ProjectContext,
    change::{Changed, change},
    found::Found,
};
use axum::http::StatusCode;
use store::{
    api_keys,
    members::{self, MemberRow},
};

/// Remove a member
///
/// Also revokes the API keys that the person created, and ends the access of the person's command
/// lines. Streams close within 5 seconds.
#[utoipa::path(
    delete, path = "/members/{member_id}", operation_id = "remove_member", tag = "Members",
    params(("member_id", description = "User id.")),
    responses(
        (status = 204, description = "Removed."),
        (status = 409, description = "`last_owner`: the project has no other owner"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(member): Found<MemberRow>,
) -> Result<Changed<StatusCode>, ApiError> {
    let (project, now) = (ctx.project, ctx.now());
    change!(ctx, "member.remove", tx => {
        keep_an_owner(tx, project, member.user_id, None).await?;
        if !members::remove(tx, project, member.user_id).await? {
            return Err(ApiError::NotFound("Member"));
        }
        let revoked = api_keys::revoke_of_user(tx, project, member.user_id, None, now).await?;
        report(&ctx, tx, project, member.user_id, &revoked).await?;
        Ok(StatusCode::NO_CONTENT)
    })
}
