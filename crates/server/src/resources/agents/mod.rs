//! /api/v1 routes of agents.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod graph;
pub(crate) mod list;
pub(crate) mod update;
mod view;

pub(crate) use view::summary;
mod save;
