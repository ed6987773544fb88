//! The binary `chasqui`: the server, the tools around it, and everything one needs to try it on one machine.
//!
//! Commands read flags and settings, call the other crates and print. They hold no logic that the server needs too.

mod args;
mod client;
mod commands;
mod example;
mod output;
mod settings;
mod stack;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    gateways::tls::install();
    // A usage error ends here with 2.
    let args = args::Args::parse();
    match commands::run(args.command).await {
        Ok(code) => code,
        Err(error) => {
            output::failure(&error);
            ExitCode::FAILURE
        }
    }
}
