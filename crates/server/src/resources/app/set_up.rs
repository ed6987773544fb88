//! `POST /app/api/setup`

use super::{
    request::{hashed, own_request, throttled},
    view::Me,
};
use crate::{
    ApiError, AppState,
    api::{
        Data, RequestBody,
        body::{self, UNKNOWN_SENDER_LIMIT},
        values::email_address,
    },
    auth::{NewCookie, SETUP_TOKEN},
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use serde::Deserialize;
use store::{platform_settings, transact, users};
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub(super) struct SetUp {
    /// Setup token, from the log or `chasqui doctor`.
    #[schema(min_length = 1, max_length = 200)]
    token: String,
    #[schema(min_length = 1, max_length = 120, pattern = r"\S")]
    name: String,
    #[schema(min_length = 3, max_length = 254, pattern = r"^\s*[^@\s]+@[^@\s]+\s*$")]
    email: String,
    #[schema(min_length = 10, max_length = 200)]
    password: String,
}

impl RequestBody for SetUp {
    const LIMIT: usize = UNKNOWN_SENDER_LIMIT;
}

/// Create the first operator, once
///
/// 404 as soon as a person with a password exists.
#[utoipa::path(
    post, path = "/setup", operation_id = "app_set_up", tag = "Sign-in", security(()), request_body = SetUp,
    responses(
        (status = 200, description = "The person; the cookie holds the session.", body = Data<Me>),
        (status = 401, description = "`wrong_credentials`: the token is wrong"),
        (status = 404, description = "`not_found`: a person with a password exists"),
    )
)]
pub(super) async fn handle(State(ctx): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let done = || ApiError::NotFound("Setup");
    let (parts, request) = own_request(&ctx, request)?;
    let token = {
        let mut reader = ctx.store.read().await?;
        let mut conn = reader.conn();
        if users::has_passwords(&mut conn).await? {
            return Err(done());
        }
        platform_settings::find(&mut conn, SETUP_TOKEN).await?
    };
    let asked = body::read::<SetUp>(request).await?;
    let email =
        email_address(&asked.email).ok_or_else(|| ApiError::invalid("/email", "invalid_format", "is invalid"))?;
    let is_right = token.is_some_and(|token| bool::from(token.ct_eq(asked.token.trim().as_bytes())));
    let check = async { if is_right { Ok(()) } else { Err(ApiError::WrongCredentials) } };
    throttled(&ctx, &parts, "setup", None, check).await?;
    let password = hashed(&ctx, asked.password).await?;
    let (cookie, new_id, now) = (NewCookie::new(&ctx, &parts), ctx.new_id(), ctx.now());
    let user = transact!(ctx.store, "app.set_up", ApiError, tx => {
        // One request gets it, whatever comes at the same time.
        platform_settings::take(tx, SETUP_TOKEN).await?.ok_or_else(done)?;
        let user = users::ensure(tx, new_id, &email, true, now).await?.id;
        let mut person = users::person(tx, user).await?.ok_or_else(done)?;
        person.name = asked.name.trim().to_owned();
        users::set_profile(tx, &person).await?;
        users::set_password(tx, user, &password).await?;
        cookie.start(&ctx, tx, user).await?;
        Ok(user)
    })?;
    Ok(cookie.on(&ctx, user, Data { data: Me::of(&ctx, user).await? }))
}
