//! `POST /app/api/projects`

use crate::{
    ApiError,
    api::{Created, Data, RequestBody, body},
    auth::SessionContext,
    resources::projects::{ProjectDetails, new_agent_messages, refuse_taken},
};
use axum::extract::Request;
use domain::ids::ProjectId;
use serde::Deserialize;
use store::{
    audit::{self, AuditRow},
    projects, transact,
};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct ProjectCreateRequest {
    project: NewProject,
}

impl RequestBody for ProjectCreateRequest {
    const WRAPPER: &'static [&'static str] = &["project"];
}

#[derive(Deserialize, ToSchema)]
struct NewProject {
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    name: String,
}

/// Create a project
///
/// For operators, who act as its owners.
#[utoipa::path(
    post, path = "/projects", operation_id = "app_create_project", tag = "Account", security(("Session" = [])),
    request_body = ProjectCreateRequest,
    responses(
        (status = 201, description = "The project.", body = Data<ProjectDetails>),
        (status = 403, description = "`operators_only`: the person is no operator"),
        (status = 422, description = "Details: `taken`: another project has the name"),
    )
)]
pub(super) async fn handle(ctx: SessionContext, request: Request) -> Result<Created<ProjectDetails>, ApiError> {
    if !ctx.is_operator {
        return Err(ApiError::forbidden("operators_only", "Only operators create projects", "you are no operator"));
    }
    let new = body::read::<ProjectCreateRequest>(request).await?.project;
    let (id, now): (ProjectId, _) = (ctx.new_id(), ctx.now());
    let row = AuditRow {
        id: ctx.new_uuid(),
        at: now,
        actor: ctx.actor(),
        action: "project.create".into(),
        target: id.to_string(),
        request_id: ctx.facts.request_id.clone(),
    };
    let made = transact!(ctx.store, "project.create", ApiError, tx => {
        refuse_taken(tx, new.name.trim(), id).await?;
        projects::insert(tx, id, new.name.trim(), now).await?;
        projects::set_agent_messages(tx, id, &new_agent_messages(), now).await?;
        audit::append(tx, id, &row).await?;
        projects::find(tx, id).await?.ok_or(ApiError::NotFound("Project"))
    })?;
    Ok(Created(ProjectDetails::of(&made)))
}
