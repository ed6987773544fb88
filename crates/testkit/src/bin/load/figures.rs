//! What was measured, as a table for people and as JSON.

use serde_json::{Value, json};
use std::fmt::Write as _;

/// Rows in the order in which they were measured.
#[derive(Default)]
pub struct Figures(Vec<(String, String, f64, &'static str)>);

impl Figures {
    /// Adds a figure: under which load, what, how much, in which unit.
    pub fn add(&mut self, load: &str, what: &str, value: f64, unit: &'static str) {
        eprintln!("{load:<34} {what:<28} {value:>10.2} {unit}");
        self.0.push((load.into(), what.into(), value, unit));
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut last = "";
        for (load, what, value, unit) in &self.0 {
            let shown = if load == last { "" } else { load };
            let _ = writeln!(text, "| {shown:<34} | {what:<28} | {value:>10.2} {unit:<6} |");
            last = load;
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let row = |(load, what, value, unit): &(String, String, f64, &str)| json!({"load": load, "what": what, "value": value, "unit": unit});
        Value::Array(self.0.iter().map(row).collect())
    }
}
