//! Load generator of `cargo xtask bench`: starts the real server, acts as Meta and the model, and
//! measures.
//!
//! It shares the processors with the server, so it reports its own CPU time. Nothing fails because
//! the machine is slow.
#![expect(clippy::print_stdout, reason = "a command line tool prints to standard output")]

mod account;
mod api;
mod bombs;
mod contacts;
mod deletion;
mod figures;
mod hooks;
mod ingest;
mod samples;
mod server;
mod setup;
mod turns;
mod webhook;
mod world;
mod writes;

use figures::Figures;
use server::Settings;
use std::{path::PathBuf, time::Duration};

/// Command line arguments.
struct Options {
    name: String,
    settings: Settings,
    seconds: Duration,
    rows: Option<u64>,
    only: api::Only,
    json: Option<PathBuf>,
}

impl Options {
    fn parse() -> Self {
        let mut args = std::env::args().skip(1);
        let name = args.next().expect(
            "usage: load turns|hooks|ingest|api|bombs|deletion --server FILE --data-dir DIR [--database URL] [--seconds N] [--json FILE]; api: [--small-database URL] [--rows N] [--kind KIND] [--clients N]; bombs: [--kind KIND]",
        );
        let (settings, seconds) = (Settings::default(), Duration::from_secs(5));
        let mut options = Self { name, settings, seconds, rows: None, only: api::Only::default(), json: None };
        while let Some(flag) = args.next() {
            let value = args.next().unwrap_or_else(|| panic!("{flag} needs a value"));
            match flag.as_str() {
                "--server" => options.settings.program = value.into(),
                "--data-dir" => options.settings.data_dir = value.into(),
                "--database" => options.settings.database = Some(value),
                "--small-database" => options.settings.small_database = Some(value),
                "--kind" => options.only.kind = Some(value),
                "--clients" => options.only.clients = Some(value.parse().expect("a number of clients")),
                "--seconds" => options.seconds = Duration::from_secs(value.parse().expect("a number of seconds")),
                "--rows" => options.rows = Some(value.parse().expect("a number of rows")),
                "--json" => options.json = Some(value.into()),
                other => panic!("unknown argument {other}"),
            }
        }
        options
    }
}

#[tokio::main]
async fn main() {
    gateways::tls::install();
    let options = Options::parse();
    let mut figures = Figures::default();
    match options.name.as_str() {
        "turns" => turns::run(&options.settings, options.seconds, &mut figures).await,
        "streams" => turns::streams(&options.settings, options.seconds, &mut figures).await,
        "hooks" => hooks::run(&options.settings, options.seconds, &mut figures).await,
        "ingest" => ingest::run(&options.settings, options.seconds, &mut figures).await,
        "api" => {
            let rows = options.rows.unwrap_or(1_000_000);
            api::run(&options.settings, options.seconds, rows, &options.only, &mut figures).await;
        }
        "deletion" => {
            let rows = options.rows.unwrap_or(deletion::MESSAGES);
            deletion::run(&options.settings, options.seconds, rows, &mut figures).await;
        }
        "bombs" => bombs::run(&options.settings, options.seconds, options.only.kind.as_deref(), &mut figures).await,
        other => panic!("unknown load {other}; there are turns, streams, hooks, ingest, api, bombs and deletion"),
    }
    print!("{}", figures.table());
    if let Some(path) = options.json {
        std::fs::write(path, figures.json().to_string()).expect("the figures are written");
    }
}
