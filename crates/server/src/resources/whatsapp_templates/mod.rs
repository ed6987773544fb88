//! /api/v1 routes of message templates: drafts, changes at Meta, syncs and sends.

mod accounts;
mod create;
mod delete;
mod edit;
mod get;
mod list;
mod meta;
mod send;
mod submit;
mod sync;
mod sync_status;
mod update;
mod view;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle, create::handle))
        .routes(routes!(sync::handle))
        .routes(routes!(sync_status::handle))
        .routes(routes!(get::handle, update::handle, delete::handle))
        .routes(routes!(send::handle))
        .routes(routes!(submit::handle))
        .routes(routes!(edit::handle))
}

crate::found::path_row!(store::whatsapp_templates::WhatsappTemplateRow, "Template", store::whatsapp_templates::find);
