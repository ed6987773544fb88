//! History of a run. Two runs are equal if the fingerprints of their histories are.

use domain::Timestamp;
use sha2::{Digest as _, Sha256};

#[derive(Default)]
pub(super) struct History {
    began: i64,
    lines: Vec<String>,
}

impl History {
    pub(super) const fn new(began: Timestamp) -> Self {
        Self { began: began.micros(), lines: Vec::new() }
    }

    pub(super) fn note(&mut self, now: Timestamp, what: impl std::fmt::Display) {
        let micros = now.micros() - self.began;
        self.lines.push(format!("{:>6}.{:06} {what}", micros / 1_000_000, micros % 1_000_000));
    }

    pub(super) fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        for line in &self.lines {
            digest.update(line);
            digest.update("\n");
        }
        digest.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
