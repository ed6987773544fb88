//! `GET` and `POST /app/api/invitations/{token}`: the page of a link from an invitation or from
//! `chasqui users reset`.

use super::{
    request::{check_password, hashed, own_request, throttled},
    view::Me,
};
use crate::{
    ApiError, AppState,
    api::{
        Data, RequestBody,
        body::{self, UNKNOWN_SENDER_LIMIT},
        roles::RoleName,
    },
    auth::{NewCookie, token_hash},
    resources::members::{keep_an_owner, report},
};
use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use domain::{Id, ids::UserId};
use serde::{Deserialize, Serialize};
use store::{
    Tx,
    audit::{self, AuditRow},
    invitations::{self, InvitationRow},
    members, projects, sessions, transact, unscoped,
    users::{self, PersonRow},
};
use utoipa::ToSchema;
use uuid::Uuid;

/// An open invitation. Without a project it is a link to choose a new password.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenInvitation {
    email: String,
    /// Name of the project.
    project: Option<String>,
    #[schema(value_type = Option<RoleName>)]
    role: Option<&'static str>,
    /// True if the person has a password, which is then asked for; else a new one is chosen.
    has_password: bool,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct Acceptance {
    /// Ignored for a person who has a name.
    #[schema(max_length = 120)]
    name: Option<String>,
    #[schema(min_length = 10, max_length = 200)]
    password: String,
}

impl RequestBody for Acceptance {
    const LIMIT: usize = UNKNOWN_SENDER_LIMIT;
}

/// Target of a link.
enum Link {
    Invitation(InvitationRow),
    Reset(UserId),
}

/// Link, project name and person of a token; 404 if it is unknown, used or expired.
async fn find(ctx: &AppState, token: &str) -> Result<(Link, Option<String>, Option<PersonRow>), ApiError> {
    let missing = || ApiError::NotFound("Invitation");
    let (hash, now) = (token_hash(token), ctx.now());
    let mut reader = ctx.store.read().await?;
    let mut conn = reader.conn();
    if let Some(row) = unscoped::invitation(&mut conn, &hash, now).await? {
        let project = projects::find(&mut conn, row.project_id).await?.ok_or_else(missing)?;
        let person = users::person_of(&mut conn, &row.email).await?;
        return Ok((Link::Invitation(row), Some(project.name), person));
    }
    let user = sessions::reset(&mut conn, &hash, now).await?.ok_or_else(missing)?;
    Ok((Link::Reset(user), None, users::person(&mut conn, user).await?))
}

/// Read an invitation
#[utoipa::path(
    get, path = "/invitations/{token}", operation_id = "app_invitation", tag = "Sign-in", security(()),
    params(("token", description = "Token of the link.")),
    responses((status = 200, description = "The invitation.", body = Data<OpenInvitation>))
)]
pub(super) async fn get(
    State(ctx): State<AppState>,
    Path(token): Path<String>,
) -> Result<Data<OpenInvitation>, ApiError> {
    let (link, project, person) = find(&ctx, &token).await?;
    let has_password = person.as_ref().is_some_and(|person| person.password.is_some());
    let data = match link {
        Link::Invitation(row) => {
            OpenInvitation { email: row.email, project, role: Some(row.role.as_str()), has_password }
        }
        Link::Reset(_) => {
            let email = person.map(|person| person.email).unwrap_or_default();
            OpenInvitation { email, project: None, role: None, has_password: false }
        }
    };
    Ok(Data { data })
}

/// Accept an invitation
///
/// A new person chooses name and password; a person with a password enters it.
#[utoipa::path(
    post, path = "/invitations/{token}", operation_id = "app_accept_invitation", tag = "Sign-in", security(()),
    params(("token", description = "Token of the link.")), request_body = Acceptance,
    responses(
        (status = 200, description = "The person; the cookie holds the session.", body = Data<Me>),
        (status = 401, description = "`wrong_credentials`: the password is wrong"),
        (status = 403, description = "`account_exists`: the account has rights elsewhere and no password; an operator resets it"),
        (status = 409, description = "`last_owner`: the person is the project's only owner, and the role is another one"),
    )
)]
pub(super) async fn accept(
    State(ctx): State<AppState>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, request) = own_request(&ctx, request)?;
    let (link, _, person) = find(&ctx, &token).await?;
    let asked = body::read::<Acceptance>(request).await?;
    let has_password = person.as_ref().is_some_and(|person| person.password.is_some());
    let new_password = if has_password && matches!(link, Link::Invitation(_)) {
        let email = person.as_ref().map(|person| person.email.clone()).unwrap_or_default();
        let check = check_password(person.as_ref(), asked.password);
        throttled(&ctx, &parts, &email, person.as_ref(), check).await?;
        None
    } else {
        Some(hashed(&ctx, asked.password).await?)
    };
    let name = asked.name.unwrap_or_default();
    let cookie = NewCookie::new(&ctx, &parts);
    let (new_id, audit_id): (UserId, Uuid) = (ctx.new_id(), ctx.new_uuid());
    let request_id = super::request::request_id(&parts);
    let user = transact!(ctx.store, "app.accept_invitation", ApiError, tx => {
        let user = match &link {
            Link::Invitation(row) => join(&ctx, tx, row, (new_id, audit_id, &request_id), new_password.is_some()).await?,
            Link::Reset(user) => {
                // Of two requests with the link, one deletes it.
                let still = sessions::reset(tx, &token_hash(&token), ctx.now()).await?;
                still.ok_or(ApiError::NotFound("Invitation"))?;
                sessions::forget_resets(tx, *user, ctx.now()).await?;
                sessions::revoke_others(tx, *user, Id::from_uuid(Uuid::nil())).await?;
                *user
            }
        };
        if let Some(password) = &new_password {
            users::set_password(tx, user, password).await?;
        }
        if let Some(mut person) = users::person(tx, user).await?.filter(|person| person.name.is_empty()) {
            person.name = name.trim().to_owned();
            users::set_profile(tx, &person).await?;
        }
        cookie.start(&ctx, tx, user).await?;
        Ok(user)
    })?;
    Ok(cookie.on(&ctx, user, Data { data: Me::of(&ctx, user).await? }))
}

/// Makes the invited person a member. An invitation of an owner must not open an account that has
/// rights elsewhere: the owner has the link, too.
async fn join(
    ctx: &AppState,
    tx: &mut Tx<'_>,
    row: &InvitationRow,
    (new_id, audit_id, request_id): (UserId, Uuid, &str),
    chooses_password: bool,
) -> Result<UserId, ApiError> {
    let (project, now) = (row.project_id, ctx.now());
    if !invitations::delete(tx, project, row.id).await? {
        return Err(ApiError::NotFound("Invitation"));
    }
    let user = users::ensure(tx, new_id, &row.email, false, now).await?.id;
    if chooses_password {
        let person = users::person(tx, user).await?;
        let is_open = person.is_some_and(|person| person.password.is_none());
        if !is_open || !(row.by_operator || users::is_fresh(tx, user, project).await?) {
            let why = "this account has rights elsewhere; an operator resets its password with: chasqui users reset";
            return Err(ApiError::forbidden("account_exists", "Account exists already", why));
        }
    }
    keep_an_owner(tx, project, user, Some(row.role)).await?;
    members::set(tx, project, user, row.role, now).await?;
    report(ctx, tx, project, user, &[]).await?;
    let row = AuditRow {
        id: audit_id,
        at: now,
        actor: format!("user:{user}"),
        action: "invitation.accept".into(),
        target: row.id.to_string(),
        request_id: request_id.to_owned(),
    };
    audit::append(tx, project, &row).await?;
    Ok(user)
}
