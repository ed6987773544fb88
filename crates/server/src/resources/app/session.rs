//! `POST` and `DELETE /app/api/session`

use super::{
    request::{check_password, own_request, throttled},
    view::Me,
};
use crate::{
    ApiError, AppState,
    api::{
        Data, Problems, RequestBody,
        body::{self, UNKNOWN_SENDER_LIMIT},
        values::email_address,
    },
    auth::{NewCookie, SessionContext, forget, token_hash},
};
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::Value;
use store::{sessions, transact, users};
use utoipa::ToSchema;

/// E-mail address of the user of the one-time link of `dev`.
const DEV_USER: &str = "operator@localhost";

/// Either e-mail and password, or the entry of a one-time link.
#[derive(Deserialize, ToSchema)]
pub(super) struct SignIn {
    #[schema(max_length = 254)]
    email: Option<String>,
    #[schema(max_length = 200)]
    password: Option<String>,
    /// From the link that `dev` prints.
    #[schema(max_length = 200)]
    entry: Option<String>,
}

impl RequestBody for SignIn {
    const LIMIT: usize = UNKNOWN_SENDER_LIMIT;

    fn check(body: &Value, problems: &mut Problems) {
        for field in ["email", "password"] {
            if !body["entry"].is_string() && body[field].as_str().is_none_or(str::is_empty) {
                problems.add(format!("/{field}"), "blank", "can't be blank");
            }
        }
    }
}

/// Sign in
///
/// Failed attempts are limited by account and address. A browser in which the person has signed in
/// before has a limit of its own.
#[utoipa::path(
    post, path = "/session", operation_id = "app_sign_in", tag = "Sign-in", security(()), request_body = Option<SignIn>,
    responses(
        (status = 200, description = "The person; the cookie holds the session.", body = Data<Me>),
        (status = 401, description = "`wrong_credentials`: wrong e-mail address, password or entry"),
        (status = 422, description = "Details: `blank`"),
    )
)]
pub(super) async fn sign_in(State(ctx): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let (parts, request) = own_request(&ctx, request)?;
    let asked = body::read::<SignIn>(request).await?;
    let email = match &asked.entry {
        Some(entry) => {
            let is_right = async { ctx.take_entry(&token_hash(entry)).then_some(()).ok_or(ApiError::WrongCredentials) };
            throttled(&ctx, &parts, "entry", None, is_right).await?;
            DEV_USER.to_owned()
        }
        None => {
            let email = email_address(&asked.email.unwrap_or_default()).unwrap_or_default();
            let person = {
                let mut reader = ctx.store.read().await?;
                users::person_of(&mut reader.conn(), &email).await?
            };
            let check = check_password(person.as_ref(), asked.password.unwrap_or_default());
            throttled(&ctx, &parts, &email, person.as_ref(), check).await?;
            email
        }
    };
    let (cookie, new_id, now, is_entry) =
        (NewCookie::new(&ctx, &parts), ctx.new_id(), ctx.now(), asked.entry.is_some());
    let user = transact!(ctx.store, "app.sign_in", tx => {
        let user = users::ensure(tx, new_id, &email, is_entry, now).await?.id;
        cookie.start(&ctx, tx, user).await?;
        store::Result::Ok(user)
    })?;
    Ok(cookie.on(&ctx, user, Data { data: Me::of(&ctx, user).await? }))
}

/// Sign out
#[utoipa::path(
    delete, path = "/session", operation_id = "app_sign_out", tag = "Sign-in", security(("Session" = [])),
    responses((status = 204, description = "The session has ended."))
)]
pub(super) async fn sign_out(ctx: SessionContext) -> Result<Response, ApiError> {
    let (user, session) = (ctx.user, ctx.session);
    transact!(ctx.store, "app.sign_out", tx => sessions::revoke(tx, user, session).await)?;
    Ok(forget(&ctx, ctx.host.as_ref(), StatusCode::NO_CONTENT))
}
