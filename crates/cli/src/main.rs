//! The binary `chasqui`: the server, the tools around it, and everything one needs to try it on one machine.
//!
//! Commands read flags and settings, call the other crates and print. They hold no logic that the server needs too.

mod args;
mod client;
mod commands;
mod example;
mod output;
mod settings;
mod stage;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    gateways::tls::install();
    // A usage error ends here with 2.
    let args = args::Args::parse();
    let ran = tokio::runtime::Builder::new_multi_thread().worker_threads(threads()).enable_all().build();
    match ran.map_err(Into::into).and_then(|runtime| runtime.block_on(commands::run(args.command))) {
        Ok(code) => code,
        Err(error) => {
            output::failure(&error);
            ExitCode::FAILURE
        }
    }
}

/// SQLite's writer is a thread of its own that each statement goes to and comes back from. One processor is left to it:
/// with as many threads as processors these trips cost half of the throughput (docs/benchmarks.md).
fn threads() -> usize {
    let given = settings::variable("TOKIO_WORKER_THREADS").and_then(|text| text.parse().ok());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    given.unwrap_or(processors - 1).max(1)
}
