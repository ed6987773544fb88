//! OpenAI's chat completions: also OpenRouter, Ollama, vLLM, LM Studio and most others.
//!
//! Not streamed: an answer counts only when it is complete. The request's bytes depend on the question alone, so that a
//! provider's prompt cache and our journal recognise a repeated prefix.

mod client;
mod request;
mod response;

pub use client::{Endpoint, OpenAi};
