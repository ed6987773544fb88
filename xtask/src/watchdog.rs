//! Time limit of a whole run: when it is over, every program that the run has started is killed.
//!
//! The running stage then fails as it does for any other program that ends badly, so the table of
//! stages is printed.

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

/// Children, their children and so on, from `/proc`; none on systems without it. A child that leads
/// a process group of its own is left alone: the keeper of the PostgreSQL cluster ends by itself,
/// and must stop the cluster first.
fn descendants(ancestor: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some((parent, group)) = parent_and_group(&stat)
            && (parent != ancestor || group != process)
        {
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

/// `7 (a name) S 1 7 …`: the name may itself hold spaces and parentheses.
fn parent_and_group(stat: &str) -> Option<(u32, u32)> {
    let mut words = stat.rsplit_once(')')?.1.split_whitespace().skip(1);
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::*;

    #[test]
    fn parent_is_read_behind_any_name() {
        assert_eq!(parent_and_group("7 (sh) S 1 7 7"), Some((1, 7)));
        assert_eq!(parent_and_group("7 (a) b (c)) R 42 8 7"), Some((42, 8)));
        assert_eq!(parent_and_group(""), None);
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

    #[test]
    fn child_with_a_process_group_of_its_own_is_left_alone() {
        let mut keeper = Command::new("sleep").arg("300").process_group(0).spawn().unwrap();
        assert!(!descendants(std::process::id()).contains(&keeper.id()));
        keeper.kill().unwrap();
        keeper.wait().unwrap();
    }
}
