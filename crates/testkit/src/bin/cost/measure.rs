//! Counts what a computation allocates on its thread. Counts repeat from run to run and from machine
//! to machine, times do not.

use serde_json::Value;

/// Bytes that one allocation counts in addition to its size.
const ALLOCATION: u64 = 64;

pub const MIB: u64 = 1 << 20;

/// A kind of input.
pub struct Kind {
    pub name: &'static str,
    pub bound: Bound,
    /// Most bytes of an input.
    pub most: usize,
    /// Recipes to start from.
    pub seeds: fn() -> Vec<Value>,
    /// Texts that mean something in this kind.
    pub words: &'static [&'static str],
    /// Reads an expanded recipe; `None` if the product refuses it before it gets here.
    pub prepare: fn(&Value) -> Option<Case>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Bytes of the input.
    pub bytes: u64,
    /// Bytes allocated, and 64 for each allocation.
    pub work: u64,
    /// Most bytes allocated at the same time.
    pub peak: u64,
}

/// Linear bounds: bytes for each byte of the input, and a constant that the budgets of
/// `domain::limits` give.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    pub work: (u64, u64),
    pub peak: (u64, u64),
}

impl Bound {
    pub const fn of(self, bytes: u64) -> Cost {
        Cost { bytes, work: self.work.0 * bytes + self.work.1, peak: self.peak.0 * bytes + self.peak.1 }
    }
}

impl Cost {
    /// The larger share of the bound's two parts; above 1 is a finding.
    pub fn share_of(self, bound: Bound) -> f64 {
        let most = bound.of(self.bytes);
        (self.work as f64 / most.work as f64).max(self.peak as f64 / most.peak as f64)
    }
}

/// An input that is ready to run. The input itself is made before anything is counted.
pub struct Case {
    pub bytes: usize,
    pub work: Box<dyn Fn()>,
}

/// Runs an input. `None` if it is outside of the limits that are checked before it gets there.
pub fn measure(kind: &Kind, input: &Value) -> Option<Cost> {
    let case = (kind.prepare)(input)?;
    let counted = allocation_counter::measure(&case.work);
    let work = counted.bytes_total + ALLOCATION * counted.count_total;
    Some(Cost { bytes: case.bytes as u64, work, peak: counted.bytes_max })
}
