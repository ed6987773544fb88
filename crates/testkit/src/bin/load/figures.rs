//! Measured figures, as a table and as JSON.

use serde_json::{Value, json};
use std::fmt::Write as _;

/// Figures in order of measurement.
#[derive(Default)]
pub struct Figures(Vec<(String, String, f64, &'static str)>);

impl Figures {
    /// Adds and prints a figure.
    pub fn add(&mut self, load: &str, what: &str, value: f64, unit: &'static str) {
        eprintln!("{load:<34} {what:<28} {value:>10.2} {unit}");
        self.0.push((load.into(), what.into(), value, unit));
    }

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

    pub fn json(&self) -> Value {
        let row = |(load, what, value, unit): &(String, String, f64, &str)| json!({"load": load, "what": what, "value": value, "unit": unit});
        Value::Array(self.0.iter().map(row).collect())
    }
}
