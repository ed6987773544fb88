//! What was said and what was checked, with times from the start; printed as it happens or as one document at the end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use domain::chat::ModelChoice;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{output, stack::is_rehearsal};

/// Everything that one demo leaves behind.
pub struct Record {
    started: Instant,
    prints: bool,
    transcript: Vec<Line>,
    /// In the order in which they were made.
    pub checks: Vec<Check>,
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// The model that answered; unknown if the server did not start.
    pub model: Option<ModelChoice>,
}

#[derive(Serialize)]
struct Line {
    at: f64,
    from: Speaker,
    text: String,
}

/// Who does or says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The customer.
    Phone,
    /// The business, as it appears on the customer's phone.
    Agent,
    /// A customer of the REST API.
    Api,
    /// This program.
    System,
}

impl Speaker {
    const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Agent => "agent",
            Self::Api => "api",
            Self::System => "system",
        }
    }
}

/// Something that must be so.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What must be so.
    pub name: &'static str,
    /// Whether it is.
    pub ok: bool,
    /// What was seen instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

impl Record {
    /// `prints`: each line at once.
    pub fn new(prints: bool) -> Self {
        Self {
            started: Instant::now(),
            prints,
            transcript: Vec::new(),
            checks: Vec::new(),
            database: "sqlite",
            model: None,
        }
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Since the start, to the hundredth.
    pub fn seconds(&self) -> f64 {
        (self.elapsed().as_secs_f64() * 100.0).round() / 100.0
    }

    /// Somebody says or does something now.
    pub fn say(&mut self, from: Speaker, text: &str) {
        let at = self.seconds();
        if self.prints {
            let shown = output::printable(text).replace('\n', "\n                   ");
            output::line(format_args!("{at:>7.2} s  {:<6}  {shown}", from.name()));
        }
        self.transcript.push(Line { at, from, text: text.to_owned() });
    }

    /// Notes a check, and ends the demo if it failed. `seen` says what was seen instead.
    pub fn check(&mut self, name: &'static str, ok: bool, seen: impl FnOnce() -> String) -> Result<()> {
        let seen = (!ok).then(seen);
        if self.prints && ok {
            output::line(format_args!("           ✓ {name}"));
        }
        let failed = seen.clone();
        self.checks.push(Check { name, ok, seen });
        match failed {
            Some(seen) => bail!("check failed: {name}: {seen}"),
            None => Ok(()),
        }
    }

    /// The whole as one document.
    pub fn document(&self, debounce_seconds: u64, failed: Option<&anyhow::Error>) -> Value {
        let model = self.model.as_ref().map(
            |model| json!({"provider": model.provider, "model": model.model, "is_rehearsal": is_rehearsal(model)}),
        );
        let mut document = json!({
            "ok": failed.is_none(),
            "debounce_seconds": debounce_seconds,
            "database": self.database,
            "model": model,
            "seconds": self.seconds(),
            "transcript": self.transcript,
            "checks": self.checks,
        });
        if let Some(error) = failed {
            document["error"] = json!(format!("{error:#}"));
        }
        document
    }
}
