//! Crash matrix: kills the server at every failpoint. `cases.rs` defines the expected effects.

use std::{
    collections::BTreeSet,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::{
    cases::{self, Case, Scene},
    print_line, scenario, suite,
};

/// Time limit from a restart to the first activity. The promise is 3 s; a busy machine must not
/// fail the suite.
const FIRST_TURN_WITHIN: Duration = Duration::from_secs(10);

#[test]
fn kill_at_any_failpoint_loses_and_doubles_nothing() {
    let started = Instant::now();
    // CHASQUI_CRASH_CASE=tool.answered runs a single case.
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
            let result = std::panic::catch_unwind(|| match case.scene {
                Scene::Suite => suite::run(&case),
                _ => scenario::run(&case),
            });
            results.lock().unwrap().add(&case, result);
        }
    };
    std::thread::scope(|lanes| {
        lanes.spawn(|| work(&queue));
        lanes.spawn(|| work(&queue));
        // Timers take at least a minute; these cases only wait.
        lanes.spawn(|| work(&timers));
    });
    let results = results.into_inner().unwrap();
    results.print(started.elapsed());
    assert!(results.failed.is_empty(), "{:#?}", results.failed);
    if only.is_empty() {
        let missed: Vec<_> = runtime::failpoint::ALL
            .into_iter()
            .filter(|point| !results.reached.contains(*point) && !is_covered_elsewhere(point))
            .collect();
        assert!(missed.is_empty(), "no case reached {missed:?}");
    }
    assert!(results.slowest < FIRST_TURN_WITHIN, "{:?} from a restart to the first turn", results.slowest);
}

/// Failpoints outside conversations: `templates.rs`, `media.rs`, `hooks.rs` and `deletion.rs` cover
/// them.
fn is_covered_elsewhere(point: &str) -> bool {
    ["template.", "upload.", "media.", "hook.", "deletion."].iter().any(|begin| point.starts_with(begin))
}

#[derive(Default)]
struct Results {
    reached: BTreeSet<String>,
    failed: Vec<String>,
    slowest: Duration,
    lines: Vec<String>,
}

impl Results {
    fn add(&mut self, case: &Case, result: std::thread::Result<scenario::CaseResult>) {
        match result {
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                let text =
                    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
                self.failed.push(format!("{case}: {text}"));
            }
            Ok(result) => {
                let ready: Vec<_> =
                    result.restarts.iter().map(|restart| restart.ready.as_millis().to_string()).collect();
                let first: Vec<_> = result
                    .restarts
                    .iter()
                    .map(|restart| restart.first_turn.map_or("-".into(), |took| took.as_millis().to_string()))
                    .collect();
                self.lines.push(format!("{:<44} {:>8} {:>12}", case.to_string(), ready.join(" "), first.join(" ")));
                if !case.waits() {
                    self.slowest = self
                        .slowest
                        .max(result.restarts.iter().filter_map(|restart| restart.first_turn).max().unwrap_or_default());
                }
                self.reached.extend(result.reached);
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
        print_line(&text);
    }
}
