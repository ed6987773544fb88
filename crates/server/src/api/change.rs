//! A write through the API: one transaction that holds the effect, its row in the audit, and the answer to give again when
//! the same request comes again (reliability.md §6).

use super::{Accepted, Created, Data};
use crate::{ApiError, auth::ProjectContext};
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{
    Tx,
    audit::{self, AuditRow},
    idempotency::{self, StoredAnswer},
};

/// Longest `Idempotency-Key`.
pub(crate) const LONGEST_KEY: usize = 255;

/// What a write answers, made inside its transaction.
pub(crate) trait Answer: IntoResponse {
    /// The HTTP status.
    fn status(&self) -> StatusCode;
    /// The body; null for none.
    fn body(&self) -> serde_json::Result<Value>;
}

/// `204`, where nothing is left to show.
impl Answer for StatusCode {
    fn status(&self) -> StatusCode {
        *self
    }
    fn body(&self) -> serde_json::Result<Value> {
        Ok(Value::Null)
    }
}

impl<T: Serialize> Answer for Data<T> {
    fn status(&self) -> StatusCode {
        StatusCode::OK
    }
    fn body(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

impl<T: Serialize> Answer for Created<T> {
    fn status(&self) -> StatusCode {
        StatusCode::CREATED
    }
    fn body(&self) -> serde_json::Result<Value> {
        Ok(serde_json::json!({"data": serde_json::to_value(&self.0)?}))
    }
}

impl<T: Serialize> Answer for Accepted<T> {
    fn status(&self) -> StatusCode {
        StatusCode::ACCEPTED
    }
    fn body(&self) -> serde_json::Result<Value> {
        Ok(serde_json::json!({"data": serde_json::to_value(&self.0)?}))
    }
}

/// A write that was done, now or when the same request came before.
pub(crate) enum Changed<A> {
    Now(A),
    Before(StoredAnswer),
}

impl<A: IntoResponse> IntoResponse for Changed<A> {
    fn into_response(self) -> Response {
        match self {
            Self::Now(answer) => answer.into_response(),
            Self::Before(stored) => {
                let status = u16::try_from(stored.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
                let mut response = (status.unwrap_or(StatusCode::OK), stored.body).into_response();
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                headers.insert(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));
                response
            }
        }
    }
}

/// Runs a write: `change!(ctx, "agent.create", tx => { …; Ok(Created(view)) })?`. Like [`store::transact!`] the body may run
/// more than once and has no effects outside the database; it gives the answer as a `Result<impl Answer, ApiError>`.
macro_rules! change {
    ($ctx:expr, $name:literal, $tx:ident => $body:expr) => {
        ::store::transact!($ctx.store, $name, $crate::ApiError, $tx => {
            match $crate::api::change::begin(&$ctx, $tx).await? {
                Some(before) => Ok($crate::api::Changed::Before(before)),
                None => {
                    let answer: ::std::result::Result<_, $crate::ApiError> = $body;
                    let answer = answer?;
                    $crate::api::change::end(&$ctx, $tx, $name, &answer).await?;
                    Ok($crate::api::Changed::Now(answer))
                }
            }
        })
    };
}
pub(crate) use change;

/// What was answered before to this request, for writes that ask somebody else before their transaction.
pub(crate) async fn before(ctx: &ProjectContext) -> Result<Option<StoredAnswer>, ApiError> {
    let Some(key) = &ctx.idempotency_key else { return Ok(None) };
    let mut reader = ctx.store.read().await?;
    let stored = idempotency::find(&mut reader.conn(), ctx.project, key, ctx.now()).await?;
    same_request(stored, &request_hash(ctx))
}

fn same_request(stored: Option<StoredAnswer>, hash: &[u8]) -> Result<Option<StoredAnswer>, ApiError> {
    match stored {
        Some(stored) if stored.request_hash != hash => {
            let why = "this Idempotency-Key was sent before with another request; take a new one";
            Err(ApiError::State("idempotency_mismatch", why.into()))
        }
        stored => Ok(stored),
    }
}

/// Takes the request's idempotency key, if it has one; gives what was answered before.
pub(crate) async fn begin(ctx: &ProjectContext, tx: &mut Tx<'_>) -> Result<Option<StoredAnswer>, ApiError> {
    let Some(key) = &ctx.idempotency_key else { return Ok(None) };
    let hash = request_hash(ctx);
    same_request(idempotency::claim(tx, ctx.project, key, &hash, ctx.now()).await?, &hash)
}

/// Writes what belongs to the effect: its row in the audit, and its answer under the key.
pub(crate) async fn end(
    ctx: &ProjectContext,
    tx: &mut Tx<'_>,
    action: &'static str,
    answer: &impl Answer,
) -> Result<(), ApiError> {
    let body = answer.body().map_err(|error| ApiError::Internal(format!("{action}: {error}")))?;
    let path = || ctx.facts.line.split(' ').nth(1).unwrap_or_default();
    let row = AuditRow {
        id: ctx.new_uuid(),
        at: ctx.now(),
        actor: format!("key:{}", ctx.key),
        action: action.into(),
        target: body["data"]["id"].as_str().unwrap_or_else(path).to_owned(),
        request_id: ctx.facts.request_id.clone(),
    };
    audit::append(tx, ctx.project, &row).await?;
    if let Some(key) = &ctx.idempotency_key {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        idempotency::answer(tx, ctx.project, key, answer.status().as_u16(), &text).await?;
    }
    Ok(())
}

/// Tells this request from others: its method, path, query and body.
fn request_hash(ctx: &ProjectContext) -> Vec<u8> {
    let mut digest = Sha256::new();
    digest.update(ctx.facts.line.as_bytes());
    digest.update([0]);
    digest.update(ctx.facts.body_hash.get().map_or(&[][..], |hash| hash));
    digest.finalize().to_vec()
}
