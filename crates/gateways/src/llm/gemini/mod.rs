//! Gemini's generateContent (https://ai.google.dev/api/generate-content).

mod request;
mod response;
mod stream;

pub(super) use request::bytes;
pub(super) use response::read;
pub(super) use stream::Responses;
