//! Random numbers from the seed. SplitMix64 is small, good enough, and stable on every platform.

use domain::Span;

#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Creates a separate stream for a part of the world, so that changes in one part do not affect
    /// the others.
    pub(super) fn split(&mut self) -> Self {
        Self(self.next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Number from 0 to before `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// True with this probability, per mille.
    pub(super) fn permille(&mut self, often: u32) -> bool {
        self.next() % 1_000 < u64::from(often)
    }

    /// Span of `least` to before `end` milliseconds. Microsecond resolution makes coincidences
    /// rare.
    pub(super) fn millis(&mut self, least: i64, end: i64) -> Span {
        let micros = (end - least).max(0) as u64 * 1_000 + 1;
        Span::from_micros(least * 1_000 + (self.next() % micros) as i64)
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub(super) fn shuffle<T>(&mut self, of: &mut [T]) {
        for place in (1..of.len()).rev() {
            of.swap(place, self.below(place + 1));
        }
    }

    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.next().to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
    }
}
