//! /api/v1 routes of the log of outgoing webhooks, and of replays.

mod get;
mod list;
mod replay;
mod replay_failed;
mod view;

pub(super) use view::WebhookDelivery;

use crate::{AppState, found::path_row};
use store::hook_deliveries::{self, HookDeliveryRow};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle))
        .routes(routes!(replay_failed::handle))
        .routes(routes!(get::handle))
        .routes(routes!(replay::handle))
}

path_row!(HookDeliveryRow, "Webhook delivery", hook_deliveries::find);
