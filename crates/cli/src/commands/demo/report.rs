//! Transcript and checks of a demo, with times; printed live or as one JSON document at the end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use domain::chat::ModelChoice;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{output, stack::is_rehearsal};

pub struct Report {
    started: Instant,
    prints: bool,
    transcript: Vec<Line>,

    pub checks: Vec<Check>,
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// Model that answered; `None` if the server did not start.
    pub model: Option<ModelChoice>,
}

#[derive(Serialize)]
struct Line {
    at: f64,
    from: Speaker,
    text: String,
}

/// Source of a transcript line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// Message from the customer.
    Phone,
    /// Message from the business, as it appears on the customer's phone.
    Agent,
    /// Call of the REST API or its result.
    Api,
    /// Message of this program.
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

/// Result of a check.
#[derive(Debug, Serialize)]
pub struct Check {
    /// The expected behaviour.
    pub name: &'static str,
    pub ok: bool,
    /// Observed behaviour, for failed checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

impl Report {
    /// With `prints`, each line is printed at once.
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

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Seconds since the start, rounded to hundredths.
    pub fn seconds(&self) -> f64 {
        (self.elapsed().as_secs_f64() * 100.0).round() / 100.0
    }

    /// Adds a line to the transcript.
    pub fn add(&mut self, from: Speaker, text: &str) {
        let at = self.seconds();
        if self.prints {
            let shown = output::printable(text).replace('\n', "\n                   ");
            output::line(format_args!("{at:>7.2} s  {:<6}  {shown}", from.name()));
        }
        self.transcript.push(Line { at, from, text: text.to_owned() });
    }

    /// Adds a check; an error if it failed. `seen` describes the observed behaviour.
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

    /// The report as JSON.
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
