//! /api/v1 routes of all webhook endpoints of a project: its own, those of its numbers, and the
//! destination URLs of its configs.

mod create;
mod delete;
mod destination;
pub(super) mod fields;
mod get;
mod list;
mod resume;
mod rotate_secret;
mod test;
mod update;
mod view;

use crate::{AppState, found::path_row};
use store::hook_endpoints::{self, HookEndpointRow};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(in crate::resources) use destination::{follow_destination, remove};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle, create::handle))
        .routes(routes!(get::handle, update::handle, delete::handle))
        .routes(routes!(resume::handle))
        .routes(routes!(rotate_secret::handle))
        .routes(routes!(test::handle))
}

path_row!(HookEndpointRow, "Webhook endpoint", hook_endpoints::find);
