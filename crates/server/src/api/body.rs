//! Reads request bodies: size limit, strict JSON, wrapper key, schema.

use super::{Problems, facts::RequestFacts, json, schema};
use crate::ApiError;
use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{header, request::Parts},
};
use bytes::BytesMut;
use domain::{
    Problem,
    agent::Graph,
    limits::{BODY_VALUES, GRAPH_VALUES},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use runtime::cpu;
use serde::{
    Deserialize as _, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use utoipa::ToSchema;

/// Body limit of most routes, in bytes.
pub(crate) const API_LIMIT: usize = 1024 * 1024;
/// Body limit of routes with a graph, in bytes.
pub(crate) const GRAPH_LIMIT: usize = 12 * 1024 * 1024;

/// Body limit of routes that read the body of anybody, in bytes. With 4,096 connections that is 64
/// MiB at most.
pub(crate) const UNKNOWN_SENDER_LIMIT: usize = 16 * 1024;

/// Minimum bytes in each interval; slower bodies are refused.
const SLOWEST: usize = 10 * 1024;
const STRETCH: Duration = Duration::from_secs(10);

/// A request body. Its schema is shown in the document and validates input; unknown keys are
/// ignored.
pub(crate) trait RequestBody: DeserializeOwned + ToSchema + Send + 'static {
    /// Wrapper key, then other accepted spellings; empty for bodies without one.
    const WRAPPER: &'static [&'static str] = &[];
    /// True allows an empty wrapped object.
    const MAY_BE_EMPTY: bool = false;
    /// Maximum size in bytes.
    const LIMIT: usize = API_LIMIT;
    /// Maximum number of JSON values.
    const VALUES: usize = if Self::LIMIT > API_LIMIT { GRAPH_VALUES } else { BODY_VALUES };
    /// JSON pointer of an agent graph; empty if the body has none. `Graph::read` checks it instead
    /// of the schema: it accepts more spellings, and the schema could list millions of problems.
    const GRAPH_AT: &'static str = "";

    /// Reports problems that no schema can describe. Runs even after schema problems, so that all
    /// are reported together. Must not need the database. A graph is not in `body`.
    fn check(_body: &Value, _problems: &mut Problems) {}

    /// Receives the graph, which is read once, apart from the other fields.
    fn set_graph(&mut self, _graph: Graph) {}

    /// Receives what is probably wrong in the graph, with JSON pointers from the root of the body.
    fn set_warnings(&mut self, _warnings: Vec<Problem>) {}
}

/// Reads and checks a body. An empty body counts as an empty object.
///
/// Errors: 413 too large, 415 not JSON by content type, 400 invalid JSON or missing wrapper, 422
/// with all problems of its values.
pub(crate) async fn read<T: RequestBody>(request: Request) -> Result<T, ApiError> {
    let (parts, body) = request.into_parts();
    let value = Value::Object(object(&parts, body, [T::LIMIT, T::VALUES]).await?);
    if T::GRAPH_AT.is_empty() {
        return checked(value);
    }
    // A graph may have megabytes, and schemas that take long to compile.
    cpu::LONG
        .run(move || checked(value))
        .await
        .unwrap_or_else(|| Err(ApiError::Internal("a graph was not read".into())))
}

/// Checks a body that was assembled from a form.
pub(crate) fn checked<T: RequestBody>(mut value: Value) -> Result<T, ApiError> {
    unwrap::<T>(&mut value)?;
    let mut problems = Problems::default();
    let graph = if T::GRAPH_AT.is_empty() { None } else { value.pointer_mut(T::GRAPH_AT).map(Value::take) };
    problems.extend_under("", schema::of::<T>()?.problems(&value));
    let graph = match graph.filter(|graph| !graph.is_null()).map(|graph| Graph::read(&graph)) {
        Some(Ok(read)) => Some((read.graph, read.warnings)),
        Some(Err(wrong)) => {
            problems.extend_under(T::GRAPH_AT, wrong);
            None
        }
        None => None,
    };
    T::check(&value, &mut problems);
    problems.done()?;
    let unread = |error| ApiError::Internal(format!("a valid body was not read: {error}"));
    let mut body = match T::deserialize(&value) {
        Ok(body) => body,
        // JSON Schema accepts 2.0 as an integer; serde does not.
        Err(_) => serde_json::from_value::<T>(with_whole_numbers(value)).map_err(unread)?,
    };
    if let Some((graph, warnings)) = graph {
        body.set_graph(graph);
        body.set_warnings(warnings.into_iter().map(|warning| warning.under(T::GRAPH_AT)).collect());
    }
    Ok(body)
}

/// Leaves a graph out of deserialization; see [`RequestBody::set_graph`].
pub(crate) fn skip_graph<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Graph>, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| None)
}

/// Replaces `2.0` by `2` everywhere.
fn with_whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0) {
            Some(float) => format!("{float:.0}").parse::<i64>().map_or(Value::Number(number), Value::from),
            None => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(with_whole_numbers).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, field)| (key, with_whole_numbers(field))).collect(),
        other => other,
    }
}

/// Reads at most `limit` bytes, arriving at 1 KiB a second or faster.
pub(crate) async fn bytes(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let mut body = Incoming::new(body, limit);
    let mut read = BytesMut::new();
    while let Some(more) = body.next().await? {
        read.extend_from_slice(&more);
    }
    Ok(read.freeze())
}

