//! /api/v1 routes of conversations.

mod get;
mod list;
mod update;
mod view;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use view::ConversationStatus;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle)).routes(routes!(get::handle, update::handle))
}

crate::found::path_row!(store::conversations::ConversationRow, "Conversation", store::conversations::find);
