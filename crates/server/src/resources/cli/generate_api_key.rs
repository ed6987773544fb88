//! `POST /api/cli/projects/{project_id}/generate_api_key`

use super::request::CliNothing;
use crate::{
    ApiError,
    api::{Created, Data, body},
    auth::{UserContext, path_id},
};
use axum::extract::{Path, Request};
use domain::{api_key, ids::ApiKeyId, role::Role};
use runtime::context::PLATFORM_PROJECT;
use serde::Serialize;
use store::{
    api_keys::{self, KeySettings},
    audit::{self, AuditRow},
    members, transact, users,
};
use utoipa::ToSchema;

/// API key of a project; shown only here.
#[derive(Serialize, ToSchema)]
pub(super) struct CliApiKey {
    key: String,
}

/// Create a project API key
///
/// It has the user's role in the project.
#[utoipa::path(
    post, path = "/projects/{project_id}/generate_api_key", operation_id = "cli_generate_api_key", tag = "CLI Support",
    security(("CliToken" = [])), request_body = Option<CliNothing>,
    params(("project_id", description = "Project id.")),
    responses((status = 201, description = "The key, shown this once.", body = Data<CliApiKey>))
)]
pub(super) async fn handle(
    ctx: UserContext,
    Path(project_id): Path<String>,
    request: Request,
) -> Result<Created<CliApiKey>, ApiError> {
    body::read::<CliNothing>(request).await?;
    let wanted = path_id(&project_id, "Project")?;
    let mut random = [0; 256];
    ctx.fill_random(&mut random);
    let made = api_key::from_random(&random).ok_or_else(|| ApiError::Internal("no key was made".into()))?;
    transact!(ctx.store, "key.create", ApiError, tx => {
        let project = users::project_of_token(tx, ctx.user.id, &ctx.token_lookup, wanted).await?;
        let project = project.filter(|project| project.id != PLATFORM_PROJECT);
        let project = project.ok_or(ApiError::NotFound("Project"))?.id;
        ctx.http().projects.allow_key(tx, project).await?;
        let (id, now): (ApiKeyId, _) = (ctx.new_id(), ctx.now());
        // The key may do what its user may.
        let role = match ctx.user.is_operator {
            true => None,
            false => members::role(tx, project, ctx.user.id).await?.filter(|role| *role != Role::Owner),
        };
        let with = KeySettings { name: "command line", role, user: Some(ctx.user.id), expires_at: None };
        api_keys::insert_with(tx, project, id, &made, with, now).await?;
        let row = AuditRow {
            id: ctx.new_uuid(),
            at: now,
            actor: format!("user:{}", ctx.user.id),
            action: "key.create".into(),
            target: id.to_string(),
            request_id: ctx.facts.request_id.clone(),
        };
        Ok(audit::append(tx, project, &row).await?)
    })?;
    Ok(Created(CliApiKey { key: made.text }))
}
