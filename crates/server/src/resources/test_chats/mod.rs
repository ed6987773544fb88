//! /api/v1 routes of test chats.

mod create;
mod get;
mod resume;
mod view;

pub(crate) use view::ChatMessage;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::with_agent))
        .routes(routes!(create::with_snapshot))
        .routes(routes!(get::handle))
        .routes(routes!(resume::handle))
}

crate::found::path_row!(store::test_chats::TestChatRow, "Test chat", store::test_chats::find);
