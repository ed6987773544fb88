//! Live feed as server-sent events, for `chasqui phone`: `message`, `status`, `typing`.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State as Shared,
    response::{
        Sse,
        sse::{Event, KeepAlive},
    },
};
use futures::{Stream, stream};
use tokio::sync::broadcast::error::RecvError;

use crate::driver::Driver;

/// Streams events from now on. The stream ends when the emulator stops.
pub(crate) async fn listen(Shared(driver): Shared<Arc<Driver>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let feed = driver.with(|state| state.feed.subscribe());
    let stop = driver.stop.clone();
    let events = stream::unfold((feed, stop), async |(mut feed, stop)| {
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => return None,
                received = feed.recv() => received,
            };
            match received {
                Ok(event) => {
                    let sent = Event::default().event(event.name).data(event.body.to_string());
                    return Some((Ok(sent), (feed, stop)));
                }
                // A slow listener has lost the oldest events and continues with the rest.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
