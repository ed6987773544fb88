//! `PATCH /members/{member_id}`

use super::{
    rules::{keep_an_owner, report},
    view::Member,
};
use crate::{
    ApiError,
    api::{Data, RequestBody, body, roles::RoleName},
    auth::ProjectContext,
    change::{Changed, change},
    found::{Found, OrNotFound as _},
};
use axum::extract::Request;
use domain::role::Role;
use serde::Deserialize;
use store::{
    api_keys,
    members::{self, MemberRow},
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct MemberUpdateRequest {
    member: MemberFields,
}

impl RequestBody for MemberUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["member"];
}

#[derive(Deserialize, ToSchema)]
struct MemberFields {
    #[schema(value_type = RoleName)]
    role: String,
}

/// Change a member's role
///
/// A lower role also revokes the API keys with more rights that the person created.
#[utoipa::path(
    patch, path = "/members/{member_id}", operation_id = "update_member", tag = "Members",
    params(("member_id", description = "User id.")), request_body = MemberUpdateRequest,
    responses(
        (status = 200, description = "The member.", body = Data<Member>),
        (status = 409, description = "`last_owner`: the project has no other owner"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(member): Found<MemberRow>,
    request: Request,
) -> Result<Changed<Data<Member>>, ApiError> {
    let new = body::read::<MemberUpdateRequest>(request).await?.member;
    let role: Role = new.role.parse().map_err(|_| ApiError::invalid("/member/role", "invalid", "is unknown"))?;
    let (project, now, reader) = (ctx.project, ctx.now(), ctx.principal.role());
    change!(ctx, "member.update", tx => {
        members::find(tx, project, member.user_id).await?.found()?;
        keep_an_owner(tx, project, member.user_id, Some(role)).await?;
        members::set(tx, project, member.user_id, role, now).await?;
        let revoked = api_keys::revoke_of_user(tx, project, member.user_id, Some(role), now).await?;
        report(&ctx, tx, project, member.user_id, &revoked).await?;
        let row = members::find(tx, project, member.user_id).await?.found()?;
        Ok(Data { data: Member::of(&row, reader) })
    })
}
