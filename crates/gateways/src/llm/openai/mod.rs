//! OpenAI's chat completions: also OpenRouter, Ollama, vLLM, LM Studio and most others.
//!
//! Not streamed: a response counts only when it is complete. A body's bytes depend on the request
//! alone, so that a provider's prompt cache and the journal recognise a repeated prefix.

mod client;
mod request;
mod response;

pub use client::{Endpoint, OpenAi};
