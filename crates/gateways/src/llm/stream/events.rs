//! Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

use super::{Excess, Fold, Kind, Room};
use crate::{
    llm::refusal::{ANSWER_BYTES, Refusal, too_long, unread},
    parsing::off_worker,
};
use bytes::Bytes;
use domain::{chat::ModelFailure, json, limits::MODEL_VALUES};
use futures::{Stream, StreamExt as _, stream};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use sse_stream::SseStream;
use std::{
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Longest time without a byte. A model that thinks sends nothing for some seconds, or comments and
/// pings, which count; a connection that a proxy forgot sends nothing for ever.
const IDLE: Duration = Duration::from_secs(30);
/// Wait for the usage after the end of the answer: some servers never close the stream.
const AFTER_END: Duration = Duration::from_secs(3);
/// Bytes of a stream. One token has about 300 of them, so this is about 200,000 tokens.
const STREAM_BYTES: usize = 64 << 20;
/// The last event of chat completions. It is not JSON.
const DONE: &str = "[DONE]";
/// Details of a refusal that says that the stream cannot be read at all: the answer is asked for as
/// a whole.
const UNREADABLE: &str = "stream_unreadable";

/// A complete answer.
#[derive(Debug)]
pub(in crate::llm) struct Streamed {
    pub(in crate::llm) answer: Value,
    /// From the request to the first text, reasoning or call.
    pub(in crate::llm) first_token: Option<Duration>,
}

/// Reason why there is no complete answer.
#[derive(Debug)]
pub(in crate::llm) enum Broken {
    Refused(Refusal),
    Failed(ModelFailure),
}

impl From<Excess> for Broken {
    fn from(excess: Excess) -> Self {
        match excess {
            Excess::Bytes => Self::Failed(too_long()),
            Excess::Values => Self::Refused(unread(&json::Refused::TooMany(MODEL_VALUES))),
        }
    }
}

/// Fault of the bytes of a stream.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the model sent nothing for 30 s")]
    Idle,
    #[error("too long")]
    TooLong,
    #[error("{0}")]
    Connection(String),
}

/// True for server-sent events. A server may answer a request for them with JSON.
pub(in crate::llm) fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream")
}

/// True for a body that is a stream under another type of content.
pub(in crate::llm) fn looks_like_one(body: &[u8]) -> bool {
    ["data:", "event:", ":"].iter().any(|begins| body.trim_ascii_start().starts_with(begins.as_bytes()))
}

/// The refusal of a stream that this server always writes so: the answer is asked for as a whole.
pub(in crate::llm) fn unreadable(message: &str) -> Refusal {
    Refusal { details: UNREADABLE.into(), ..Refusal::broken(message) }
}

/// Folds the events until the answer is complete. `began` is the time of the request, and `explain`
/// describes an error of the connection, without secrets.
pub(in crate::llm) async fn read<E>(
    bytes: impl Stream<Item = Result<Bytes, E>> + Send,
    mut fold: Box<dyn Fold>,
    began: Instant,
    explain: impl Fn(&E) -> String + Send + Sync,
) -> Result<Streamed, Broken> {
    let mut room = Room::of(ANSWER_BYTES);
    let mut first_token = None;
    // Bytes since the last event: what the parser holds.
    let held = AtomicUsize::new(0);
    let mut events = pin!(SseStream::from_bytes_stream(watched(bytes, &held, &explain).boxed()));
    loop {
        let next = if fold.has_ended() {
            // The answer is complete: what fails after it takes nothing from it.
            match timeout(AFTER_END, events.next()).await {
                Ok(Some(Ok(event))) => Some(event),
                _ => break,
            }
        } else {
            events.next().await.transpose().map_err(|error| broken(&error))?
        };
        let Some(event) = next else { break };
        held.store(0, Ordering::Relaxed);
        let Some(data) = event.data.filter(|data| !data.trim().is_empty()) else { continue };
        if data.trim() == DONE {
            if !fold.has_ended() {
                let why = "the stream of the model ended without an end of the answer";
                return Err(Broken::Refused(unreadable(why)));
            }
            break;
        }
        let event = match parsed(data).await {
            Ok(event) => event,
            Err(_) if fold.has_ended() => break,
            Err(broken) => return Err(broken),
        };
        match fold.take(event, &mut room)? {
            Kind::Content => _ = first_token.get_or_insert_with(|| began.elapsed()),
            Kind::Other => {}
            Kind::Last => break,
        }
    }
    if !fold.has_ended() {
        return Err(cut("the stream of the model ended before the answer did"));
    }
    Ok(Streamed { answer: fold.into_answer(), first_token })
}

/// The bytes of a stream, as long as they come in time and are not too many.
fn watched<'a, E>(
    bytes: impl Stream<Item = Result<Bytes, E>> + Send + 'a,
    held: &'a AtomicUsize,
    explain: &'a (impl Fn(&E) -> String + Send + Sync),
) -> impl Stream<Item = Result<Bytes, Fault>> + Send + 'a {
    stream::unfold((Box::pin(bytes), 0_usize), move |(mut bytes, total)| async move {
        let (item, total) = match timeout(IDLE, bytes.next()).await {
            Err(_) => (Err(Fault::Idle), total),
            Ok(None) => return None,
            Ok(Some(Err(error))) => (Err(Fault::Connection(explain(&error))), total),
            Ok(Some(Ok(chunk))) => {
                let total = total + chunk.len();
                let waits = held.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len();
                let fits = total <= STREAM_BYTES && waits <= ANSWER_BYTES;
                (if fits { Ok(chunk) } else { Err(Fault::TooLong) }, total)
            }
        };
        Some((item, (bytes, total)))
    })
}

async fn parsed(data: String) -> Result<Value, Broken> {
    match off_worker(data.into_bytes(), |text| json::parse(text, MODEL_VALUES)).await {
        Some(Ok(event)) => Ok(event),
        Some(Err(json::Refused::Malformed(_))) => Err(Broken::Refused(unreadable("an event of the model is not JSON"))),
        Some(Err(refused)) => Err(Broken::Refused(unread(&refused))),
        None => Err(cut("an event of the model was not read")),
    }
}

fn broken(error: &sse_stream::Error) -> Broken {
    let sse_stream::Error::Body(fault) = error else {
        return Broken::Refused(unreadable("the stream of the model is not one of server-sent events"));
    };
    match fault.downcast_ref::<Fault>() {
        Some(Fault::TooLong) => Broken::Failed(too_long()),
        Some(fault) => cut(&fault.to_string()),
        None => cut("the stream of the model broke"),
    }
}

/// A stream that ended too early: a repetition may help.
fn cut(message: &str) -> Broken {
    Broken::Refused(Refusal::broken(message))
}
