//! /api/v1 routes of agents.

mod create;
mod delete;
mod get;
mod graph;
mod graph_schema;
mod list;
mod save;
mod settings;
mod update;
mod view;

pub(crate) use graph_schema::{AgentGraph, AgentGraphInput};
pub(crate) use save::pin;
pub(crate) use view::{Agent, shown, stored};

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle, create::handle))
        .routes(routes!(get::handle, update::handle, delete::handle))
        .routes(routes!(graph::handle))
}

crate::found::path_row!(store::agents::AgentRow, "Agent", store::agents::find);

crate::found::path_row!(store::agents::AgentSummaryRow, "Agent", store::agents::summary);
