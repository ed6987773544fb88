//! /api/v1 routes of messages.

pub(crate) mod create;
pub(crate) mod list;
mod view;
