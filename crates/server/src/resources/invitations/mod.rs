//! /api/v1 routes of invitations.

mod create;
mod delete;
mod list;
mod view;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle, create::handle)).routes(routes!(delete::handle))
}

crate::found::path_row!(store::invitations::InvitationRow, "Invitation", store::invitations::find);
