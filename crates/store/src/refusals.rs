//! Lets PostgreSQL refuse transactions that it could have committed, so that tests see what comes of it. Test builds only.

use crate::Error;
use sqlx::{Executor as _, PgConnection};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Counts transactions; clones count together.
#[derive(Clone)]
pub(crate) struct Refusals {
    every: u32,
    met: Arc<AtomicU32>,
}

impl Refusals {
    pub(crate) fn every(n: u32) -> Self {
        Self { every: n, met: Arc::default() }
    }

    /// A transaction comes to its end; every so many of them fail as if others had been in their way.
    pub(crate) async fn meet(&self, conn: &mut PgConnection) -> Result<(), Error> {
        if self.met.fetch_add(1, Ordering::Relaxed) % self.every != self.every - 1 {
            return Ok(());
        }
        let refusal =
            "DO $$ BEGIN RAISE EXCEPTION 'refused for a test' USING ERRCODE = 'serialization_failure'; END $$";
        Ok(conn.execute(refusal).await.map(drop)?)
    }
}
