//! Who asks: a handler that takes [`ProjectContext`] runs only with a valid key, and has the project by it.

use crate::{ApiError, Context};
use axum::{extract::FromRequestParts, http::request::Parts};
use domain::{Id, api_key, ids::ProjectId};
use std::ops::Deref;
use store::unscoped::{self, DirectoryKind};
use subtle::ConstantTimeEq as _;

/// The context of one project's request.
#[derive(Clone)]
pub struct ProjectContext {
    ctx: Context,
    /// Whose data it may touch.
    pub project: ProjectId,
}

impl Deref for ProjectContext {
    type Target = Context;
    fn deref(&self) -> &Context {
        &self.ctx
    }
}

impl FromRequestParts<Context> for ProjectContext {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, ctx: &Context) -> Result<Self, ApiError> {
        let key = parts.headers.get("x-api-key").and_then(|key| key.to_str().ok()).ok_or(ApiError::Unauthorized)?;
        let lookup = api_key::lookup(key).ok_or(ApiError::Unauthorized)?;
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        let pointer =
            unscoped::look_up(&mut conn, DirectoryKind::ApiKey, lookup).await?.ok_or(ApiError::Unauthorized)?;
        let stored = store::api_keys::hash(&mut conn, pointer.project_id, Id::from_uuid(pointer.object_id)).await?;
        let matches = stored.is_some_and(|stored| bool::from(stored.ct_eq(&api_key::hash(key))));
        if !matches {
            return Err(ApiError::Unauthorized);
        }
        Ok(Self { ctx: ctx.clone(), project: pointer.project_id })
    }
}

/// An id from the path; one that is not even a UUID is *not found*, like one that does not exist.
pub fn path_id<T>(text: &str, what: &'static str) -> Result<Id<T>, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound(what))
}
