//! Anthropic's Messages (https://docs.anthropic.com/en/api/messages).

mod request;
mod response;
mod stream;

pub(super) use request::bytes;
pub(super) use response::read;
pub(super) use stream::Events;
