//! Parsing of large answers on the blocking pool: an answer of a megabyte takes ten milliseconds.

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::Semaphore,
    task::spawn_blocking,
};

/// Answers up to this size are parsed at once, in less than a millisecond.
const SMALL: usize = 64 * 1024;

/// Answers that are parsed at the same time.
static PERMITS: Semaphore = Semaphore::const_new(2);

/// Parses an answer. `None` if parsing panicked, which is a fault of the program, or if the runtime
/// shuts down.
pub(crate) async fn off_worker<T: Send + 'static>(
    body: Vec<u8>,
    parse: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Option<T> {
    // A simulation needs everything on its one thread.
    if body.len() <= SMALL || Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return Some(parse(&body));
    }
    let _permit = PERMITS.acquire().await;
    let parsed = spawn_blocking(move || parse(&body)).await;
    parsed.inspect_err(|error| tracing::error!(%error, "an answer was not parsed")).ok()
}
