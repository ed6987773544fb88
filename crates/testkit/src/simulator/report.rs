//! Results of runs and their sums.

use super::world::Counts;
use runtime::failpoint;
use std::{collections::BTreeSet, time::Duration};

/// Violated invariants of a run.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Seed that reproduces the run.
    pub seed: u64,
    /// Violated invariants.
    pub wrong: Vec<String>,
    /// Whole history of the run.
    pub history: Vec<String>,
}

/// Result of a run.
pub struct Outcome {
    /// Fingerprint of the history and the final content of the database.
    pub fingerprint: String,
    pub(super) counts: Counts,
    pub(super) executions: u64,
    pub(super) crashed_at: BTreeSet<String>,
    /// Violated invariants with the whole history.
    pub failure: Option<Failure>,
}

/// Sums over runs.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Number of runs.
    pub seeds: u64,
    /// Number of messages from contacts.
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
    reported_duplicates: u64,
    crashed_at: BTreeSet<String>,
    /// Runs with violated invariants.
    pub failures: Vec<Failure>,
}

impl Totals {
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
        self.reported_duplicates += counts.reported_duplicates;
        self.crashed_at.extend(outcome.crashed_at);
        self.failures.extend(outcome.failure);
    }

    /// Adds the sums of another thread.
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
        self.reported_duplicates += other.reported_duplicates;
        self.crashed_at.extend(other.crashed_at);
        self.failures.extend(other.failures);
    }

    /// Number of executions replayed from their journals.
    pub const fn replayed(&self) -> u64 {
        self.executions
    }

    /// Formats the sums for printing.
    pub fn lines(&self, took: Duration) -> String {
        let rate = self.messages as f64 / took.as_secs_f64().max(0.001);
        let wrong = |what: &str| {
            let lines = self.failures.iter().flat_map(|failure| &failure.wrong);
            lines.filter(|line| line.starts_with(what)).count()
        };
        let never: Vec<&str> = failpoint::ALL.into_iter().filter(|name| !self.crashed_at.contains(*name)).collect();
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
            self.crashed_at.len(),
            failpoint::ALL.len(),
            self.pauses,
            self.stops,
            self.stale,
            self.duplicates,
            self.answers_lost,
            self.executions,
            self.reported_duplicates,
            wrong("I1") + wrong("I5"),
            wrong("I2") + wrong("I4"),
            self.failures.len(),
        )
    }
}
