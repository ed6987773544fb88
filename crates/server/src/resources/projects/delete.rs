//! `DELETE /projects/{project_id}`

use super::view::DeletedProject;
use crate::{
    ApiError,
    api::{Accepted, Data, RequestBody, body},
    auth::{ProjectContext, path_id},
    change::{Changed, change},
};
use axum::extract::{Path, Request};
use domain::ids::ProjectId;
use serde::Deserialize;
use store::audit::AuditRow;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct ProjectDeleteRequest {
    project: TypedName,
}

impl RequestBody for ProjectDeleteRequest {
    const WRAPPER: &'static [&'static str] = &["project"];
}

#[derive(Deserialize, ToSchema)]
struct TypedName {
    /// The project's name, as a confirmation.
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    name: String,
}

/// Delete the project with all its data
///
/// It cannot be undone. The project is refused from now on, for keys, people and webhooks, and its
/// agents stop. Its rows are deleted in the background. What remains is one row in the audit log of the
/// installation, with the id.
#[utoipa::path(
    delete, path = "/projects/{project_id}", operation_id = "delete_project", tag = "Projects",
    params(("project_id", description = "Project id.")), request_body = ProjectDeleteRequest,
    responses(
        (status = 202, description = "The project is being deleted.", body = Data<DeletedProject>),
        (status = 422, description = "Details: `mismatch`: another name"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(project_id): Path<String>,
    request: Request,
) -> Result<Changed<Accepted<DeletedProject>>, ApiError> {
    let id: ProjectId = path_id(&project_id, "Project")?;
    if id != ctx.project {
        return Err(ApiError::NotFound("Project"));
    }
    let name = body::read::<ProjectDeleteRequest>(request).await?.project.name;
    let (job, now) = (ctx.new_uuid(), ctx.now());
    let row = AuditRow {
        id: ctx.new_uuid(),
        at: now,
        actor: ctx.principal.actor(),
        action: "project.delete".into(),
        target: id.to_string(),
        request_id: ctx.facts.request_id.clone(),
    };
    change!(ctx, "project.delete", tx => {
        match runtime::jobs::begin_project_deletion(tx, id, &name, job, &row, now).await? {
            true => Ok(Accepted(DeletedProject::new(id, now))),
            false => Err(ApiError::invalid("/project/name", "mismatch", "is not the name of the project")),
        }
    })
}
