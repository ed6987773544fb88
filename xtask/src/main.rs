//! The project's own commands, run as `cargo xtask <command>`.
//!
//! Developers and build machines use the same commands. The dependencies are few, because this
//! crate is compiled before anything else can start.
#![expect(clippy::print_stdout, reason = "a command line tool writes to standard output")]

mod advisories;
mod bench;
mod bench_engine;
mod boundaries;
mod cluster;
mod cost;
mod dev;
mod dev_server;
mod documents;
mod files;
mod fuzz;
mod imports;
mod install;
mod models;
mod nextest;
mod openapi;
mod planted;
mod postgres;
mod process;
mod signatures;
mod simulate;
mod sources;
mod stage;
mod test;
mod usage;
mod watchdog;
mod web;
mod wheel;
mod words;

use std::process::ExitCode;

use anyhow::{Result, bail};

use usage::USAGE;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    run(&args).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(args: &[String]) -> Result<ExitCode> {
    let Some((command, rest)) = args.split_first() else { bail!("no command given\n\n{USAGE}") };
    match command.as_str() {
        "dev" => dev::run(rest),
        "check" => test::check(rest),
        "test" => test::run(rest),
        "bench" => bench::run(rest),
        "cost" => cost::run(rest),
        "fuzz" => fuzz::run(rest),
        "imports" => imports::run(rest),
        "simulate" => simulate::run(rest),
        "planted" => planted::run(rest),
        "postgres" => postgres::run(rest),
        "openapi" => openapi::run(rest),
        "web" => web::run(rest),
        "screenshots" => web::screenshots(rest),
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => bail!("unknown command `{unknown}`\n\n{USAGE}"),
    }
}
