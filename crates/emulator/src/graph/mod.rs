//! The Graph API: parsing, checks, routing and answers.

mod answer;
mod apps;
mod call;
mod callbacks;
mod content;
mod errors;
mod media;
mod messages;
mod multipart;
mod numbers;
mod oauth;
mod outcome;
mod receipts;
mod removed;
mod route;
mod serve;
mod templates;
mod text;

pub(crate) use errors::{GraphError, webhook_error};
pub(crate) use media::bytes as media_bytes;
pub(crate) use serve::serve;
