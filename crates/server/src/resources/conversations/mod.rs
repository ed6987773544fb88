//! /api/v1 routes of conversations.

pub(crate) mod get;
pub(crate) mod list;
mod view;
