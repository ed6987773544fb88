//! API representation of an API key.

use crate::{
    ApiError, AppState,
    api::{Time, answer::Issued, roles::RoleName},
};
use domain::api_key::{self, NewApiKey};
use serde::Serialize;
use store::{Conn, api_keys::KeyDetails, users};
use utoipa::ToSchema;
use uuid::Uuid;

/// An API key without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKey {
    id: Uuid,
    /// Empty for keys of earlier versions.
    name: String,
    /// First part of the key, which is no secret.
    prefix: String,
    /// Null: all rights of the project.
    #[schema(value_type = Option<RoleName>)]
    role: Option<&'static str>,
    /// E-mail address of the user who created it; null for operators' commands and keys.
    created_by: Option<String>,
    created_at: Time,
    expires_at: Option<Time>,
    /// A minute old at most; null if the key was never used.
    last_used_at: Option<Time>,
}

/// A new API key with its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedApiKey {
    id: Uuid,
    /// The key, shown this once: null in the answer to a repeated request.
    key: Option<String>,
    api_key: ApiKey,
}

impl ApiKey {
    pub(super) async fn of(conn: &mut Conn<'_>, row: &KeyDetails) -> Result<Self, ApiError> {
        let created_by = match row.user_id {
            Some(user) => users::find(conn, user).await?.map(|user| user.email),
            None => None,
        };
        Ok(Self {
            id: row.id.uuid(),
            name: row.name.clone(),
            prefix: format!("chq_{}", row.lookup),
            role: row.role.map(|role| role.as_str()),
            created_by,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(Time::from),
            last_used_at: row.last_used_at.map(Time::from),
        })
    }

    pub(super) async fn all(conn: &mut Conn<'_>, rows: &[KeyDetails]) -> Result<Vec<Self>, ApiError> {
        let mut views = Vec::new();
        for row in rows {
            views.push(Self::of(conn, row).await?);
        }
        Ok(views)
    }

    /// Answer that shows a new key.
    pub(super) fn issued(self, key: &NewApiKey) -> Issued<IssuedApiKey> {
        Issued(IssuedApiKey { id: self.id, key: Some(key.text.clone()), api_key: self }, "key")
    }
}

/// A random key.
pub(super) fn new_key(ctx: &AppState) -> Result<NewApiKey, ApiError> {
    let mut random = [0; 256];
    ctx.fill_random(&mut random);
    api_key::from_random(&random).ok_or_else(|| ApiError::Internal("no key was made".into()))
}
