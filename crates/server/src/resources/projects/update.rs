//! `PATCH /projects/{project_id}`

use super::{agent_messages::AgentMessageFields, name::refuse_taken, view::ProjectDetails};
use crate::{
    ApiError,
    api::{Data, RequestBody, body},
    auth::{ProjectContext, path_id},
    change::{Changed, change},
};
use axum::extract::{Path, Request};
use domain::ids::ProjectId;
use serde::Deserialize;
use store::projects;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct ProjectUpdateRequest {
    project: ProjectFields,
}

impl RequestBody for ProjectUpdateRequest {
    const WRAPPER: &'static [&'static str] = &["project"];
}

/// Fields that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
struct ProjectFields {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S", nullable = false)]
    name: Option<String>,
    /// True archives the project: it can be read, but not changed, and does no work. False restores it.
    #[schema(nullable = false)]
    archived: Option<bool>,
    #[schema(nullable = false)]
    agent_messages: Option<AgentMessageFields>,
}

/// Rename, archive or restore the project
///
/// An archived project refuses all writes through the API but this one and its deletion. It stores
/// messages that it receives, and does nothing else: agents do not answer, nothing is sent, and tests and
/// webhooks wait. All of it continues when the project is restored.
#[utoipa::path(
    patch, path = "/projects/{project_id}", operation_id = "update_project", tag = "Projects",
    params(("project_id", description = "Project id.")), request_body = ProjectUpdateRequest,
    responses(
        (status = 200, description = "The project.", body = Data<ProjectDetails>),
        (status = 422, description = "Details: `taken`: another project has the name; `bad_language`, `bad_text`, `too_many`: languages and texts of the disclosure"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Path(project_id): Path<String>,
    request: Request,
) -> Result<Changed<Data<ProjectDetails>>, ApiError> {
    let missing = || ApiError::NotFound("Project");
    let id: ProjectId = path_id(&project_id, "Project")?;
    if id != ctx.project {
        return Err(missing());
    }
    let new = body::read::<ProjectUpdateRequest>(request).await?.project;
    let now = ctx.now();
    change!(ctx, "project.update", tx => {
        let row = projects::find(tx, id).await?.ok_or_else(missing)?;
        let name = new.name.as_deref().map_or(row.name.as_str(), str::trim);
        if name != row.name {
            refuse_taken(tx, name, id).await?;
        }
        let archived_at = match new.archived {
            Some(true) => row.archived_at.or(Some(now)),
            Some(false) => None,
            None => row.archived_at,
        };
        projects::update(tx, id, name, archived_at, now).await?;
        if let Some(fields) = new.agent_messages.clone() {
            projects::set_agent_messages(tx, id, &fields.over(&row)?, now).await?;
        }
        let row = projects::find(tx, id).await?.ok_or_else(missing)?;
        Ok(Data { data: ProjectDetails::of(&row) })
    })
}
