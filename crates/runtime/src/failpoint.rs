//! Named places where tests can kill the process (`cli/tests/it/crash`).
//!
//! Without the feature `failpoints`, which no release has, [`reach`] does nothing and the compiler
//! removes it. With it, the variable `CHASQUI_FAILPOINT=name:N` kills the process the N-th time it
//! reaches that place (the first, without `:N`); `CHASQUI_FAILPOINT_SIGNAL=STOP` pauses it there
//! instead. `CHASQUI_RETRY_EVERY=N` makes every N-th transaction fail on PostgreSQL as one that it
//! could not serialize. `CHASQUI_CLOCK_OFF_BY=N` shifts the system's clock by N seconds.

use domain::Span;

/// Variables of the hooks, which builds without them refuse.
pub const VARIABLES: [&str; 5] =
    ["CHASQUI_FAILPOINT", "CHASQUI_FAILPOINT_SIGNAL", "CHASQUI_RETRY_EVERY", "CHASQUI_CLOCK_OFF_BY", "CHASQUI_POISON"];

/// All places; the crash matrix must reach each.
#[cfg(feature = "failpoints")]
pub const ALL: [&str; 37] = [
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
    "upload.open",
    "upload.answered",
    "upload.committed",
    "media.ask",
    "media.answered",
    "media.committed",
    "send.open",
    "send.answered",
    "settle.commit",
    "settle.committed",
    "timer.commit",
    "timer.committed",
    "trial.commit",
    "trial.committed",
    "trial.ask",
    "trial.answered",
    "template.ask",
    "template.answered",
    "hook.ask",
    "hook.answered",
    "deletion.commit",
    "deletion.committed",
];

/// Marks a place that processes `text`. The variable `CHASQUI_POISON=place:marker` kills the process
/// each time that this place processes a text with the marker, and `CHASQUI_POISON=panic@place:marker`
/// makes it panic.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn poison<T: AsRef<str>>(_place: &str, _text: impl FnOnce() -> T) {}

/// Marks a place that processes `text`; does not return if the text is poison.
#[cfg(feature = "failpoints")]
pub fn poison<T: AsRef<str>>(place: &str, text: impl FnOnce() -> T) {
    static POISON: std::sync::LazyLock<Option<(String, String)>> = std::sync::LazyLock::new(|| {
        let wanted = std::env::var("CHASQUI_POISON").ok()?;
        wanted.split_once(':').map(|(place, marker)| (place.to_owned(), marker.to_owned()))
    });
    let Some((wanted, marker)) = POISON.as_ref() else { return };
    let panics = wanted.strip_prefix("panic@");
    if panics.unwrap_or(wanted) != place || !text().as_ref().contains(marker.as_str()) {
        return;
    }
    assert!(panics.is_none(), "poison at {place}");
    eprintln!("poison reached: {place}");
    std::process::abort();
}

/// Marks a place. A name ending in `commit` is the end of a transaction's body, in `committed` the
/// line after it.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub const fn reach(_name: &str) {}

#[cfg(feature = "failpoints")]
thread_local! {
    static HOOK: std::cell::RefCell<Option<Hook>> = const { std::cell::RefCell::new(None) };
}

/// Called at each place that the thread reaches.
#[cfg(feature = "failpoints")]
pub type Hook = Box<dyn Fn(&str)>;

/// Makes this thread call a hook at each place instead of reading the variable: the simulator's
/// nodes die by unwinding from the hook. `None` removes it.
#[cfg(feature = "failpoints")]
pub fn hook(hook: Option<Hook>) {
    HOOK.set(hook);
}

/// Offset of the system's clock.
#[cfg(feature = "failpoints")]
pub fn clock_off_by() -> Span {
    static OFF_BY: std::sync::LazyLock<Span> = std::sync::LazyLock::new(|| {
        let seconds = std::env::var("CHASQUI_CLOCK_OFF_BY").ok().and_then(|text| text.parse().ok());
        Span::from_secs(seconds.unwrap_or(0))
    });
    *OFF_BY
}

/// Offset of the system's clock.
#[cfg(not(feature = "failpoints"))]
pub const fn clock_off_by() -> Span {
    Span::ZERO
}

/// Every N-th transaction fails on PostgreSQL.
#[cfg(feature = "failpoints")]
pub fn retry_every() -> Option<u32> {
    std::env::var("CHASQUI_RETRY_EVERY").ok()?.parse().ok()
}

/// Marks a place; does not return if the process is to die there.
#[cfg(feature = "failpoints")]
pub fn reach(name: &str) {
    if HOOK.with_borrow(|hook| hook.as_ref().map(|hook| hook(name))).is_some() {
        return;
    }
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
    let signal = std::env::var("CHASQUI_FAILPOINT_SIGNAL").unwrap_or_else(|_| "KILL".into());
    // As in a crash, nothing is flushed or dropped. `abort` would run a handler.
    let _ = Command::new("kill").args([format!("-{signal}"), std::process::id().to_string()]).status();
    if signal == "STOP" {
        // The signal may arrive a moment after `kill` has ended; the pause lasts until SIGCONT.
        return std::thread::sleep(std::time::Duration::from_secs(1));
    }
    loop {
        std::thread::park();
    }
}
