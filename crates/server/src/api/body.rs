//! Reads request bodies: within the route's size, as strict JSON, under their wrapping key, valid by their schema.

use super::{Problems, facts::Facts, json, schema};
use crate::ApiError;
use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{header, request::Parts},
};
use bytes::BytesMut;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use utoipa::ToSchema;

/// What API routes take, in bytes.
pub(crate) const API_LIMIT: usize = 1024 * 1024;
/// What routes take that carry a graph, in bytes.
pub(crate) const GRAPH_LIMIT: usize = 12 * 1024 * 1024;

/// A body that comes more slowly than this many bytes in each stretch is given up.
const SLOWEST: usize = 10 * 1024;
const STRETCH: Duration = Duration::from_secs(10);

/// The whole body of a request. Its schema is shown in the document and checks what is sent; unknown keys are ignored.
pub(crate) trait RequestBody: DeserializeOwned + ToSchema + 'static {
    /// The wrapping key, then other spellings of it that clients send; none for bodies without one.
    const WRAPPER: &'static [&'static str] = &[];
    /// Whether the wrapped object may hold nothing.
    const MAY_BE_EMPTY: bool = false;
    /// The most bytes.
    const LIMIT: usize = API_LIMIT;
    /// Pointer of a value that [`Self::read_apart`] checks in place of the schema; empty for none. The value is large: the
    /// schema would list millions of problems at once.
    const READ_APART: &'static str = "";

    /// Checks the value at [`Self::READ_APART`], which is not null, and returns what is deserialized in its place.
    fn read_apart(value: Value, _problems: &mut Problems) -> Value {
        value
    }

    /// Notes what no schema can say, in the body as it was sent: called also when the schema found problems, so that
    /// all are told at once. Nothing here may need the database.
    fn check(_body: &Value, _problems: &mut Problems) {}
}

/// Reads and checks a body. No bytes at all are an empty object, for routes whose body is optional.
///
/// 413 too large, 415 not JSON by its type, 400 not JSON or without its wrapper, 422 with all problems of its values.
pub(crate) async fn read<T: RequestBody>(request: Request) -> Result<T, ApiError> {
    let (parts, body) = request.into_parts();
    checked(Value::Object(object(&parts, body, T::LIMIT).await?))
}

/// The same for a body that was put together from a form.
pub(crate) fn checked<T: RequestBody>(mut value: Value) -> Result<T, ApiError> {
    unwrap::<T>(&mut value)?;
    let mut problems = Problems::default();
    let apart = Some(T::READ_APART).filter(|at| !at.is_empty());
    let held = apart.and_then(|at| value.pointer_mut(at).map(Value::take));
    problems.extend_under("", schema::of::<T>()?.problems(&value));
    if let (Some(place), Some(held)) = (apart.and_then(|at| value.pointer_mut(at)), held) {
        *place = if held.is_null() { held } else { T::read_apart(held, &mut problems) };
    }
    T::check(&value, &mut problems);
    problems.done()?;
    let unread = |error| ApiError::Internal(format!("a valid body was not read: {error}"));
    match T::deserialize(&value) {
        Ok(body) => Ok(body),
        // To JSON Schema 2.0 is a whole number. Others keep their numbers as they were sent.
        Err(_) => serde_json::from_value(with_whole_numbers(value)).map_err(unread),
    }
}

/// `2.0` becomes `2`, wherever it stands.
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

/// Reads at most `limit` bytes, which must come at 1 KiB a second or faster.
pub(crate) async fn bytes(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let mut body = Arriving::new(body, limit);
    let mut read = BytesMut::new();
    while let Some(more) = body.next().await? {
        read.extend_from_slice(&more);
    }
    Ok(read.freeze())
}

/// A body on its way to us: at most so many bytes, at 1 KiB a second or faster.
pub(super) struct Arriving {
    body: Limited<Body>,
    limit: usize,
    read: usize,
    /// What must have come by the end of this stretch, unless the body ends before.
    due: usize,
    until: Instant,
}

impl Arriving {
    pub(super) fn new(body: Body, limit: usize) -> Self {
        Self { body: Limited::new(body, limit), limit, read: 0, due: SLOWEST, until: Instant::now() + STRETCH }
    }

    /// The next piece; none at the end.
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

async fn object(parts: &Parts, body: Body, limit: usize) -> Result<Map<String, Value>, ApiError> {
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text(header::CONTENT_LENGTH).parse::<usize>().is_ok_and(|length| length > limit) {
        return Err(ApiError::TooLarge(limit));
    }
    let bytes = bytes(body, limit).await?;
    if let Some(facts) = parts.extensions.get::<Arc<Facts>>() {
        let _ = facts.body_hash.set(Sha256::digest(&bytes).into());
    }
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    let media = text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::MediaType);
    }
    match json::parse(&bytes)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(ApiError::Malformed("the body must be a JSON object".into())),
    }
}

/// Sees that the wrapping key is there, and gives it its own spelling.
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
    use futures::{StreamExt as _, stream};

    /// Pieces of `size` bytes, one each `pause`.
    fn pieces(count: usize, size: usize, pause: Duration) -> Body {
        Body::from_stream(stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, std::convert::Infallible>(vec![b'x'; size])
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up_and_a_slow_one_is_read() {
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
