//! `POST /invitations`

use super::view::{Invitation, IssuedInvitation};
use crate::{
    ApiError,
    api::{Data, RequestBody, answer::Issued, body, roles::RoleName, values::email_address},
    auth::{INVITATION_LIFETIME, ProjectContext, new_token},
    change::{Changed, change},
};
use axum::extract::Request;
use serde::Deserialize;
use store::invitations::{self, InvitationRow};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct InvitationCreateRequest {
    invitation: InvitationFields,
}

impl RequestBody for InvitationCreateRequest {
    const WRAPPER: &'static [&'static str] = &["invitation"];
}

#[derive(Deserialize, ToSchema)]
struct InvitationFields {
    #[schema(min_length = 3, max_length = 254, pattern = r"^\s*[^@\s]+@[^@\s]+\s*$")]
    email: String,
    #[schema(value_type = RoleName)]
    role: String,
}

/// Invite a person
///
/// Nothing is sent: give the link to the person. It is valid for 7 days, replaces earlier ones of
/// this address, and is shown once.
#[utoipa::path(
    post, path = "/invitations", operation_id = "create_invitation", tag = "Members",
    request_body = InvitationCreateRequest,
    responses((status = 201, description = "The invitation with its link.", body = Data<IssuedInvitation>))
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    request: Request,
) -> Result<Changed<Issued<IssuedInvitation>>, ApiError> {
    let new = body::read::<InvitationCreateRequest>(request).await?.invitation;
    let invalid = |field: &str| ApiError::invalid(&format!("/invitation/{field}"), "invalid_format", "is invalid");
    let (token, hash) = new_token(&ctx);
    let row = InvitationRow {
        project_id: ctx.project,
        id: ctx.new_id(),
        email: email_address(&new.email).ok_or_else(|| invalid("email"))?,
        role: new.role.parse().map_err(|_| invalid("role"))?,
        by_operator: false,
        created_by: ctx.principal.actor(),
        created_at: ctx.now(),
        expires_at: ctx.now() + INVITATION_LIFETIME,
    };
    let url = format!("{}/app/invitations/{token}", ctx.url());
    change!(ctx, "invitation.create", tx => {
        invitations::insert(tx, ctx.project, &row, &hash).await?;
        let (id, invitation) = (row.id.uuid(), Invitation::of(&row));
        Ok(Issued(IssuedInvitation { id, url: Some(url.clone()), invitation }, "url"))
    })
}
