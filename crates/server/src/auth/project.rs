//! Requests in a project, with a key or of a person.

use super::{
    principal::Principal,
    request::{count, count_project, facts, path_id, rejection},
    session, sign_in,
};
use crate::{
    ApiError, AppState,
    api::{
        cookie::Cookie,
        facts::{LONGEST_KEY, RequestFacts},
        last_uses::Used,
        roles::{Needs, Operations},
    },
};
use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderValue, Method, header, request::Parts},
};
use domain::{
    Id, api_key,
    author::Author,
    ids::{ApiKeyId, MessageId, ProjectId, SessionId, UserId},
    role::Role,
};
use runtime::context::PLATFORM_PROJECT;
use std::{ops::Deref, sync::Arc, time::Duration};
use store::{
    Conn, api_keys, members, projects, sessions,
    unscoped::{self, DirectoryKind},
};
use subtle::ConstantTimeEq as _;

/// Interval at which streams check that their key or session is still valid.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Context of a request with a project's key, or of a person in a project.
#[derive(Clone)]
pub struct ProjectContext {
    ctx: AppState,
    /// The only project that the request may access.
    pub project: ProjectId,
    pub(crate) principal: Principal,
    /// Least role of the operation.
    least: Role,
    /// `Idempotency-Key` of a POST. People have keys of their own.
    pub(crate) idempotency_key: Option<String>,
    pub(crate) facts: Arc<RequestFacts>,
    /// `Host` header, for links in answers.
    host: Option<HeaderValue>,
}

impl ProjectContext {
    /// Link to a message's file, valid for a day.
    pub(crate) fn media_url(&self, message: MessageId) -> String {
        self.url() + &runtime::media::link::path(self, self.project, message)
    }

    /// Base URL for links in answers.
    pub(crate) fn url(&self) -> String {
        self.base_url(self.host.as_ref())
    }

    /// Author of what the request creates.
    pub(crate) const fn author(&self) -> Author {
        self.principal.author()
    }

    /// Context of a person's read in the project that its path names, outside of /api/v1.
    pub(crate) async fn of_session(
        parts: &Parts,
        ctx: &AppState,
        project: &str,
        least: Role,
    ) -> Result<Self, ApiError> {
        let facts = facts(parts);
        let access =
            in_project(ctx, parts, &facts, Some(project)).await.map_err(|error| rejection(parts, ctx, error))?;
        let Access { project, principal, .. } = access;
        count_project(ctx, project, &facts)?;
        permit(Needs { role: least, in_archived: true }, principal.role(), false)?;
        let host = parts.headers.get(header::HOST).cloned();
        Ok(Self { ctx: ctx.clone(), project, principal, least, idempotency_key: None, facts, host })
    }

    /// Completes a few seconds after the key was revoked, the session ended, the role was lowered
    /// below the operation's or the project was deleted, on any node. For streams, which outlive the check at their start.
    pub(crate) async fn revoked(self) -> Revoked {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            match self.what_is_revoked().await {
                Ok(None) => {}
                Ok(Some(revoked)) => return revoked,
                Err(error) => tracing::warn!(%error, "a stream's key or session was not checked"),
            }
        }
    }

    async fn what_is_revoked(&self) -> store::Result<Option<Revoked>> {
        let mut reader = self.store.read().await?;
        let mut conn = reader.conn();
        if projects::find(&mut conn, self.project).await?.is_none() {
            return Ok(Some(Revoked::Access));
        }
        let role = match self.principal {
            Principal::Key { id, .. } => {
                let key = api_keys::find(&mut conn, self.project, id).await?;
                let key = key.filter(|key| key.expires_at.is_none_or(|at| at > self.now()));
                key.map(|key| key.role.unwrap_or(Role::Owner))
            }
            Principal::Person { session, .. } => {
                match sessions::by_id(&mut conn, session).await?.filter(|row| sign_in::is_valid(self, row)) {
                    Some(row) => role_of(&mut conn, self.project, row.user_id, row.is_operator).await?,
                    None => return Ok(Some(Revoked::Session(session))),
                }
            }
        };
        let is_valid = role.is_some_and(|role| role.includes(self.least));
        Ok((!is_valid).then_some(Revoked::Access))
    }
}

/// The reason why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revoked {
    /// The session ended.
    Session(SessionId),
    /// The key, the role or the project.
    Access,
}

impl Deref for ProjectContext {
    type Target = AppState;
    fn deref(&self) -> &AppState {
        &self.ctx
    }
}

impl FromRequestParts<AppState> for ProjectContext {
    type Rejection = ApiError;

    /// Authenticates once per request; later extractors get the same context.
    async fn from_request_parts(parts: &mut Parts, ctx: &AppState) -> Result<Self, ApiError> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let known = Self::authenticate(parts, ctx).await.map_err(|error| rejection(parts, ctx, error))?;
        parts.extensions.insert(known.clone());
        Ok(known)
    }
}

/// A project that the request may access.
struct Access {
    project: ProjectId,
    principal: Principal,
    is_archived: bool,
}

