//! Command line of the simulator, run by `cargo xtask simulate`.
#![expect(clippy::print_stdout, reason = "a command line tool prints to standard output")]

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use testkit::simulator::{Template, Totals, run};

/// Failed runs after which no more are started.
const MAX_FAILURES: usize = 3;
/// Printed lines of a failed run's history.
const TAIL: usize = 400;

struct Options {
    seed: Option<u64>,
    messages: u64,
    seconds: Duration,
    threads: usize,
}

impl Options {
    fn parse() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut options = Self { seed: None, messages: 200_000, seconds: Duration::from_secs(3_600), threads };
        let mut args = std::env::args().skip(1);
        while let Some(flag) = args.next() {
            let value = args.next().unwrap_or_else(|| panic!("{flag} needs a value"));
            let number = value.parse::<u64>().unwrap_or_else(|_| panic!("{flag} is a whole number"));
            match flag.as_str() {
                "--seed" => options.seed = Some(number),
                "--messages" => options.messages = number,
                "--seconds" => options.seconds = Duration::from_secs(number),
                "--threads" => options.threads = number as usize,
                _ => panic!("unknown argument {flag}; known are --seed, --messages, --seconds, --threads"),
            }
        }
        options
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let template = Arc::new(runtime().block_on(Template::new()));
    if let Some(seed) = options.seed {
        let began = Instant::now();
        let mut totals = Totals::default();
        let outcome = runtime().block_on(run(&template, seed));
        println!("seed {seed}, fingerprint {}", outcome.fingerprint);
        totals.add(outcome);
        return report(&totals, began.elapsed());
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // In steps of a thousand, so that two invocations do not share seeds.
    let first = (since.as_nanos() as u64) / 1_000 * 1_000;
    println!("first seed {first}");
    let (next, messages) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let began = Instant::now();
    let threads: Vec<_> = (0..options.threads)
        .map(|_| {
            let (template, next, messages) = (template.clone(), next.clone(), messages.clone());
            let (wanted, seconds) = (options.messages, options.seconds);
            std::thread::spawn(move || {
                let runtime = runtime();
                let mut totals = Totals::default();
                while messages.load(Ordering::Relaxed) < wanted
                    && began.elapsed() < seconds
                    && totals.failures.len() < MAX_FAILURES
                {
                    let before = totals.messages;
                    let seed = first + next.fetch_add(1, Ordering::Relaxed);
                    totals.add(runtime.block_on(run(&template, seed)));
                    messages.fetch_add(totals.messages - before, Ordering::Relaxed);
                }
                totals
            })
        })
        .collect();
    let mut totals = Totals::default();
    for thread in threads {
        match thread.join() {
            Ok(part) => totals.merge(part),
            Err(_) => {
                println!("a run panicked; the message is above");
                return ExitCode::FAILURE;
            }
        }
    }
    report(&totals, began.elapsed())
}

fn report(totals: &Totals, took: Duration) -> ExitCode {
    for failure in &totals.failures {
        println!("\nseed {} failed; repeat it with: cargo xtask simulate --seed {}", failure.seed, failure.seed);
        let from = failure.history.len().saturating_sub(TAIL);
        if totals.failures.len() == 1 {
            failure.history[from..].iter().for_each(|line| println!("{line}"));
        }
        failure.wrong.iter().for_each(|line| println!("wrong: {line}"));
    }
    println!("{}", totals.lines(took));
    if totals.failures.is_empty() && totals.replayed() > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
