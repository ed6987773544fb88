//! The project's own commands, run as `cargo xtask <command>`.
//!
//! Everything a developer or a build machine does with this repository is one of them, so that both do the same.
//! Only std, anyhow and two parsers: this crate is compiled before anything else can start.
#![expect(clippy::print_stdout, reason = "a command line tool talks on standard output")]

mod bench;
mod bench_engine;
mod boundaries;
mod cluster;
mod dependencies;
mod dev;
mod fuzz;
mod install;
mod openapi;
mod planted;
mod postgres;
mod process;
mod simulate;
mod sources;
mod stage;
mod test;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask <command>

  dev [args…]               build the release binary and run `chasqui dev args…`
  test [--install] [--full] run every check, in order; the first failure stops
      --install             install PostgreSQL with apt-get, and schemathesis with pip, if they are missing (as with CI=true)
      --full                before a release: longer runs of what is random, every planted mistake, the release build
  bench turns|ingest|api    measure the release binary; figures also go to target/bench
      --seconds N           per measurement (5)
      --database sqlite|postgres
      --rows N              of the larger project of `api` (1,000,000)
  bench engine              measure a step of the engine by sizes of graph and history
  fuzz                      make up requests from the OpenAPI document and check the answers, with schemathesis
      --seconds N           for so long (90)
      --seed N              repeat a run
      --install             install schemathesis below target if it is missing (as with CI=true)
  simulate                  run the deterministic simulator over fresh seeds, 200,000 messages
      --seed N              run this seed alone and print its history if it fails
      --messages N          --seconds N, --threads N: stop after so many
      --planted             prove that it finds the mistakes in crates/testkit/planted
  planted [NAME]            prove that tests find the mistakes in crates/*/planted, or those of a crate
  postgres                  run a throwaway PostgreSQL for single tests, until Ctrl-C
  openapi                   write openapi/v1.json anew, from the handlers
      --examples            record its examples anew from real calls first
  help                      print this

  TEST_DATABASE_URL=postgres://user@host:port/postgres makes `test` use that server instead of a throwaway one.";

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
        "test" => test::run(rest),
        "bench" => bench::run(rest),
        "fuzz" => fuzz::run(rest),
        "simulate" => simulate::run(rest),
        "planted" => planted::run(rest),
        "postgres" => postgres::run(rest),
        "openapi" => openapi::run(rest),
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => bail!("unknown command `{unknown}`\n\n{USAGE}"),
    }
}
