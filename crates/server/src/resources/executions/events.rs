//! `GET /agents/{agent_id}/executions/{execution_id}/events`

use super::view;
use crate::{
    ApiError, AppState,
    api::{List, Page, Time, streams::Open},
    auth::ProjectContext,
    found::Found,
};
use axum::{
    http::{HeaderMap, header::ACCEPT},
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
use std::{convert::Infallible, time::Duration};
use store::{Error, executions, journal};
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
        (status = 429, description = "`too_many_streams`: the key has five event streams already, or the node a thousand"),
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
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text(ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/event-stream")) {
        let after = text("last-event-id").and_then(|id| id.trim().parse().ok()).unwrap_or(0);
        let open = ctx.http().streams.open(ctx.key)?;
        let sent = live((*ctx).clone(), ctx.project, id, after, open);
        return Ok(Sse::new(sent).keep_alive(KeepAlive::default()).into_response());
    }
    let total = state.map_or(0, |state| i64::try_from(state.next_event.saturating_sub(1)).unwrap_or(i64::MAX));
    let (limit, offset) = list.range();
    let mut shown = Vec::new();
    let mut position = JournalPosition::default();
    while i64::try_from(shown.len()).is_ok_and(|len| len < limit) {
        let some = next(&ctx, ctx.project, id, &mut position).await?;
        if some.is_empty() {
            break;
        }
        let wanted = some.into_iter().filter(|(event, _)| i64::try_from(event.seq).is_ok_and(|seq| seq > offset));
        let room = usize::try_from(limit).unwrap_or(usize::MAX) - shown.len();
        shown.extend(wanted.take(room).map(|(event, at)| shape(&event, at)));
    }
    Ok(list.page(shown, total).into_response())
}

/// Last journal step whose events were read.
#[derive(Default)]
struct JournalPosition(i64);

/// Events of the next steps; empty if no further step has events yet.
async fn next(
    ctx: &AppState,
    project: ProjectId,
    id: ExecutionId,
    position: &mut JournalPosition,
) -> store::Result<Vec<(Event, Timestamp)>> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    loop {
        let steps = journal::read(&mut conn, project, id, position.0).await?;
        let Some(last) = steps.last() else { return Ok(Vec::new()) };
        position.0 = last.step_no;
        let mut events = Vec::new();
        for step in &steps {
            let of_step: Vec<Event> = serde_json::from_str(&step.events)
                .map_err(|error| Error::Damaged { what: "events", why: error.to_string() })?;
            events.extend(of_step.into_iter().map(|event| (event, step.at)));
        }
        if !events.is_empty() {
            return Ok(events);
        }
    }
}

fn shape(event: &Event, at: Timestamp) -> ExecutionEvent {
    let data = event.data.as_object().cloned().unwrap_or_default();
    ExecutionEvent { seq: event.seq, name: event.name.clone(), at: at.into(), data }
}

fn live(
    ctx: AppState,
    project: ProjectId,
    id: ExecutionId,
    after: u64,
    open: Open,
) -> impl Stream<Item = Result<Sent, Infallible>> + Send {
    let batches =
        stream::unfold((ctx, JournalPosition::default(), open), move |(ctx, mut position, open)| async move {
            loop {
                // Checked before reading, so that the last events are not missed.
                let over = is_over(&ctx, project, id).await;
                match next(&ctx, project, id, &mut position).await {
                    Ok(events) if !events.is_empty() => return Some((events, (ctx, position, open))),
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
        let new = events.into_iter().filter(move |(event, _)| event.seq > after);
        stream::iter(new.map(|(event, at)| {
            let sent = Sent::default().id(event.seq.to_string()).event(event.name.clone());
            Ok(sent.json_data(shape(&event, at)).unwrap_or_default())
        }))
    })
}

/// True for ended executions. A failed one may be resumed, but the stream does not wait for it.
async fn is_over(ctx: &AppState, project: ProjectId, id: ExecutionId) -> bool {
    let Ok(mut reader) = ctx.store.read().await else { return true };
    let row = executions::find(&mut reader.conn(), project, id).await.ok().flatten();
    row.is_none_or(|row| row.ended_at.is_some())
}
