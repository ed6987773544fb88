//! The server from outside: real HTTP, the emulator as Meta, a moved clock.

mod bad_input;
mod commits;
mod conversation;
mod handoff;
mod nothing_lost;
mod nothing_stuck;
mod outbox;
mod production;
mod rehearsal;
mod replay;
mod sandbox;
mod tools;
mod webhooks;
