//! New sessions, their validity and their cookies.

use crate::{
    AppState,
    api::{client_address::ClientAddress, cookie::Cookie, last_uses::Used},
};
use axum::{
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use domain::{
    Id, Span, cli_login,
    ids::{SessionId, UserId},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;
use store::{
    Tx,
    sessions::{self, NewSession, SignedIn},
};
use subtle::ConstantTimeEq as _;

/// Platform setting: the token that creates the first operator.
pub(crate) const SETUP_TOKEN: &str = "setup_token";

/// An invitation is valid for this time.
pub(crate) const INVITATION_LIFETIME: Span = Span::from_hours(7 * 24);
/// A link to choose a new password is valid for this time.
pub(crate) const RESET_LIFETIME: Span = Span::from_hours(24);
/// A session ends after this time without a request.
pub(crate) const IDLE: Span = Span::from_hours(12);
/// A session ends after this time.
const LIFETIME: Span = Span::from_hours(30 * 24);
/// A browser is known for this time after a sign-in.
const DEVICE_LIFETIME: Span = Span::from_hours(180 * 24);
/// Sessions of a user; one more ends the oldest.
const MOST: i64 = 100;

/// Stored hash of a secret of a cookie or a link, which has 256 random bits.
pub(crate) fn token_hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// True for a session that has not expired and was used within [`IDLE`].
pub(super) fn is_valid(ctx: &AppState, session: &SignedIn) -> bool {
    let now = ctx.now();
    let noted = ctx.http().last_uses.of(Used::Session(session.id));
    let last = noted.map_or(session.last_used_at, |noted| noted.max(session.last_used_at));
    now < session.expires_at && now < last + IDLE
}

/// A session to be stored, and the cookies for it.
pub(crate) struct NewCookie {
    id: SessionId,
    secret: String,
    address: String,
    user_agent: String,
    secure: bool,
}

impl NewCookie {
    /// Makes the secret for the browser that sent these headers.
    pub(crate) fn new(ctx: &AppState, parts: &Parts) -> Self {
        let mut random = [0; 32];
        ctx.fill_random(&mut random);
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|text| text.to_str().ok());
        Self {
            id: ctx.new_id(),
            secret: hex(&random),
            address: address(parts).map(|address| address.to_string()).unwrap_or_default(),
            user_agent: cli_login::description(user_agent.unwrap_or_default()),
            secure: ctx.is_secure(parts.headers.get(header::HOST)),
        }
    }

    /// Stores the session.
    pub(crate) async fn start(&self, ctx: &AppState, tx: &mut Tx<'_>, user: UserId) -> store::Result<()> {
        let (now, hash) = (ctx.now(), token_hash(&self.secret));
        let new = NewSession {
            id: self.id,
            hash: &hash,
            user,
            expires_at: now + LIFETIME,
            address: &self.address,
            user_agent: &self.user_agent,
        };
        sessions::insert(tx, new, MOST, now).await
    }

    /// Adds the cookies to an answer.
    pub(crate) fn on(&self, ctx: &AppState, user: UserId, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        let device = format!("{}.{}", user.uuid().simple(), device_mark(ctx, user));
        let cookies = [
            Cookie::Session.set(&self.secret, self.secure, seconds(LIFETIME)),
            Cookie::Device.set(&device, self.secure, seconds(DEVICE_LIFETIME)),
        ];
        cookies.into_iter().flatten().for_each(|cookie| {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        });
        response
    }
}

/// Deletes the session's cookie. The browser stays known.
pub(crate) fn forget(ctx: &AppState, host: Option<&HeaderValue>, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if let Some(cookie) = Cookie::Session.set("", ctx.is_secure(host), 0) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The user who has signed in with this browser before.
pub(crate) fn known_user(ctx: &AppState, headers: &HeaderMap) -> Option<UserId> {
    let value = Cookie::Device.read(headers, ctx.is_secure(headers.get(header::HOST)))?;
    let (user, mark) = value.split_once('.')?;
    let user: UserId = Id::from_uuid(uuid::Uuid::try_parse(user).ok()?);
    bool::from(mark.as_bytes().ct_eq(device_mark(ctx, user).as_bytes())).then_some(user)
}

/// Proof that this server set a device cookie.
fn device_mark(ctx: &AppState, user: UserId) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&ctx.tracking_key) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(b"device:");
    mac.update(user.uuid().as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// Address of the client, if known.
pub(crate) fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get().map(|ClientAddress(address)| *address)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A random token of a link, and its stored hash.
pub(crate) fn new_token(ctx: &AppState) -> (String, [u8; 32]) {
    let mut random = [0; 32];
    ctx.fill_random(&mut random);
    let token = hex(&random);
    let hash = token_hash(&token);
    (token, hash)
}

const fn seconds(span: Span) -> i64 {
    span.micros() / 1_000_000
}
