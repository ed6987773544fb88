//! OpenAI's chat completions: also Azure, OpenRouter, Mistral, DeepSeek, Groq, Ollama, vLLM, LM
//! Studio and most others.
//!
//! A response counts only when it is complete. A body's bytes depend on the request
//! and what was adapted alone, so that a provider's prompt cache and the journal recognise a
//! repeated prefix.

mod client;
mod finish;
mod opaque;
mod parts;
mod request;
mod response;
mod stream;

pub use client::{Endpoint, OpenAi};
pub(super) use opaque::NO_SIGNATURE;
pub(super) use request::{bytes, longest};
#[cfg(test)]
pub(super) use response::read as read_answer;
pub(super) use response::{error_text, text_of_error};
#[cfg(test)]
pub(super) use stream::Chunks;
