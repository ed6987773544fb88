//! OpenAI's chat completions: also OpenRouter, Ollama, vLLM, LM Studio and most others.
//!
//! Not streamed: an answer counts only when it is complete. The request's bytes depend on the question alone, so that a
//! provider's prompt cache and our journal recognise a repeated prefix.

mod answer;
mod client;
mod question;

pub use client::{Endpoint, OpenAi};
