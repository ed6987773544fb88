//! The deterministic simulator: a whole installation, its people, Meta and the model under one
//! seed.
//!
//! A seed decides everything: who writes when, what is delivered twice, late or in another order,
//! which answers are lost, which node dies where and which one stands still. The parts are the real
//! ones (ingest, engine, workers, outbox, timers, replay, an SQLite file); only the clock,
//! randomness and the ways out are replaced. Everything runs on one thread and each `await` is a
//! place where another task may go on or the node may die, so a seed that fails fails the same way
//! again: `cargo xtask simulate --seed N` prints what happened.
//!
//! `world` is what is outside, `node` a node's life and death, `schedule` what happens next,
//! `check` what must hold at the end (docs/spec/reliability.md 15, I1 to I8).

mod agents;
mod chance;
mod check;
mod context;
mod history;
mod model;
mod node;
mod people;
mod report;
mod schedule;
mod sends;
mod task;
mod template;
mod timeline;
mod traffic;
mod webhooks;
mod world;

pub use report::{Failure, Outcome, Totals};
pub use schedule::run;
pub use template::Template;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_seed_of_the_simulator_runs_the_same_way_again() {
        let (one, other) = (Template::new().await, Template::new().await);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..8 {
            let first = run(&one, seed).await;
            let second = run(&other, seed).await;
            assert_eq!(first.fingerprint, second.fingerprint, "seed {seed}");
            assert!(first.failure.is_none(), "{:#?}", first.failure.map(|failure| failure.wrong));
            seen.insert(first.fingerprint);
        }
        assert_eq!(seen.len(), 8, "each seed is a run of its own");
    }
}
