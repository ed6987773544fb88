//! Ends the program when an input needs more memory or time than any bound allows, and prints that
//! input: a computation in progress cannot be stopped otherwise.

use serde_json::Value;
use std::{
    collections::HashMap,
    fs,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// Resident memory of the program.
const MOST_BYTES: u64 = 2 << 30;
/// Bounds are on allocations; this is for computations that allocate nothing. Debug builds on a busy
/// machine need a tenth of it.
const LONGEST: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(10);

type Running = Arc<Mutex<HashMap<u64, (Instant, String)>>>;

pub struct Watch(Running);

/// An input that runs until this is dropped.
pub struct Entered<'w>(&'w Watch, u64);

impl Watch {
    pub fn start() -> Self {
        let running = Running::default();
        let watched = running.clone();
        thread::spawn(move || {
            loop {
                thread::sleep(INTERVAL);
                let bytes = resident();
                let late = |began: &Instant| began.elapsed() > LONGEST;
                let inputs = lock(&watched);
                if bytes > MOST_BYTES || inputs.values().any(|(began, _)| late(began)) {
                    eprintln!("stopped with {} MiB of memory while these ran:", bytes >> 20);
                    inputs.values().for_each(|(began, input)| eprintln!("{:?} {input}", began.elapsed()));
                    std::process::exit(1);
                }
            }
        });
        Self(running)
    }

    pub fn enter(&self, kind: &str, recipe: &Value) -> Entered<'_> {
        let mut running = lock(&self.0);
        let id = (0..).find(|id| !running.contains_key(id)).unwrap_or_default();
        running.insert(id, (Instant::now(), format!("{kind}: {recipe}")));
        Entered(self, id)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        lock(&self.0.0).remove(&self.1);
    }
}

fn lock(running: &Running) -> MutexGuard<'_, HashMap<u64, (Instant, String)>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of memory that the program holds; pages have 4 KiB here.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).map_or(0, |pages| pages * 4_096)
}
