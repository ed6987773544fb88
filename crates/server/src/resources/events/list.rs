//! `GET /events`

use super::{stream, view::FeedPage};
use crate::{
    ApiError,
    api::{Query, streams},
    auth::ProjectContext,
};
use axum::{
    Json,
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use runtime::feed;
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Deserialize, IntoParams)]
pub(crate) struct Place {
    /// Cursor of an earlier answer, or `id` of a received event. Without one, the feed starts now.
    pub(crate) after: Option<String>,
}

/// List or stream the changes in the project
///
/// With `Accept: text/event-stream`, streams them as they are committed: first `hello` (`server_time`,
/// `version`), then an event without a name for each change, whose `id` is a cursor. `heartbeat`
/// follows every 15 seconds. After a lost connection, send the last `id` as `Last-Event-ID` or
/// `after`. `reset` means that events were missed, because the cursor is older than 24 hours or more
/// than 1,000 events behind: read all objects again. Otherwise returns the events since `after`.
///
/// Each event is delivered at least once: those of the last ten seconds before a cursor are repeated
/// with the same `id` in their data.
#[utoipa::path(
    get, path = "/events", operation_id = "list_events", tag = "Events",
    params(Place),
    responses(
        (status = 200, description = "Events since `after`.", body = FeedPage),
        (status = 429, description = "`too_many_streams`: the key has five event streams already, or the node a thousand"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Query(place): Query<Place>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let after = streams::last_event_id(&headers).or(place.after.as_deref());
    if streams::is_asked(&headers) {
        return stream::of_project(ctx, after).await;
    }
    let resumed = feed::resume(&ctx.store, ctx.project, after).await?;
    Ok(Json(FeedPage::of(&resumed)).into_response())
}
