//! Whole conversations in three languages, hand-made requests, and requests of any shape.

mod any_request;
mod built_requests;
mod chat;
mod clinic;
mod shop;
mod texts;
