//! Crash tests. The real server is killed, paused or disturbed while contacts dialog to an agent,
//! and starts again. The emulated WhatsApp keeps running and shows whether anything was lost or
//! doubled (docs/spec/reliability.md 15).

mod backup;
mod bombs;
mod cases;
mod clocks;
mod deletion;
mod deliveries;
mod dialogs;
mod hooks;
mod kills;
mod matrix;
mod media;
mod model;
mod nodes;
mod pair;
mod poison;
mod retries;
mod scenario;
mod server;
mod stop;
mod suite;
mod templates;
mod world;

use std::io::Write as _;

/// Prints to standard error directly, which the test harness does not capture.
fn print_line(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
