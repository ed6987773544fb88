//! /api/v1 routes of messages.

mod card;
mod create;
mod data;
mod delete;
mod find;
mod list;
mod mark_as_read;
mod outgoing;
mod read_message;
mod send;
mod standalone;
mod template;
mod template_lookup;
mod view;
mod words;

use crate::AppState;
use find::find;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use view::WhatsappMessage;
pub(crate) use words::MessageType;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle, create::handle))
        .routes(routes!(standalone::handle))
        .routes(routes!(delete::handle))
        .routes(routes!(mark_as_read::handle))
}
