//! /api/v1 routes of agent snapshots.

mod create;
mod get;
mod list;
mod view;

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle, create::handle)).routes(routes!(get::handle))
}

crate::found::path_row!(store::agents::SnapshotRow, "Agent snapshot", store::agents::find_snapshot);
