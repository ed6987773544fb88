//! /api/v1 routes of executions.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod resume;
mod view;
mod input;
