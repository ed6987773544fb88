//! Tests of the engine through its public API: inputs and outcomes in, effects and history out.
//! Scenario numbers are those of docs/spec/engine.md 9.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod agents;
mod amplification;
mod answers;
mod chance;
mod check;
mod contact;
mod contents;
mod delivery;
mod graphs;
mod hostile;
mod hostile_model;
mod injection;
mod interruptions;
mod knowledge;
mod limits;
mod mcp;
mod memory;
mod model_failures;
mod odd_answers;
mod phone_text;
mod pictures;
mod play;
mod prompts;
mod repeated_calls;
mod routing;
mod rules;
mod samples;
mod schedule;
mod script;
mod silence;
mod status_table;
mod statuses;
mod takeovers;
mod talking;
mod trials;
mod version_1;
mod waits;
mod webhooks;
mod world;
