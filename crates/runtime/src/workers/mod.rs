//! The workers: each is a `step` that does one thing that is due and returns whether there was one.
//!
//! The loops here, `run_until_idle` of the tests and the simulator call the same steps. A step
//! runs one piece of work to its end; only the loops here wait and spawn.

mod due;
mod hooks;
mod lease_renewal;
mod loops;
mod outage;
mod sweep;
mod work;

pub use crate::worker_step::Did;
pub use due::{Due, find_due};
pub use lease_renewal::renew_leases;
pub use loops::{run, run_feed};
pub use sweep::sweep;
pub use work::{Subject, Work, run_due_timers, step};