impl ProjectContext {
    async fn authenticate(parts: &Parts, ctx: &AppState) -> Result<Self, ApiError> {
        let facts = facts(parts);
        let access = match parts.headers.get("x-api-key") {
            Some(key) => by_key(ctx, key.to_str().map_err(|_| ApiError::Unauthorized)?, &facts).await?,
            None => by_session(ctx, parts, &facts).await?,
        };
        let Access { project, principal, is_archived } = access;
        count_project(ctx, project, &facts)?;
        facts.memory.get_or_init(|| (ctx.http().large_bodies.clone(), project));
        let needs = needs(parts)?;
        permit(needs, principal.role(), is_archived)?;
        let idempotency_key = idempotency_key(parts)?.map(|key| principal.scoped(key));
        let host = parts.headers.get(header::HOST).cloned();
        Ok(Self { ctx: ctx.clone(), project, principal, least: needs.role, idempotency_key, facts, host })
    }
}

async fn by_key(ctx: &AppState, key: &str, facts: &RequestFacts) -> Result<Access, ApiError> {
    let lookup = api_key::lookup(key).ok_or(ApiError::Unauthorized)?;
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let pointer = unscoped::look_up(&mut conn, DirectoryKind::ApiKey, lookup).await?.ok_or(ApiError::Unauthorized)?;
    let (project, id): (_, ApiKeyId) = (pointer.project_id, Id::from_uuid(pointer.object_id));
    let now = ctx.now();
    let stored = api_keys::find(&mut conn, project, id).await?;
    let stored = stored.filter(|stored| bool::from(stored.hash.ct_eq(&api_key::hash(key))));
    let stored = stored.filter(|stored| stored.expires_at.is_none_or(|at| at > now)).ok_or(ApiError::Unauthorized)?;
    count(ctx, &ctx.http().rate_limit, id.uuid(), facts)?;
    ctx.http().last_uses.note(Used::Key(project, id), now);
    let principal = Principal::Key { id, role: stored.role, user: stored.user_id };
    Ok(Access { project, principal, is_archived: stored.archived_at.is_some() })
}

/// The cookie says who, `X-Project-Id` in which project. A project without membership is not found.
async fn by_session(ctx: &AppState, parts: &Parts, facts: &RequestFacts) -> Result<Access, ApiError> {
    let secure = ctx.is_secure(parts.headers.get(header::HOST));
    if Cookie::Session.read(&parts.headers, secure).is_none() {
        return Err(ApiError::Unauthorized);
    }
    let project = parts.headers.get("x-project-id").and_then(|id| id.to_str().ok());
    in_project(ctx, parts, facts, project).await
}

async fn in_project(
    ctx: &AppState,
    parts: &Parts,
    facts: &RequestFacts,
    project: Option<&str>,
) -> Result<Access, ApiError> {
    let signed_in = session::signed_in(ctx, parts, facts).await?;
    let missing = || ApiError::NotFound("Project");
    let project: ProjectId = path_id(project.ok_or_else(missing)?, "Project")?;
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    let row = projects::find(&mut conn, project).await?.ok_or_else(missing)?;
    let role = role_of(&mut conn, project, signed_in.user_id, signed_in.is_operator).await?.ok_or_else(missing)?;
    let principal = Principal::Person { user: signed_in.user_id, session: signed_in.id, role };
    Ok(Access { project, principal, is_archived: row.archived_at.is_some() })
}

/// Role of a user in a project. Operators act as owners of every project but the platform's own.
async fn role_of(
    conn: &mut Conn<'_>,
    project: ProjectId,
    user: UserId,
    is_operator: bool,
) -> store::Result<Option<Role>> {
    match is_operator {
        true => Ok(Some(Role::Owner).filter(|_| project != PLATFORM_PROJECT)),
        false => members::role(conn, project, user).await,
    }
}

/// Rights that the request's operation requires. The router adds the table of all operations.
fn needs(parts: &Parts) -> Result<Needs, ApiError> {
    let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let operations = parts.extensions.get::<Arc<Operations>>();
    let needs = operations.and_then(|all| all.find(&parts.method, path));
    needs.ok_or_else(|| ApiError::Internal(format!("{} {path} has no row in api/roles.rs", parts.method)))
}

fn permit(needs: Needs, role: Role, is_archived: bool) -> Result<(), ApiError> {
    if !role.includes(needs.role) {
        let why = format!("this needs the role {}; yours is {role}", needs.role);
        return Err(ApiError::forbidden("forbidden", "Not allowed for this role", why));
    }
    match is_archived && !needs.in_archived {
        true => Err(ApiError::forbidden("project_archived", "Project is archived", "restore it to change it")),
        false => Ok(()),
    }
}

fn idempotency_key(parts: &Parts) -> Result<Option<String>, ApiError> {
    let Some(value) = parts.headers.get("idempotency-key").filter(|_| parts.method == Method::POST) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=LONGEST_KEY).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => {
            let why = format!("must be 1 to {LONGEST_KEY} visible ASCII characters");
            Err(ApiError::invalid("/Idempotency-Key", "invalid_format", why))
        }
    }
}
