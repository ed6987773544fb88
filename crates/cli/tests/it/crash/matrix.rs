//! Every place where the process can be made to die, in a story of its own; `cases.rs` says what each may cost.

use std::{
    collections::BTreeSet,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::{
    cases::{self, Case, Wish},
    scenario, suite, tell,
};

/// Well above the promise of 3 s: other work on this machine must not fail the suite.
const FIRST_TURN_WITHIN: Duration = Duration::from_secs(10);

#[test]
fn a_kill_at_any_failpoint_loses_nothing_and_doubles_nothing() {
    let started = Instant::now();
    // One case alone: CHASQUI_CRASH_CASE=tool.answered
    let only = std::env::var("CHASQUI_CRASH_CASE").unwrap_or_default();
    let wanted = |case: &Case| case.to_string().contains(&only);
    let cases: Vec<_> = cases::all().into_iter().chain(cases::suites()).filter(wanted).collect();
    let timer: Vec<_> = cases::timers().into_iter().filter(wanted).collect();
    let results = Mutex::new(Results::default());
    let (queue, timers) = (Mutex::new(cases.into_iter()), Mutex::new(timer.into_iter()));
    let work = |queue: &Mutex<std::vec::IntoIter<Case>>| {
        loop {
            let next = queue.lock().unwrap().next();
            let Some(case) = next else { return };
            let played = std::panic::catch_unwind(|| match case.wish {
                Wish::Suite => suite::play(&case),
                _ => scenario::play(&case),
            });
            results.lock().unwrap().add(&case, played);
        }
    };
    std::thread::scope(|lanes| {
        lanes.spawn(|| work(&queue));
        lanes.spawn(|| work(&queue));
        // Timers take a minute at least; these cases only wait.
        lanes.spawn(|| work(&timers));
    });
    let results = results.into_inner().unwrap();
    results.print(started.elapsed());
    assert!(results.failed.is_empty(), "{:#?}", results.failed);
    if only.is_empty() {
        let missed: Vec<_> = runtime::failpoint::ALL
            .into_iter()
            .filter(|point| !results.reached.contains(*point) && !elsewhere(point))
            .collect();
        assert!(missed.is_empty(), "no case came to {missed:?}");
    }
    assert!(results.slowest < FIRST_TURN_WITHIN, "{:?} from a restart to the first turn", results.slowest);
}

/// Points that no talk with an agent comes to: `templates.rs` and `files.rs` kill there.
fn elsewhere(point: &str) -> bool {
    ["template.", "upload.", "media."].iter().any(|begin| point.starts_with(begin))
}

#[derive(Default)]
struct Results {
    reached: BTreeSet<String>,
    failed: Vec<String>,
    slowest: Duration,
    lines: Vec<String>,
}

impl Results {
    fn add(&mut self, case: &Case, played: std::thread::Result<scenario::Played>) {
        match played {
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text =
                    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
                self.failed.push(format!("{case}: {text}"));
            }
            Ok(played) => {
                let ready: Vec<_> = played.lives.iter().map(|life| life.ready.as_millis().to_string()).collect();
                let first: Vec<_> = played
                    .lives
                    .iter()
                    .map(|life| life.first_turn.map_or("-".into(), |took| took.as_millis().to_string()))
                    .collect();
                self.lines.push(format!("{:<44} {:>8} {:>12}", case.to_string(), ready.join(" "), first.join(" ")));
                if !case.waits() {
                    self.slowest = self
                        .slowest
                        .max(played.lives.iter().filter_map(|life| life.first_turn).max().unwrap_or_default());
                }
                self.reached.extend(played.reached);
            }
        }
    }

    fn print(&self, took: Duration) {
        let mut text = format!("\n{:<44} {:>8} {:>12}\n", "killed at", "ready ms", "first turn");
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        let slowest = self.slowest.as_millis();
        text.push_str(&format!(
            "{} cases in {:.1} s; slowest restart to first turn {slowest} ms",
            self.lines.len(),
            took.as_secs_f64()
        ));
        tell(&text);
    }
}
