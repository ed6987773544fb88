//! `GET /agents/{agent_id}/executions/{execution_id}/events`

use super::view;
use crate::{
    ApiError, AppState,
    api::{List, Page, Time, streams::Open},
    auth::{ProjectContext, path_id},
};
use axum::{
    extract::Path,
    http::{HeaderMap, header::ACCEPT},
    response::{
        IntoResponse as _, Response,
        sse::{Event as Sent, KeepAlive, Sse},
    },
};
use domain::{
    Timestamp,
    ids::{AgentId, ExecutionId, ProjectId},
};
use engine::Event;
use futures::stream::{self, Stream, StreamExt as _};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{convert::Infallible, time::Duration};
use store::{Error, executions, journal};
use utoipa::ToSchema;

/// How often a stream looks for what is new.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Something that happened in a run.
#[derive(Serialize, ToSchema)]
pub(super) struct ExecutionEvent {
    /// From 1, without gaps.
    #[schema(minimum = 1)]
    seq: u64,
    /// What: `node.entered`, `tool.called`, `message.sent`, …
    name: String,
    at: Time,
    data: Map<String, Value>,
}

/// List what happened in a run, oldest first
///
/// A page of it, or, where the client accepts `text/event-stream`, all of it after `Last-Event-ID` and then what comes,
/// until the run is over.
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
    Path((agent_id, execution_id)): Path<(String, String)>,
    headers: HeaderMap,
    list: List,
) -> Result<Response, ApiError> {
    let agent: AgentId = path_id(&agent_id, "Execution")?;
    let id = path_id(&execution_id, "Execution")?;
    let state = {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let row = executions::find(&mut conn, ctx.project, id).await?.filter(|row| row.agent_id == agent);
        row.ok_or(ApiError::NotFound("Execution"))?;
        view::state(&mut conn, ctx.project, id).await?
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
    let mut place = Place::default();
    while i64::try_from(shown.len()).is_ok_and(|len| len < limit) {
        let some = next(&ctx, ctx.project, id, &mut place).await?;
        if some.is_empty() {
            break;
        }
        let wanted = some.into_iter().filter(|(event, _)| i64::try_from(event.seq).is_ok_and(|seq| seq > offset));
        let room = usize::try_from(limit).unwrap_or(usize::MAX) - shown.len();
        shown.extend(wanted.take(room).map(|(event, at)| shape(&event, at)));
    }
    Ok(list.page(shown, total).into_response())
}

/// Up to which step of the journal the events were read.
#[derive(Default)]
struct Place(i64);

/// The events of the next steps; none when there are no further steps with events yet.
async fn next(
    ctx: &AppState,
    project: ProjectId,
    id: ExecutionId,
    place: &mut Place,
) -> store::Result<Vec<(Event, Timestamp)>> {
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    loop {
        let steps = journal::read(&mut conn, project, id, place.0).await?;
        let Some(last) = steps.last() else { return Ok(Vec::new()) };
        place.0 = last.step_no;
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
    let batches = stream::unfold((ctx, Place::default(), open), move |(ctx, mut place, open)| async move {
        loop {
            // Asked before looking: what a run writes before it is over is not missed.
            let over = is_over(&ctx, project, id).await;
            match next(&ctx, project, id, &mut place).await {
                Ok(events) if !events.is_empty() => return Some((events, (ctx, place, open))),
                Ok(_) if over => return None,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "an event stream ends");
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

/// Whether nothing more can happen: one that failed and may be resumed is not over for good, but nobody waits for that on a stream.
async fn is_over(ctx: &AppState, project: ProjectId, id: ExecutionId) -> bool {
    let Ok(mut reader) = ctx.store.read().await else { return true };
    let row = executions::find(&mut reader.conn(), project, id).await.ok().flatten();
    row.is_none_or(|row| row.ended_at.is_some())
}
