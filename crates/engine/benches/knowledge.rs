//! Cost of indexing and searching the longest knowledge text.
//!
//! `cargo xtask bench engine` runs it and prints its table. Each figure is the median of its runs.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use engine::knowledge::Index;
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

const SIZE: usize = 5 << 20;
const BUILDS: usize = 7;
const SEARCHES: usize = 200;

fn main() {
    let five = ["refund of the price", "opening hours on sunday", "w100 w200 w300", "how do I return it?", "devolução"];
    println!("{:<28}{:>10}{:>12}{:>12}{:>10}", "5 MiB of", "build ms", "1 query ms", "5 queries", "MiB");
    for (name, text) in texts() {
        let text: Arc<str> = text.into();
        let build = median(BUILDS, || drop(black_box(Index::build(black_box(&text)))));
        let index = Index::build(&text);
        let search = |queries: &[&str]| {
            let queries: Vec<String> = queries.iter().map(|query| (*query).to_owned()).collect();
            median(SEARCHES, || drop(black_box(index.search(black_box(&queries)))))
        };
        let (one, all) = (search(&five[..1]), search(&five));
        let mebibytes = index.bytes() as f64 / f64::from(1 << 20);
        println!("{name:<28}{:>10.0}{:>12.2}{:>12.2}{mebibytes:>10.1}", millis(build), millis(one), millis(all));
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(runs: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[runs / 2]
}

/// An ordinary text, and those that cost most to cut and to index.
fn texts() -> Vec<(&'static str, String)> {
    let filled = |next: &mut dyn FnMut(&mut String)| {
        let mut text = String::with_capacity(SIZE + 100);
        while text.len() < SIZE {
            next(&mut text);
        }
        text.truncate(text.floor_char_boundary(SIZE));
        text
    };
    let mut seed = 1_u64;
    let mut number = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    let mut count = 0_u64;
    // Word frequencies as in natural language; sentences, paragraphs and headings.
    let mut ordinary = |text: &mut String| {
        count += 1;
        let rank = 40_000 / (1 + number() % 40_000);
        text.push_str(["the", "refund", "preço", "opening", "devolução", "price"][(rank % 6) as usize]);
        text.push_str(&format!("{rank} "));
        match count {
            count if count % 600 == 0 => text.push_str("\n\n## Another part\n\n"),
            count if count % 90 == 0 => text.push_str("end.\n\n"),
            count if count % 15 == 0 => text.push_str("end. "),
            _ => {}
        }
    };
    let ordinary = filled(&mut ordinary);
    let mut next = 0_u64;
    let distinct = filled(&mut |text| {
        next += 1;
        text.push_str(&format!("{next:x} "));
    });
    vec![
        ("ordinary text", ordinary),
        ("words that all differ", distinct),
        ("one word", "a".repeat(SIZE)),
        ("accents", "é".repeat(SIZE / 2)),
        ("Han without spaces", filled(&mut |text| text.push_str("退款政策在这里配送时间"))),
        ("emoji", "🦜".repeat(SIZE / 4)),
        ("white space", " ".repeat(SIZE)),
    ]
}
