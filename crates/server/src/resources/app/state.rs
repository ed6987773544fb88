//! `GET /app/api/state`

use crate::{ApiError, AppState, api::Data, auth::session_of, state::Phone};
use axum::{
    extract::State,
    http::{HeaderMap, header},
};
use serde::Serialize;
use store::users;
use utoipa::ToSchema;

/// State of the server, for pages before a sign-in.
#[derive(Serialize, ToSchema)]
pub(super) struct ServerState {
    /// True until a person has a password: `/app/setup` creates the first one.
    setup_needed: bool,
    signed_in: bool,
    version: String,
    model: DefaultModel,
    public_url: Option<String>,
    /// False on plain http of another machine: what is typed can be read on the way.
    secure: bool,
    /// Number of the sandbox, if there is one.
    sandbox: Option<SandboxNumber>,
    /// Place of the emulated phone: `here`, `apart`, or null for none.
    phone: Option<String>,
}

/// Default model of agents.
#[derive(Serialize, ToSchema)]
struct DefaultModel {
    provider: String,
    model: String,
    /// True for the built-in keyword model, which is not an AI.
    is_rehearsal: bool,
}

#[derive(Serialize, ToSchema)]
struct SandboxNumber {
    phone_number: String,
}

/// Read what a page needs before a sign-in
#[utoipa::path(
    get, path = "/state", operation_id = "app_state", tag = "Sign-in", security(()),
    responses((status = 200, description = "The state.", body = Data<ServerState>))
)]
pub(super) async fn handle(State(ctx): State<AppState>, headers: HeaderMap) -> Result<Data<ServerState>, ApiError> {
    let setup_needed = {
        let mut reader = ctx.store.read().await?;
        !users::has_passwords(&mut reader.conn()).await?
    };
    let signed_in = session_of(&ctx, &headers).await?.is_some();
    let choice = ctx.model.describe();
    let is_rehearsal = choice.provider == "Rehearsal";
    let data = ServerState {
        setup_needed,
        signed_in,
        version: env!("CARGO_PKG_VERSION").into(),
        model: DefaultModel { provider: choice.provider, model: choice.model, is_rehearsal },
        public_url: ctx.http().public_url().map(str::to_owned),
        secure: ctx.is_secure(headers.get(header::HOST)),
        sandbox: ctx.sandbox.as_ref().map(|sandbox| SandboxNumber { phone_number: sandbox.phone_number.clone() }),
        phone: match ctx.http().phone() {
            Phone::None => None,
            Phone::Apart => Some("apart".into()),
            Phone::Here(_) => Some("here".into()),
        },
    };
    Ok(Data { data })
}
