//! The server from outside: real HTTP, the emulator as Meta, a moved clock.

mod bad_input;
mod commits;
mod conversation;
mod handoff;
mod outbox;
mod production;
mod rehearsal;
mod replay;
mod review_lost;
mod review_stuck;
mod sandbox;
mod tools;
mod webhooks;
