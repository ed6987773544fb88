//! `GET /agents/{agent_id}/executions/{execution_id}/events`

use super::{
    deleted_texts::{deleted_texts, mask_events},
    journal_events::JournalEvents,
    view,
};
use crate::{
    ApiError, AppState,
    api::{
        List, Page, Time,
        streams::{self, Open},
    },
    auth::ProjectContext,
    found::Found,
};
use axum::{
    http::HeaderMap,
    response::{
        IntoResponse as _, Response,
        sse::{Event as Sent, KeepAlive, Sse},
    },
};
use domain::{
    Timestamp,
    ids::{ExecutionId, ProjectId},
};
use engine::Event;
use futures::stream::{self, Stream, StreamExt as _};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{convert::Infallible, slice, time::Duration};
use store::executions;
use utoipa::ToSchema;

/// Polling interval of a stream.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// An event of an execution.
#[derive(Serialize, ToSchema)]
pub(super) struct ExecutionEvent {
    /// From 1, without gaps.
    #[schema(minimum = 1)]
    seq: u64,
    /// Event name: `node.entered`, `tool.called`, `message.sent`, …
    name: String,
    /// Step of the execution that the event belongs to.
    #[schema(minimum = 1)]
    step: i64,
    at: Time,
    data: Map<String, Value>,
}

/// List or stream the events of an execution, oldest first
///
/// Returns a page. With `Accept: text/event-stream`, streams all events after `Last-Event-ID` until
/// the execution ends.
#[utoipa::path(
    get, path = "/agents/{agent_id}/executions/{execution_id}/events", operation_id = "list_agent_execution_events",
    tag = "Agent Executions",
    params(("agent_id", description = "Agent id."), ("execution_id", description = "Execution id."), List),
    responses(
        (status = 200, description = "One page of events.", body = Page<ExecutionEvent>),
        (status = 429, description = "`too_many_streams`: the key or session has five event streams already, the project its maximum, or the node a thousand"),
    )
)]
pub(super) async fn handle(
    ctx: ProjectContext,
    Found(execution): Found<executions::ExecutionRow>,
    headers: HeaderMap,
    list: List,
) -> Result<Response, ApiError> {
    let id = execution.id;
    let state = {
        let mut reader = ctx.store.read().await?;
        view::state(&mut reader.conn(), ctx.project, id).await?
    };
    if streams::is_asked(&headers) {
        let after = streams::last_event_id(&headers).and_then(|id| id.parse().ok()).unwrap_or(0);
        let open = ctx.http().streams.open(ctx.project, ctx.principal.id())?;
        let events = JournalEvents::after(&ctx.store, ctx.project, id, after).await?;
        let sent = live((*ctx).clone(), events, ctx.project, id, after, open).take_until(Box::pin(ctx.revoked()));
        return Ok(Sse::new(sent).keep_alive(KeepAlive::default()).into_response());
    }
    let total = state.map_or(0, |state| i64::try_from(state.next_event.saturating_sub(1)).unwrap_or(i64::MAX));
    let (limit, offset) = list.range();
    let deleted = deleted_texts(&ctx, ctx.project, id).await?;
    let mut shown = Vec::new();
    let mut events = JournalEvents::after(&ctx.store, ctx.project, id, u64::try_from(offset).unwrap_or(0)).await?;
    while i64::try_from(shown.len()).is_ok_and(|len| len < limit) {
        let some = events.next(&ctx.store).await?;
        if some.is_empty() {
            break;
        }
        let wanted = some.into_iter().filter(|(event, ..)| i64::try_from(event.seq).is_ok_and(|seq| seq > offset));
        let room = usize::try_from(limit).unwrap_or(usize::MAX) - shown.len();
        shown.extend(wanted.take(room).map(|(mut event, step, at)| {
            mask_events(&deleted, slice::from_mut(&mut event));
            shape(&event, step, at)
        }));
    }
    Ok(list.page(shown, total).into_response())
}

pub(super) fn shape(event: &Event, step: i64, at: Timestamp) -> ExecutionEvent {
    let data = event.data.as_object().cloned().unwrap_or_default();
    ExecutionEvent { seq: event.seq, name: event.name.clone(), step, at: at.into(), data }
}

fn live(
    ctx: AppState,
    events: JournalEvents,
    project: ProjectId,
    id: ExecutionId,
    after: u64,
    open: Open,
) -> impl Stream<Item = Result<Sent, Infallible>> + Send {
    let batches = stream::unfold((ctx, events, open), move |(ctx, mut events, open)| async move {
        loop {
            // Checked before reading, so that the last events are not missed.
            let over = is_over(&ctx, project, id).await;
            match events.next(&ctx.store).await {
                Ok(found) if !found.is_empty() => {
                    let found = masked(&ctx, project, id, found).await?;
                    return Some((found, (ctx, events, open)));
                }
                Ok(_) if over => return None,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "event stream ended by an error");
                    return None;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = ctx.stopping.cancelled() => return None,
            }
        }
    });
    batches.flat_map(move |events| {
        let new = events.into_iter().filter(move |(event, ..)| event.seq > after);
        stream::iter(new.map(|(event, step, at)| {
            let sent = Sent::default().id(event.seq.to_string()).event(event.name.clone());
            Ok(sent.json_data(shape(&event, step, at)).unwrap_or_default())
        }))
    })
}

/// Events without deleted texts; `None` if those cannot be read.
async fn masked(
    ctx: &AppState,
    project: ProjectId,
    id: ExecutionId,
    mut found: Vec<(Event, i64, Timestamp)>,
) -> Option<Vec<(Event, i64, Timestamp)>> {
    let deleted = match deleted_texts(ctx, project, id).await {
        Ok(deleted) => deleted,
        Err(error) => {
            tracing::warn!(%error, "event stream ended by an error");
            return None;
        }
    };
    for (event, ..) in &mut found {
        mask_events(&deleted, slice::from_mut(event));
    }
    Some(found)
}

/// True for ended executions. A failed one may be resumed, but the stream does not wait for it.
async fn is_over(ctx: &AppState, project: ProjectId, id: ExecutionId) -> bool {
    let Ok(mut reader) = ctx.store.read().await else { return true };
    let row = executions::find(&mut reader.conn(), project, id).await.ok().flatten();
    row.is_none_or(|row| row.ended_at.is_some())
}
