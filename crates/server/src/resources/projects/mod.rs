//! /api/v1 routes of projects. A key sees only its own.

mod agent_messages;
mod delete;
mod get;
mod list;
mod name;
mod update;
mod view;

pub(crate) use agent_messages::of_new_project as new_agent_messages;
pub(crate) use name::refuse_taken;
pub(crate) use view::{Project, ProjectDetails};

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle)).routes(routes!(get::handle, update::handle, delete::handle))
}
