//! /api/v1 routes of executions.

pub(crate) mod create;
pub(crate) mod get;
mod input;
pub(crate) mod list;
pub(crate) mod resume;
mod view;
