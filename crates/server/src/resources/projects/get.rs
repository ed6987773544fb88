//! `GET /projects/{project_id}`

use super::view::Project;
use crate::{
    ApiError,
    api::Data,
    auth::{ProjectContext, path_id},
};
use axum::extract::Path;
use domain::ids::ProjectId;
use store::projects;

/// Read the project of the key
///
/// Other projects are not found.
#[utoipa::path(
    get, path = "/projects/{project_id}", operation_id = "get_project", tag = "Projects",
    params(("project_id", description = "Project id.")),
    responses((status = 200, description = "The project.", body = Data<Project>))
)]
pub(super) async fn handle(ctx: ProjectContext, Path(project_id): Path<String>) -> Result<Data<Project>, ApiError> {
    let id: ProjectId = path_id(&project_id, "Project")?;
    if id != ctx.project {
        return Err(ApiError::NotFound("Project"));
    }
    let mut reader = ctx.store.read().await?;
    let row = projects::find(&mut reader.conn(), id).await?.ok_or(ApiError::NotFound("Project"))?;
    Ok(Data { data: Project::of(&row) })
}
