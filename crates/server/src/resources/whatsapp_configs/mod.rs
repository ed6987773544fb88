//! /api/v1 routes of WhatsApp configs, the connected numbers.

mod create;
mod delete;
mod get;
mod health;
mod list;
mod register;
mod save;
mod update;
mod view;

pub(super) use delete::{close_in_batches, remove};
pub(super) use health::{HealthPart, Verdict, verdict};
pub(super) use register::{NewWhatsappConfig, WhatsappConfigCreateRequest};
pub(super) use view::WhatsappConfig;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle))
        .routes(routes!(list::of_customer, create::handle))
        .routes(routes!(get::handle, update::handle, delete::handle))
        .routes(routes!(health::handle))
}

crate::found::path_row!(store::whatsapp_configs::WhatsappConfigRow, "WhatsApp config", store::whatsapp_configs::find);
