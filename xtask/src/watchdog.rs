//! Time limit of a whole run: when it is over, every program that the run has started is killed.
//!
//! The running stage then fails as it does for any other program that ends badly, so the table of stages is printed.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

static EXPIRED: AtomicBool = AtomicBool::new(false);

/// Starts the clock. A stage that starts more programs afterwards sees them killed as well.
pub fn start(limit: Duration) {
    let deadline = Instant::now() + limit;
    thread::spawn(move || {
        thread::sleep(deadline.saturating_duration_since(Instant::now()));
        EXPIRED.store(true, Ordering::SeqCst);
        loop {
            kill(&descendants(std::process::id()));
            thread::sleep(Duration::from_millis(500));
        }
    });
}

/// True once the limit has passed.
pub fn has_expired() -> bool {
    EXPIRED.load(Ordering::SeqCst)
}

/// The shell's own `kill`: a bare machine may lack the program.
fn kill(processes: &[u32]) {
    if !processes.is_empty() {
        let numbers = processes.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        let _ = Command::new("sh").args(["-c", &format!("kill -KILL {numbers} 2>/dev/null")]).status();
    }
}

/// Children, their children and so on, from `/proc`. Empty on systems without it.
fn descendants(ancestor: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some(parent) = parent_in(&stat) {
            children.entry(parent).or_default().push(process);
        }
    }
    let mut found = children.remove(&ancestor).unwrap_or_default();
    let mut next = 0;
    while let Some(process) = found.get(next) {
        found.extend(children.remove(process).unwrap_or_default());
        next += 1;
    }
    found
}

/// `7 (a name) S 1 …`: the name may itself hold spaces and parentheses.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_is_read_behind_any_name() {
        assert_eq!(parent_in("7 (sh) S 1 7 7"), Some(1));
        assert_eq!(parent_in("7 (a) b (c)) R 42 7 7"), Some(42));
        assert_eq!(parent_in(""), None);
    }

    #[test]
    fn grandchildren_are_found_and_killed() {
        let mut shell = Command::new("sh").args(["-c", "sleep 300; false"]).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut below = Vec::new();
        while below.is_empty() && Instant::now() < deadline {
            below = descendants(shell.id());
            thread::sleep(Duration::from_millis(10));
        }
        assert!(!below.is_empty());
        kill(&below);
        kill(&[shell.id()]);
        assert!(!shell.wait().unwrap().success());
    }
}
