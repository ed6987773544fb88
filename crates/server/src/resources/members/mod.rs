//! /api/v1 routes of members.

mod list;
mod remove;
mod rules;
mod update;
mod view;

pub(crate) use rules::{keep_an_owner, report};

use crate::AppState;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::handle)).routes(routes!(update::handle, remove::handle))
}

crate::found::path_row!(store::members::MemberRow, "Member", store::members::find);
