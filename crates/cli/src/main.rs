//! The binary `chasqui`: server, operator commands, and a complete local setup for trying it.
//!
//! Commands read flags and settings, call the other crates and print. They contain no logic that
//! the server needs.

mod access_args;
mod args;
mod client;
mod commands;
mod example;
mod exposure;
mod output;
mod settings;
mod stack;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    gateways::tls::install();
    // A usage error exits here with code 2.
    let args = args::Args::parse();
    match commands::run(args.command).await {
        Ok(code) => code,
        Err(error) => {
            output::failure(&error);
            ExitCode::FAILURE
        }
    }
}
