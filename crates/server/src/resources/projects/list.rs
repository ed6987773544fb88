//! `GET /projects`

use super::view::ProjectDetails;
use crate::{
    ApiError,
    api::Data,
    auth::{Principal, ProjectContext},
};
use store::{projects, users};

/// List projects
///
/// A key sees its own project; a person also those in which the person is a member, at most 1,000.
#[utoipa::path(
    get, path = "/projects", operation_id = "list_projects", tag = "Projects",
    responses((status = 200, description = "The projects.", body = Data<Vec<ProjectDetails>>))
)]
pub(super) async fn handle(ctx: ProjectContext) -> Result<Data<Vec<ProjectDetails>>, ApiError> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let mut ids = vec![ctx.project];
    if let Principal::Person { user, .. } = ctx.principal {
        let others = users::roles(&mut conn, user).await?.into_iter().map(|row| row.id);
        ids.extend(others.filter(|id| *id != ctx.project));
    }
    let mut data = Vec::new();
    for id in ids {
        data.extend(projects::find(&mut conn, id).await?.as_ref().map(ProjectDetails::of));
    }
    Ok(Data { data })
}
