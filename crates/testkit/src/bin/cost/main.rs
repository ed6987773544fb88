//! A fuzz of cost: inputs within the documented limits, and what reading them allocates. Run by
//! `cargo xtask cost`.
//!
//! First the corpus in `fixtures/cost` must stay below its bounds. Then the most expensive inputs are
//! changed at random until the time is over; one that exceeds the bound of its kind fails the run and
//! is printed. Allocations are counted instead of time, so a result repeats.
#![expect(clippy::print_stdout, reason = "a command line tool prints to standard output")]

mod chance;
mod corpus;
mod fuzz;
mod kinds;
mod measure;
mod mutate;
mod recipe;
mod watch;

use fuzz::{Found, Fuzz};
use kinds::KINDS;
use measure::{Cost, Kind, measure};
use std::{
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use watch::Watch;

/// Entries of the corpus.
const CORPUS: usize = 100;
/// Longest time of all entries of a kind together: the corpus is run in each submission.
const REPLAY: Duration = Duration::from_millis(2_500);

struct Options {
    seconds: u64,
    seed: u64,
    corpus: PathBuf,
    /// Replaces the corpus by the most expensive inputs of this run.
    write: bool,
}

impl Options {
    fn parse() -> Self {
        let fresh = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
        let mut options = Self { seconds: 10, seed: fresh, corpus: "fixtures/cost".into(), write: false };
        let mut args = std::env::args().skip(1);
        while let Some(flag) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| panic!("{flag} needs a value"));
            match flag.as_str() {
                "--seconds" => options.seconds = value().parse().expect("a number of seconds"),
                "--seed" => options.seed = value().parse().expect("a number"),
                "--corpus" => options.corpus = value().into(),
                "--write" => options.write = true,
                other => panic!("unknown argument {other}; there are --seconds N, --seed N, --corpus FOLDER, --write"),
            }
        }
        options
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let (watch, began) = (Watch::start(), Instant::now());
    println!("seed {}", options.seed);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(KINDS.len());
    let ends = began + Duration::from_secs(options.seconds);
    let run = |worker: usize| {
        let kinds: Vec<&'static Kind> = KINDS.into_iter().skip(worker).step_by(threads).collect();
        work(&options, &kinds, ends, &watch)
    };
    let outcomes: Vec<Result<Kept, ()>> = thread::scope(|scope| {
        let run = &run;
        let workers: Vec<_> = (0..threads).map(|worker| scope.spawn(move || run(worker))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(Err(()))).collect()
    });
    let Ok(worst) = outcomes.into_iter().collect::<Result<Vec<_>, ()>>() else { return ExitCode::FAILURE };
    if options.write {
        corpus::write(&options.corpus, &worst.concat());
    }
    ExitCode::SUCCESS
}

/// Inputs for the corpus.
type Kept = Vec<(&'static Kind, serde_json::Value, Cost)>;

/// Runs the corpus of some kinds, then fuzzes them in turns.
fn work(options: &Options, kinds: &[&'static Kind], ends: Instant, watch: &Watch) -> Result<Kept, ()> {
    let mut fuzzes = Vec::new();
    for kind in kinds {
        let entries: Vec<_> =
            corpus::read(&options.corpus).into_iter().filter(|entry| entry.kind.name == kind.name).collect();
        let recipes = if options.write { entries.iter().map(|entry| entry.recipe.clone()).collect() } else { vec![] };
        let began = Instant::now();
        let fuzz = Fuzz::new(kind, recipes, options.seed, watch).map_err(|found| report(kind, &found))?;
        if !options.write {
            entries.iter().try_for_each(|entry| replay(entry, watch))?;
        }
        println!("{}: {} entries and the seeds in {:.1} s", kind.name, entries.len(), began.elapsed().as_secs_f64());
        fuzzes.push(fuzz);
    }
    while Instant::now() < ends {
        let Some(fuzz) = fuzzes.iter_mut().min_by_key(|fuzz| fuzz.spent) else { break };
        let kind = fuzz.kind;
        fuzz.round().map_err(|found| report(kind, &found))?;
    }
    let mut kept = Vec::new();
    for fuzz in &mut fuzzes {
        if let Some(worst) = fuzz.highest() {
            let (name, tried, share) = (fuzz.kind.name, fuzz.tried, 100.0 * worst.share);
            println!(
                "{name}: {tried} inputs, the most expensive at {share:.0} % of its bound: {}",
                corpus::figures(worst.cost)
            );
        }
        if options.write {
            let place = KINDS.iter().position(|kind| kind.name == fuzz.kind.name).unwrap_or_default();
            let count = CORPUS / KINDS.len() + usize::from(place < CORPUS % KINDS.len());
            let worst = fuzz.worst(count, REPLAY);
            kept.extend(worst.into_iter().map(|found| (fuzz.kind, found.recipe, found.cost)));
        }
    }
    Ok(kept)
}

fn replay(entry: &corpus::Kept, watch: &Watch) -> Result<(), ()> {
    let _running = watch.enter(entry.kind.name, &entry.recipe);
    let cost = recipe::expand(&entry.recipe, entry.kind.most).and_then(|input| measure(entry.kind, &input));
    let file = entry.file.display();
    match cost {
        Some(cost) if cost.work <= entry.bound.work && cost.peak <= entry.bound.peak => Ok(()),
        Some(cost) => {
            let (now, most) = (corpus::figures(cost), corpus::figures(entry.bound));
            eprintln!("{file} costs {now}; at most {most} is allowed");
            Err(())
        }
        // Tighter limits refuse it; then the corpus is written again.
        None => {
            eprintln!("{file} is refused before its cost counts: run `cargo xtask cost --write`");
            Err(())
        }
    }
}

fn report(kind: &Kind, found: &Found) {
    let (cost, bound) = (corpus::figures(found.cost), corpus::figures(kind.bound.of(found.cost.bytes)));
    eprintln!("{}: an input costs {cost}; its bound is {bound}, and it took {:?}", kind.name, found.took);
    eprintln!("{}", found.recipe);
}
