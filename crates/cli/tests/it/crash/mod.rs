//! The crash matrix: the real server is killed at every failpoint while a person talks to an agent, comes back, and the
//! emulated WhatsApp, which lived on, shows whether anything was lost or doubled (reliability.md §15, fault 1).

mod cases;
mod clocks;
mod media;
mod kills;
mod server;
mod matrix;
mod model;
mod nodes;
mod pair;
mod retries;
mod stop;
mod scenario;
mod suite;
mod dialogs;
mod templates;
mod world;

use std::io::Write as _;

/// Past the test harness, which would keep it to itself.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
