//! Meta's side of the wire: the Graph API as a client sees it.

mod answer;
mod call;
mod errors;
mod messages;
mod outcome;
mod receipts;
mod serve;
mod text;

pub(crate) use errors::webhook_error;
pub(crate) use serve::serve;
