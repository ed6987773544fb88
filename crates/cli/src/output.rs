//! Everything that is printed.
//!
//! Results go to standard output, errors to standard error. A reader that went away is no reason to fail: a server
//! whose output is piped into `head` goes on serving.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

use anyhow::{Context as _, Result};
use serde::Serialize;

/// One line.
pub fn line(text: impl Display) {
    text_now(&format!("{text}\n"));
}

/// Text as it stands, shown at once.
pub fn text_now(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// One JSON document.
pub fn json(document: &impl Serialize) -> Result<()> {
    line(serde_json::to_string_pretty(document).context("cannot write JSON")?);
    Ok(())
}

/// An error and what caused it, innermost last. Causes that an outer message already tells are left out.
pub fn failure(error: &anyhow::Error) {
    let mut told = error.to_string();
    let mut text = format!("error: {told}\n");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !told.contains(&cause) {
            text.push_str(&format!("  because: {cause}\n"));
            told = cause;
        }
    }
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Whether a person looks at the output.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal()
}

/// How this program was called, for commands that work when they are pasted.
pub fn program() -> String {
    std::env::args().next().filter(|name| !name.is_empty()).unwrap_or_else(|| "chasqui".to_owned())
}

/// Something to know that is no result: standard error.
pub fn note(text: impl Display) {
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// A text of somebody else's: it may hold line breaks, but nothing that moves the cursor or changes colours.
pub fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}
