//! What many runs have come to.

use super::world::Counts;
use runtime::failpoint;
use std::{collections::BTreeSet, time::Duration};

/// What did not hold in a run.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Runs the same way again.
    pub seed: u64,
    /// What did not hold.
    pub wrong: Vec<String>,
    /// All that happened.
    pub history: Vec<String>,
}

/// What a run has come to.
pub struct Outcome {
    /// Of the history and of what the database holds in the end.
    pub fingerprint: String,
    pub(super) counts: Counts,
    pub(super) executions: u64,
    pub(super) died_at: BTreeSet<String>,
    /// What did not hold, with the whole history.
    pub failure: Option<Failure>,
}

/// Sums over runs.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Runs.
    pub seeds: u64,
    /// Messages that people wrote.
    pub messages: u64,
    deaths: u64,
    pauses: u64,
    stops: u64,
    duplicates: u64,
    answers_lost: u64,
    stale: u64,
    model_calls: u64,
    tool_calls: u64,
    executions: u64,
    excused_doubles: u64,
    died_at: BTreeSet<String>,
    /// Runs in which something did not hold.
    pub failures: Vec<Failure>,
}

impl Totals {
    /// Adds a run.
    pub fn add(&mut self, outcome: Outcome) {
        let counts = outcome.counts;
        self.seeds += 1;
        self.messages += counts.messages;
        self.deaths += counts.deaths;
        self.pauses += counts.pauses;
        self.stops += counts.stops;
        self.duplicates += counts.duplicates;
        self.answers_lost += counts.answers_lost;
        self.stale += counts.stale;
        self.model_calls += counts.model_calls;
        self.tool_calls += counts.tool_calls;
        self.executions += outcome.executions;
        self.excused_doubles += counts.excused_doubles;
        self.died_at.extend(outcome.died_at);
        self.failures.extend(outcome.failure);
    }

    /// Adds another thread's sums.
    pub fn merge(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.messages += other.messages;
        self.deaths += other.deaths;
        self.pauses += other.pauses;
        self.stops += other.stops;
        self.duplicates += other.duplicates;
        self.answers_lost += other.answers_lost;
        self.stale += other.stale;
        self.model_calls += other.model_calls;
        self.tool_calls += other.tool_calls;
        self.executions += other.executions;
        self.excused_doubles += other.excused_doubles;
        self.died_at.extend(other.died_at);
        self.failures.extend(other.failures);
    }

    /// Executions that were replayed from their journals.
    pub const fn replayed(&self) -> u64 {
        self.executions
    }

    /// For people.
    pub fn lines(&self, took: Duration) -> String {
        let rate = self.messages as f64 / took.as_secs_f64().max(0.001);
        let wrong = |what: &str| {
            let lines = self.failures.iter().flat_map(|failure| &failure.wrong);
            lines.filter(|line| line.starts_with(what)).count()
        };
        let never: Vec<&str> = failpoint::ALL.into_iter().filter(|name| !self.died_at.contains(*name)).collect();
        let never = if never.is_empty() { String::new() } else { format!(" (not {})", never.join(", ")) };
        format!(
            "runs {}\nmessages {} ({rate:.0} a second)\nmodel calls {}, tool calls {}\ncrashes {}, at {} of {} failpoints{never}\npaused nodes {}\nstopped nodes {}\nstale writes refused {}\n\
             duplicates delivered {}\nlost answers {}\nexecutions replayed {}\ndoubled and reported as unclear {}\n\
             lost {}\ndoubled {}\nfailed runs {}",
            self.seeds,
            self.messages,
            self.model_calls,
            self.tool_calls,
            self.deaths,
            self.died_at.len(),
            failpoint::ALL.len(),
            self.pauses,
            self.stops,
            self.stale,
            self.duplicates,
            self.answers_lost,
            self.executions,
            self.excused_doubles,
            wrong("I1") + wrong("I5"),
            wrong("I2") + wrong("I4"),
            self.failures.len(),
        )
    }
}
