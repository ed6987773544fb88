//! `GET /app/api/projects/{project_id}/feed`

use crate::{
    ApiError, AppState,
    api::{Query, streams},
    auth::ProjectContext,
    resources::events::{Place, of_project},
};
use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use domain::role::Role;

/// Stream the changes in a project
///
/// For an `EventSource`, which can send no headers but the cookie. The events are those of `GET
/// /api/v1/events` with `Accept: text/event-stream`. When the session ends, the stream sends
/// `session.revoked` and closes within 5 seconds. It also closes when the membership ends or the project
/// is deleted.
#[utoipa::path(
    get, path = "/projects/{project_id}/feed", operation_id = "app_feed", tag = "Account",
    security(("Session" = [])), params(("project_id", description = "Project id."), Place),
    responses(
        (status = 200, description = "Server-sent events."),
        (status = 429, description = "`too_many_streams`: the session has five event streams already, the project its maximum, or the node a thousand"),
    )
)]
pub(super) async fn handle(
    State(ctx): State<AppState>,
    Path(project_id): Path<String>,
    Query(place): Query<Place>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let in_project = ProjectContext::of_session(&parts, &ctx, &project_id, Role::Viewer).await?;
    let after = streams::last_event_id(&parts.headers).or(place.after.as_deref());
    of_project(in_project, after).await
}
