//! Runs the real binary, as people and scripts do.

mod demo;
mod dev;
mod operators;
mod program;
mod usage;
