//! /app/api: sign-in, sessions and one's own account, for the dashboard.
//!
//! They are in a document of their own, `openapi/app.json`. Everything in a project goes through
//! /api/v1 with the session's cookie.

mod cli_logins;
mod feed;
mod invitations;
mod me;
mod password;
mod projects;
mod request;
mod session;
mod sessions;
mod set_up;
mod state;
mod view;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(state::handle))
        .routes(routes!(set_up::handle))
        .routes(routes!(session::sign_in, session::sign_out))
        .routes(routes!(me::get, me::update))
        .routes(routes!(password::handle))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::revoke))
        .routes(routes!(invitations::get, invitations::accept))
        .routes(routes!(projects::handle))
        .routes(routes!(feed::handle))
        .routes(routes!(cli_logins::get, cli_logins::approve))
}
