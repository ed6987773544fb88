//! `GET` and `POST /app/api/cli_logins/{code}`: a person approves a command line.

use crate::{
    ApiError,
    api::{Data, RequestBody, Time, body},
    auth::SessionContext,
};
use axum::{
    extract::{Path, Request},
    http::StatusCode,
};
use domain::{
    Id, cli_login,
    ids::{ProjectId, UserId},
};
use runtime::context::PLATFORM_PROJECT;
use serde::{Deserialize, Serialize};
use store::{
    Conn,
    cli_logins::{self, Access},
    transact, users,
};
use utoipa::ToSchema;
use uuid::Uuid;

/// A command line that asks to sign in. All but address and time are its own words.
#[derive(Serialize, ToSchema)]
pub(super) struct PendingCliLogin {
    client: String,
    user_agent: String,
    /// Empty if unknown.
    address: String,
    requested_at: Time,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct CliApproval {
    /// Projects that the command line may access.
    #[schema(min_items = 1, max_items = 1000)]
    project_ids: Vec<Uuid>,
}

impl RequestBody for CliApproval {}

/// Read a pending sign-in of a command line
#[utoipa::path(
    get, path = "/cli_logins/{code}", operation_id = "app_login", tag = "Account", security(("Session" = [])),
    params(("code", description = "Code of the sign-in.")),
    responses((status = 200, description = "The sign-in.", body = Data<PendingCliLogin>))
)]
pub(super) async fn get(ctx: SessionContext, Path(code): Path<String>) -> Result<Data<PendingCliLogin>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let pending = cli_logins::pending(&mut reader.conn(), &cli_login::hash(&code), ctx.now()).await?;
    let pending = pending.ok_or(ApiError::NotFound("Login"))?;
    let (client, user_agent, address) = (pending.client, pending.user_agent, pending.address);
    Ok(Data { data: PendingCliLogin { client, user_agent, address, requested_at: pending.requested_at.into() } })
}

/// Approve a sign-in of a command line
///
/// It acts as the person, with the person's role, in these projects.
#[utoipa::path(
    post, path = "/cli_logins/{code}", operation_id = "app_approve_login", tag = "Account",
    security(("Session" = [])), params(("code", description = "Code of the sign-in.")), request_body = CliApproval,
    responses((status = 204, description = "Approved."))
)]
pub(super) async fn approve(
    ctx: SessionContext,
    Path(code): Path<String>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let asked = body::read::<CliApproval>(request).await?;
    let wanted: Vec<ProjectId> = asked.project_ids.into_iter().map(Id::from_uuid).collect();
    let (user, hash, now) = (ctx.user, cli_login::hash(&code), ctx.now());
    transact!(ctx.store, "app.approve_login", ApiError, tx => {
        check(tx, user, &wanted).await?;
        match cli_logins::approve(tx, &hash, user, Access::Projects(&wanted), now).await? {
            true => Ok(()),
            false => Err(ApiError::NotFound("Login")),
        }
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// 404 for a project that the person does not see.
async fn check(conn: &mut Conn<'_>, user: UserId, wanted: &[ProjectId]) -> Result<(), ApiError> {
    for project in wanted {
        let seen = users::project(conn, user, *project).await?.filter(|row| row.id != PLATFORM_PROJECT);
        seen.filter(|row| row.archived_at.is_none()).ok_or(ApiError::NotFound("Project"))?;
    }
    Ok(())
}
