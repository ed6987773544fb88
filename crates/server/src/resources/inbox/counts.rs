//! `GET /inbox/counts`

use crate::{ApiError, api::Data, auth::ProjectContext};
use serde::Serialize;
use store::inbox::{self, View};
use utoipa::ToSchema;

/// Largest count; more conversations are not counted.
const MOST: i64 = 100;

/// Open conversations of each view, counted up to 100.
#[derive(Serialize, ToSchema)]
pub(super) struct InboxCounts {
    #[schema(minimum = 0, maximum = 100)]
    mine: i64,
    #[schema(minimum = 0, maximum = 100)]
    needs_person: i64,
    #[schema(minimum = 0, maximum = 100)]
    agent: i64,
    #[schema(minimum = 0, maximum = 100)]
    all: i64,
}

/// Count the open conversations of each view
///
/// `mine` is 0 with an API key, which is no person.
#[utoipa::path(
    get, path = "/inbox/counts", operation_id = "count_inbox", tag = "Inbox",
    responses((status = 200, description = "The counts.", body = Data<InboxCounts>))
)]
pub(super) async fn handle(ctx: ProjectContext) -> Result<Data<InboxCounts>, ApiError> {
    let (project, user) = (ctx.project, ctx.principal.user());
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let mut counts = [0; View::EACH.len()];
    for (count, view) in counts.iter_mut().zip(View::EACH) {
        *count = inbox::count(&mut conn, project, view, user, MOST).await?;
    }
    let [mine, needs_person, agent, all] = counts;
    Ok(Data { data: InboxCounts { mine, needs_person, agent, all } })
}
