//! /api/v1 routes of the project's model providers.

mod check;
mod create;
mod delete;
mod fields;
mod get;
mod list;
mod update;
mod view;

use crate::{AppState, found::path_row};
use store::model_providers::{self, ModelProviderRow};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(in crate::resources) use check::ModelProviderProblem;
pub(in crate::resources) use fields::MOST;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::handle, create::handle))
        .routes(routes!(get::handle, update::handle, delete::handle))
        .routes(routes!(check::handle))
}

path_row!(ModelProviderRow, "Model provider", model_providers::find);
