//! Printing: results to standard output, errors to standard error.
//!
//! Write errors are ignored, so that a server whose output is piped into `head` keeps running.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

use anyhow::{Context as _, Result};
use serde::Serialize;

/// Prints a line.
pub fn line(text: impl Display) {
    text_now(&format!("{text}\n"));
}

/// Prints text without a line break and flushes.
pub fn text_now(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Prints a JSON document.
pub fn json(document: &impl Serialize) -> Result<()> {
    line(serde_json::to_string_pretty(document).context("cannot write JSON")?);
    Ok(())
}

/// Prints a new API key.
pub fn api_key(project: impl Display, key: &str) {
    line(format_args!("project  {project}"));
    line(format_args!("API key  {key}"));
    line("The key is shown only once. Send it in the header X-API-Key.");
}

/// Prints an error and its causes, innermost last. Skips causes that the message above contains.
pub fn failure(error: &anyhow::Error) {
    let mut last = error.to_string();
    let mut text = format!("error: {last}\n");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !last.contains(&cause) {
            text.push_str(&format!("  because: {cause}\n"));
            last = cause;
        }
    }
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// True if standard input and output are a terminal.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal()
}

/// Name by which this program was called, for commands that can be pasted.
pub fn program() -> String {
    std::env::args().next().filter(|name| !name.is_empty()).unwrap_or_else(|| "chasqui".to_owned())
}

/// Prints a note to standard error.
pub fn note(text: impl Display) {
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// Removes control characters except line breaks and tabs, so that foreign text cannot control the
/// terminal.
pub fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}
