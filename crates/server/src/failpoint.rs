//! Places where the process can be made to die, for the tests that kill it there (`cli/tests/it/crash`).
//!
//! Without the feature `failpoints`, which no release has, [`reach`] does nothing and the compiler removes it. With it, the
//! variable `CHASQUI_FAILPOINT=name:N` kills the process the N-th time it comes to that place (the first, without `:N`).

/// Every place. A case of the crash matrix must reach each.
#[cfg(feature = "failpoints")]
pub const ALL: [&str; 21] = [
    "ingest.verified",
    "ingest.commit",
    "ingest.committed",
    "status.commit",
    "status.committed",
    "claim.commit",
    "claim.committed",
    "model.ask",
    "model.answered",
    "tool.ask",
    "tool.answered",
    "step.commit",
    "step.committed",
    "attempt.commit",
    "attempt.committed",
    "send.open",
    "send.answered",
    "settle.commit",
    "settle.committed",
    "timer.commit",
    "timer.committed",
];

/// Comes to the place of this name. A name ending in `commit` is the end of a transaction's body, in `committed` the line
/// after it.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub(crate) const fn reach(_name: &str) {}

/// Comes to the place of this name; does not come back where the process shall die.
#[cfg(feature = "failpoints")]
pub(crate) fn reach(name: &str) {
    use std::{
        process::Command,
        sync::atomic::{AtomicU32, Ordering},
    };
    static LEFT: std::sync::LazyLock<(String, AtomicU32)> = std::sync::LazyLock::new(|| {
        let wanted = std::env::var("CHASQUI_FAILPOINT").unwrap_or_default();
        let (name, times) = wanted.split_once(':').unwrap_or((&wanted, "1"));
        (name.to_owned(), AtomicU32::new(times.parse().unwrap_or(1)))
    });
    assert!(ALL.contains(&name), "the failpoint {name} is not in the list");
    let (wanted, left) = &*LEFT;
    if wanted != name || left.fetch_sub(1, Ordering::SeqCst) != 1 {
        return;
    }
    eprintln!("failpoint reached: {name}");
    // As a crash does it: nothing is flushed, dropped or said goodbye to. `abort` would run a handler.
    let _ = Command::new("kill").args(["-KILL", &std::process::id().to_string()]).status();
    loop {
        std::thread::park();
    }
}
