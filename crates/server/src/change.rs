//! A write of the API: one transaction with the effect, its audit row and the stored answer for
//! repeats with the same `Idempotency-Key` (docs/spec/reliability.md 6.9).

use crate::{ApiError, api::answer::Answer, auth::ProjectContext};
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};
use store::{
    Tx,
    audit::{self, AuditRow},
    idempotency::{self, StoredAnswer},
};

/// A completed write: done now, or by an earlier request with the same key.
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

/// Runs a write: `change!(ctx, "agent.create", tx => { …; Ok(Created(view)) })?`. As in
/// [`store::transact!`], the body may run more than once and must have no effects outside the
/// database. It returns `Result<impl Answer, ApiError>`.
macro_rules! change {
    ($ctx:expr, $name:literal, $tx:ident => $body:expr) => {
        ::store::transact!($ctx.store, $name, $crate::ApiError, $tx => {
            match $crate::change::begin(&$ctx, $tx).await? {
                Some(before) => Ok($crate::change::Changed::Before(before)),
                None => {
                    let answer: ::std::result::Result<_, $crate::ApiError> = $body;
                    let answer = answer?;
                    $crate::change::end(&$ctx, $tx, $name, &answer).await?;
                    Ok($crate::change::Changed::Now(answer))
                }
            }
        })
    };
}
pub(crate) use change;

/// Stored answer of an earlier identical request; for writes that call WhatsApp before their
/// transaction.
pub(crate) async fn before(ctx: &ProjectContext) -> Result<Option<StoredAnswer>, ApiError> {
    let Some(key) = &ctx.idempotency_key else { return Ok(None) };
    let mut reader = ctx.store.read().await?;
    let stored = idempotency::find(&mut reader.conn(), ctx.project, key, ctx.now()).await?;
    same_request(stored, &request_hash(ctx))
}

fn same_request(stored: Option<StoredAnswer>, hash: &[u8]) -> Result<Option<StoredAnswer>, ApiError> {
    match stored {
        Some(stored) if stored.request_hash != hash => {
            let error = "Idempotency-Key was used for another request";
            Err(ApiError::state("idempotency_mismatch", error, "use a new key for a new request"))
        }
        stored => Ok(stored),
    }
}

/// Claims the request's idempotency key; returns the stored answer of an earlier request.
pub(crate) async fn begin(ctx: &ProjectContext, tx: &mut Tx<'_>) -> Result<Option<StoredAnswer>, ApiError> {
    let Some(key) = &ctx.idempotency_key else { return Ok(None) };
    let hash = request_hash(ctx);
    same_request(idempotency::claim(tx, ctx.project, key, &hash, ctx.now()).await?, &hash)
}

/// Writes the audit row, and the answer under the idempotency key.
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
        actor: ctx.principal.actor(),
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

/// Hash of method, path, query and body.
fn request_hash(ctx: &ProjectContext) -> Vec<u8> {
    let mut digest = Sha256::new();
    digest.update(ctx.facts.line.as_bytes());
    digest.update([0]);
    digest.update(ctx.facts.body_hash.get().map_or(&[][..], |hash| hash));
    digest.finalize().to_vec()
}