/// A body being received: at most `limit` bytes, at 1 KiB a second or faster.
pub(super) struct Incoming {
    body: Limited<Body>,
    limit: usize,
    read: usize,
    /// Bytes required by the end of this interval, unless the body ends before.
    due: usize,
    until: Instant,
}

impl Incoming {
    pub(super) fn new(body: Body, limit: usize) -> Self {
        Self { body: Limited::new(body, limit), limit, read: 0, due: SLOWEST, until: Instant::now() + STRETCH }
    }

    /// Next chunk; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        if self.read >= self.due {
            self.due = self.read + SLOWEST;
            self.until = Instant::now() + STRETCH;
        }
        let frame = tokio::time::timeout_at(self.until, self.body.frame()).await.map_err(|_| ApiError::Timeout)?;
        match frame {
            None => Ok(None),
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                self.read += data.len();
                Ok(Some(data))
            }
            Some(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => {
                Err(ApiError::TooLarge(self.limit))
            }
            Some(Err(_)) => Err(ApiError::Malformed("the body broke off".into())),
        }
    }
}

/// Reserves memory for a body above the limit of most routes.
fn reserve(facts: &RequestFacts, size: usize) -> Result<(), ApiError> {
    if size > API_LIMIT
        && let Some((bodies, project)) = facts.memory.get()
    {
        let _ = facts.reserved.set(bodies.reserve(*project, size)?);
    }
    Ok(())
}

async fn object(parts: &Parts, body: Body, [limit, values]: [usize; 2]) -> Result<Map<String, Value>, ApiError> {
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text(header::CONTENT_LENGTH).parse::<usize>().is_ok_and(|length| length > limit) {
        return Err(ApiError::TooLarge(limit));
    }
    let facts = parts.extensions.get::<Arc<RequestFacts>>();
    if let Some(facts) = facts {
        let size = text(header::CONTENT_LENGTH).parse().unwrap_or(limit);
        reserve(facts, size)?;
    }
    let bytes = bytes(body, limit).await?;
    if let Some(facts) = facts {
        let _ = facts.body_hash.set(Sha256::digest(&bytes).into());
    }
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    let media = text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::MediaType);
    }
    match json::parse(&bytes, values)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(ApiError::Malformed("the body must be a JSON object".into())),
    }
}

/// Requires the wrapper key and normalizes its spelling.
fn unwrap<T: RequestBody>(body: &mut Value) -> Result<(), ApiError> {
    let Some(wrapper) = T::WRAPPER.first() else { return Ok(()) };
    let found = T::WRAPPER.iter().find_map(|key| body.as_object_mut()?.remove(*key));
    match found {
        Some(Value::Object(inner)) if T::MAY_BE_EMPTY || !inner.is_empty() => {
            body[*wrapper] = Value::Object(inner);
            Ok(())
        }
        _ => Err(ApiError::Malformed(format!("Parameter {wrapper} is required"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::large_bodies::LargeBodies;
    use futures::{StreamExt as _, stream};

    /// Chunks of `size` bytes, one per `pause`.
    fn pieces(count: usize, size: usize, pause: Duration) -> Body {
        Body::from_stream(stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, std::convert::Infallible>(vec![b'x'; size])
        }))
    }

    #[tokio::test]
    async fn large_body_needs_memory_until_its_request_ends() {
        let (bodies, project) = (Arc::new(LargeBodies::default()), domain::Id::from_uuid(uuid::Uuid::nil()));
        let request = |size: usize| {
            let facts = Arc::new(RequestFacts::default());
            facts.memory.get_or_init(|| (bodies.clone(), project));
            let request = Request::builder().header("content-type", "application/json").header("content-length", size);
            let mut request = request.body(Body::from("{}")).unwrap();
            request.extensions_mut().insert(facts);
            request.into_parts()
        };
        let limits = [GRAPH_LIMIT, GRAPH_VALUES];
        let mut open = Vec::new();
        for _ in 0..2 {
            let (parts, body) = request(GRAPH_LIMIT);
            object(&parts, body, limits).await.unwrap();
            open.push(parts);
        }
        let (parts, body) = request(API_LIMIT + 1);
        assert!(matches!(object(&parts, body, limits).await, Err(ApiError::BodiesFull)));
        let (parts, body) = request(2);
        object(&parts, body, limits).await.unwrap();
        open.clear();
        let (parts, body) = request(API_LIMIT + 1);
        object(&parts, body, limits).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn body_below_the_minimum_rate_is_refused_and_a_slow_one_read() {
        let trickle = pieces(1_000, 100, Duration::from_secs(1));
        let began = Instant::now();
        assert!(matches!(bytes(trickle, API_LIMIT).await, Err(ApiError::Timeout)));
        assert_eq!(began.elapsed(), STRETCH);
        let slow = pieces(60, 1_100, Duration::from_secs(1));
        assert_eq!(bytes(slow, API_LIMIT).await.unwrap().len(), 66_000);
        let short = pieces(2, 1, Duration::from_secs(4));
        assert_eq!(bytes(short, API_LIMIT).await.unwrap().len(), 2, "a short body may take a stretch");
    }
}
