//! Makes PostgreSQL refuse transactions that it could have committed, to test retries. Test builds
//! only.

use crate::db::{
    conn::{EngineTx, Transaction},
    error::Error,
};
use sqlx::Executor as _;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

const REFUSAL: &str =
    "DO $$ BEGIN RAISE EXCEPTION 'refused for a test' USING ERRCODE = 'serialization_failure'; END $$";

/// Counts transactions; clones count together.
#[derive(Clone)]
pub(crate) struct Refusals {
    every: u32,
    seen: Arc<AtomicU32>,
}

impl Refusals {
    pub(crate) fn every(n: u32) -> Self {
        Self { every: n, seen: Arc::default() }
    }

    fn is_next(&self) -> bool {
        self.seen.fetch_add(1, Ordering::Relaxed) % self.every == self.every - 1
    }
}

/// Fails every n-th transaction as a serialization failure would.
pub(crate) async fn refuse_if_due<T, E: From<Error>>(
    refusals: Option<&Refusals>,
    mut tx: Transaction,
    outcome: Result<T, E>,
) -> (Transaction, Result<T, E>) {
    let outcome = match (&mut tx.engine, outcome) {
        (EngineTx::Postgres(tx), Ok(value)) if refusals.is_some_and(Refusals::is_next) => {
            let refused = tx.execute(REFUSAL).await.map_err(Error::from);
            refused.map(|_| value).map_err(E::from)
        }
        (_, outcome) => outcome,
    };
    (tx, outcome)
}
