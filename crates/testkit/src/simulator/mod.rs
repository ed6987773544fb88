//! Deterministic simulator: a whole installation, its contacts, Meta and the model under one seed.
//!
//! The seed decides everything: the times of messages, duplicate, late and reordered webhooks, lost
//! answers, crashes and pauses of nodes. Ingest, engine, workers, outbox, timers, replay and the
//! SQLite file are real; only the clock, randomness and outgoing calls are replaced. Everything
//! runs on one thread, and at each `await` another task may continue or the node may crash. So a
//! failing seed fails in the same way again: `cargo xtask simulate --seed N` prints its history.
//!
//! `world` holds what is outside of the nodes, `node` a node and its restarts, `schedule` the
//! choice of the next event, `check` the invariants at the end (docs/spec/reliability.md 15, I1 to
//! I8).

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
    async fn same_seed_gives_the_same_run() {
        let (one, other) = (Template::new().await, Template::new().await);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..8 {
            let first = run(&one, seed).await;
            let second = run(&other, seed).await;
            assert_eq!(first.fingerprint, second.fingerprint, "seed {seed}");
            assert!(first.failure.is_none(), "{:#?}", first.failure.map(|failure| failure.wrong));
            seen.insert(first.fingerprint);
        }
        assert_eq!(seen.len(), 8, "each seed gives a different run");
    }
}
