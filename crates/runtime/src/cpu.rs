//! Computations that take longer than a millisecond: queries, schemas, large answers, graphs and webhooks. They run on the blocking
//! pool, a few at a time: each may need 100 MiB, and the pool commits to SQLite as well.

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
    task::spawn_blocking,
};

/// Of turns: each takes at most a few hundred milliseconds.
pub static SHORT: Computations = Computations(Semaphore::const_new(2));
/// Of saved graphs and lists of tools: each may take seconds, and no turn waits behind them.
pub static LONG: Computations = Computations(Semaphore::const_new(1));
/// Of webhooks: the signature and the parts of a large body, some 50 ms.
pub static WEBHOOKS: Computations = Computations(Semaphore::const_new(2));

/// Of passwords: each takes some 40 ms and 19 MiB.
pub static PASSWORDS: Computations = Computations(Semaphore::const_new(2));

/// Computations of one kind; the permits are those that run at the same time.
pub struct Computations(Semaphore);

impl Computations {
    /// Runs a computation. `None` if it panicked, which is a fault of the program, or if the runtime shuts down.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        // A simulation needs everything on its one thread.
        if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
            return Some(work());
        }
        let _permit = self.0.acquire().await;
        let done = spawn_blocking(work).await;
        done.inspect_err(|error| tracing::error!(%error, "a computation failed")).ok()
    }
}
