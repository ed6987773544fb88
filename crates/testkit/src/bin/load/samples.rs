//! Latency samples and arrival schedules.

use crate::figures::Figures;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Above this lag the generator itself distorts the latencies.
const OWN_LAG_MS: f64 = 5.0;

/// Durations in microseconds. All are kept, so percentiles are exact.
#[derive(Default)]
pub struct Samples(Vec<u64>);

impl Samples {
    pub fn add(&mut self, took: Duration) {
        self.0.push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Percentile in milliseconds; zero without samples.
    pub fn percentile(&mut self, percent: f64) -> f64 {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        let place = (self.0.len() as f64 * percent / 100.0).ceil() as usize;
        self.0.get(place.saturating_sub(1).min(last)).map_or(0.0, |micros| *micros as f64 / 1_000.0)
    }

    /// Reports the samples as the generator's lag behind its schedule, with a warning if it is
    /// large.
    pub fn report_as_lag(&mut self, load: &str, figures: &mut Figures) {
        let lag = self.percentile(99.0);
        figures.add(load, "lag of the generator, p99", lag, "ms");
        if lag > OWN_LAG_MS {
            eprintln!("warning: {load}: the generator was late, so these latencies include its own lag");
        }
    }
}

/// Runs `clients` concurrent loops for `length`. Each repeats `once` and samples its result.
pub async fn closed_loop<L, F>(
    load: &Arc<L>,
    clients: usize,
    length: Duration,
    once: impl Fn(Arc<L>) -> F + Copy + Send + Sync + 'static,
) -> Samples
where
    L: Send + Sync + 'static,
    F: Future<Output = Duration> + Send + 'static,
{
    let end = Instant::now() + length;
    let loops: Vec<_> = (0..clients)
        .map(|_| {
            let load = load.clone();
            tokio::spawn(async move {
                let mut took = Vec::new();
                while Instant::now() < end {
                    took.push(once(load.clone()).await);
                }
                took
            })
        })
        .collect();
    let mut samples = Samples::default();
    for one in loops {
        one.await.expect("no panic").into_iter().for_each(|took| samples.add(took));
    }
    samples
}

/// Arrival times of a Poisson process, the same in every run. They are computed beforehand, so that
/// a slow server does not reduce the load.
pub fn poisson(per_second: f64, length: Duration) -> Vec<Duration> {
    let mut random = SplitMix(0x5eed);
    let mut at = 0.0;
    let mut times = Vec::new();
    loop {
        at -= (1.0 - random.fraction()).ln() / per_second;
        if at >= length.as_secs_f64() {
            return times;
        }
        times.push(Duration::from_secs_f64(at));
    }
}

struct SplitMix(u64);

impl SplitMix {
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
