//! `GET /api/cli/projects` and `GET /api/cli/projects/{project_id}`

use crate::{
    ApiError,
    api::Data,
    auth::{UserContext, path_id},
    resources::projects::Project,
};
use axum::extract::Path;
use runtime::context::PLATFORM_PROJECT;
use store::users;

/// List the user's projects
///
/// Returns up to 1,000, newest first.
#[utoipa::path(
    get, path = "/projects", operation_id = "cli_list_projects", tag = "CLI Support", security(("CliToken" = [])),
    responses((status = 200, description = "The projects.", body = Data<Vec<Project>>))
)]
pub(super) async fn list(ctx: UserContext) -> Result<Data<Vec<Project>>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let rows = users::projects(&mut reader.conn(), ctx.user.id, &ctx.token_lookup, PLATFORM_PROJECT).await?;
    Ok(Data { data: rows.iter().map(Project::of).collect() })
}

/// Read one project
///
/// For command lines of a signed-in person.
#[utoipa::path(
    get, path = "/projects/{project_id}", operation_id = "cli_get_project", tag = "CLI Support",
    security(("CliToken" = [])), params(("project_id", description = "Project id.")),
    responses((status = 200, description = "The project.", body = Data<Project>))
)]
pub(super) async fn get(ctx: UserContext, Path(project_id): Path<String>) -> Result<Data<Project>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let id = path_id(&project_id, "Project")?;
    let row = users::project_of_token(&mut reader.conn(), ctx.user.id, &ctx.token_lookup, id).await?;
    Ok(Data { data: Project::of(&row.filter(|row| row.id != PLATFORM_PROJECT).ok_or(ApiError::NotFound("Project"))?) })
}
