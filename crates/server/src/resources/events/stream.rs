//! The live feed of a project as server-sent events.

use super::view::FeedEvent;
use crate::{
    ApiError, AppState,
    api::streams::Open,
    auth::{ProjectContext, Revoked},
};
use axum::{
    http::HeaderName,
    response::{
        IntoResponse as _, Response,
        sse::{Event as Sent, Sse},
    },
};
use futures::{FutureExt as _, future::BoxFuture, stream};
use runtime::feed::{self, Cursor, Listener, Received};
use serde_json::{Value, json};
use std::{
    collections::{HashSet, VecDeque},
    convert::Infallible,
    time::Duration,
};
use tokio::time::{Instant, Interval};
use uuid::Uuid;

const HEARTBEAT: Duration = Duration::from_secs(15);

/// Streams the events of the request's project after a cursor, from now on without one, until the
/// key is revoked or the session ends; a session then receives `session.revoked`.
pub(crate) async fn of_project(request: ProjectContext, after: Option<&str>) -> Result<Response, ApiError> {
    let (ctx, project) = ((*request).clone(), request.project);
    let open = ctx.http().streams.open(project, request.principal.id())?;
    // In this order, no event is missed between what was stored and what is received.
    let listener = ctx.feed.listen(project).await?;
    let resumed = feed::resume(&ctx.store, project, after).await?;
    let greeting = json!({"server_time": ctx.now().to_iso(), "version": env!("CARGO_PKG_VERSION")});
    let mut ready = VecDeque::from([named("hello", &greeting, Some(resumed.cursor))]);
    if resumed.reset {
        ready.push_back(named("reset", &json!({}), Some(resumed.cursor)));
    }
    ready.extend(resumed.events.iter().map(change));
    let repeated = resumed.events.iter().map(|event| event.id).collect();
    let heartbeat = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let revoked = request.revoked().boxed();
    let live = Live { ctx, ready, repeated, listener, heartbeat, revoked: Some(revoked), _open: open };
    let sent = stream::unfold(live, async |mut live| {
        let next = live.next().await?;
        Some((Ok::<_, Infallible>(next), live))
    });
    // Proxies such as nginx must not collect events.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((unbuffered, Sse::new(sent)).into_response())
}

struct Live {
    ctx: AppState,
    /// To send next.
    ready: VecDeque<Sent>,
    /// Stored events that were sent, and may be received as well.
    repeated: HashSet<Uuid>,
    listener: Listener,
    heartbeat: Interval,
    /// `None` once the access has ended.
    revoked: Option<BoxFuture<'static, Revoked>>,
    _open: Open,
}

impl Live {
    /// The next event to send; `None` when the stream ends.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            let revoked = self.revoked.as_mut()?;
            if let Some(sent) = self.ready.pop_front() {
                return Some(sent);
            }
            tokio::select! {
                revoked = revoked => {
                    self.revoked = None;
                    let Revoked::Session(session) = revoked else { return None };
                    let event = FeedEvent::session_revoked(self.ctx.new_uuid(), session, self.ctx.now());
                    return Some(Sent::default().json_data(event).unwrap_or_default());
                }
                received = self.listener.next() => match received {
                    Received::Event(event) if self.repeated.remove(&event.id) => {}
                    Received::Event(event) => return Some(change(&event)),
                    Received::Lost(cursor) => return Some(named("reset", &json!({}), Some(cursor))),
                    Received::Closed => return None,
                },
                _ = self.heartbeat.tick() => {
                    return Some(named("heartbeat", &json!({}), self.listener.cursor()));
                }
                () = self.ctx.stopping.cancelled() => return None,
            }
        }
    }
}

fn change(event: &feed::FeedEvent) -> Sent {
    let sent = Sent::default().id(event.cursor.to_string());
    sent.json_data(FeedEvent::of(event)).unwrap_or_default()
}

fn named(name: &str, data: &Value, cursor: Option<Cursor>) -> Sent {
    let sent = Sent::default().event(name).data(data.to_string());
    match cursor {
        Some(cursor) => sent.id(cursor.to_string()),
        None => sent,
    }
}
