//! The workers: each is a `step` that does one thing that is due and returns whether there was one.
//!
//! The loops here, `run_until_idle` of the tests and the simulator call the same steps. A step
//! runs one piece of work to its end; only the loops here wait and spawn.

mod lease_renewal;
mod loops;
mod outage;
mod work;

pub use crate::worker_step::Did;
pub use lease_renewal::renew_leases;
pub use loops::run;
pub use work::{Due, Subject, Work, find_due, run_due_timers, step};
