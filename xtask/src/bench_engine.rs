//! `cargo xtask bench engine`: what a step of the engine costs, by the size of the graph and the
//! length of the history.
//!
//! `crates/engine/benches/advance.rs` measures; this module reads its table and adds ratios. A
//! ratio near 1 is the aim: cost follows the size of the change, not of the history.
//! `crates/engine/benches/knowledge.rs` measures knowledge texts.

use std::fs;

use anyhow::{Context, Result};
use serde_json::json;

use crate::process::{cargo, output_of, target_dir};

#[derive(Debug, Clone, PartialEq)]
struct Row {
    what: String,
    nodes: u64,
    messages: u64,
    nanoseconds: f64,
    allocations: f64,
    bytes: f64,
}

/// Measures, prints, and leaves the figures in `target/bench/engine.json`.
pub fn run() -> Result<()> {
    let output = output_of(cargo().args(["bench", "-p", "chasqui-engine", "--bench", "advance"]))?;
    let rows = read(&output).with_context(|| format!("this is not divan's table:\n{output}"))?;
    println!("{}", table(&rows));
    println!("{}", output_of(cargo().args(["bench", "-p", "chasqui-engine", "--bench", "knowledge"]))?);
    let figures: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({"what": row.what, "nodes": row.nodes, "messages": row.messages, "nanoseconds": row.nanoseconds,
                "allocations": row.allocations, "bytes": row.bytes})
        })
        .collect();
    let folder = target_dir().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let file = folder.join("engine.json");
    fs::write(&file, serde_json::to_string_pretty(&figures)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", file.display());
    Ok(())
}

/// Medians of time, and allocations of one call; the ratio is to the smallest graph and history.
fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<22}{:>6}{:>10}{:>12}{:>8}{:>13}{:>8}{:>10}{:>8}\n",
        "", "nodes", "messages", "ns", "ratio", "allocations", "ratio", "bytes", "ratio"
    );
    for row in rows {
        let Some(first) = rows.iter().find(|first| first.what == row.what) else { continue };
        let ratio = |now: f64, then: f64| if then > 0.0 { format!("{:.2}", now / then) } else { String::new() };
        text.push_str(&format!(
            "{:<22}{:>6}{:>10}{:>12.0}{:>8}{:>13.0}{:>8}{:>10.0}{:>8}\n",
            row.what.replace('_', " "),
            row.nodes,
            row.messages,
            row.nanoseconds,
            ratio(row.nanoseconds, first.nanoseconds),
            row.allocations,
            ratio(row.allocations, first.allocations),
            row.bytes,
            ratio(row.bytes, first.bytes),
        ));
    }
    text
}

/// Reads divan's tree: a line for each benchmark, one for each pair of arguments, and below it what
/// was allocated.
fn read(output: &str) -> Option<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    let mut what = String::new();
    let mut lines = output.lines();
    while let Some(line) = lines.next() {
        let rest = without_tree(line);
        if let Some((arguments, columns)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            let (nodes, messages) = arguments.split_once(", ")?;
            let (nodes, messages) = (nodes.parse().ok()?, messages.parse().ok()?);
            let nanoseconds = median(columns)?;
            rows.push(Row { what: what.clone(), nodes, messages, nanoseconds, allocations: 0.0, bytes: 0.0 });
        } else if rest.starts_with("alloc:") {
            let row = rows.last_mut()?;
            row.allocations = median(without_tree(lines.next()?))?;
            row.bytes = median(without_tree(lines.next()?))?;
        } else if line.starts_with(['├', '╰']) {
            what = rest.split_whitespace().next()?.to_owned();
        }
    }
    (!rows.is_empty()).then_some(rows)
}

fn without_tree(line: &str) -> &str {
    line.trim_start_matches(['│', '├', '╰', '─', ' '])
}

/// The third column, in nanoseconds, bytes or as it is.
fn median(columns: &str) -> Option<f64> {
    let mut words = columns.split('│').nth(2)?.split_whitespace();
    let number: f64 = words.next()?.parse().ok()?;
    let unit = match words.next() {
        None | Some("ns" | "B") => 1.0,
        Some("µs" | "KB") => 1e3,
        Some("ms" | "MB") => 1e6,
        Some("s" | "GB") => 1e9,
        Some(_) => return None,
    };
    Some(number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
advance                  fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ a_message_comes                     │               │               │               │         │
│  ├─ (3, 10)            13.25 µs      │ 101.4 µs      │ 13.56 µs      │ 14.65 µs      │ 100     │ 100
│  │                     max alloc:    │               │               │               │         │
│  │                       70          │ 70            │ 70            │ 70            │         │
│  │                       8.263 KB    │ 8.263 KB      │ 8.263 KB      │ 8.263 KB      │         │
│  │                     alloc:        │               │               │               │         │
│  │                       208         │ 208           │ 208           │ 208           │         │
│  │                       16.36 KB    │ 16.36 KB      │ 16.36 KB      │ 16.36 KB      │         │
│  ╰─ (200, 400)         900 ns        │ 1 µs          │ 27.12 µs      │ 2 µs          │ 100     │ 100
│                        alloc:        │               │               │               │         │
│                          213         │ 213           │ 416           │ 213           │         │
│                          16.76 KB    │ 16.76 KB      │ 100 B         │ 16.76 KB      │         │
";

    #[test]
    fn table_is_read_and_compared_with_its_first_row() {
        let rows = read(OUTPUT).unwrap();
        assert_eq!((rows.len(), rows[0].what.as_str()), (2, "a_message_comes"));
        assert_eq!((rows[0].nanoseconds, rows[0].allocations, rows[0].bytes), (13_560.0, 208.0, 16_360.0));
        assert_eq!((rows[1].nodes, rows[1].messages, rows[1].bytes), (200, 400, 100.0));
        let table = table(&rows);
        assert!(table.lines().nth(2).unwrap().contains("2.00"), "{table}");
        assert_eq!(read("nothing"), None);
    }
}
