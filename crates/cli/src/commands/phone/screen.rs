//! Terminal output of the interactive phone; plain lines without a terminal.

use crate::{client::Message, output};

const PROMPT: &str = "> ";
/// Moves to the start of the line and clears it: removes the prompt.
const CLEAR: &str = "\r\x1b[K";
const UP_AND_CLEAR: &str = "\x1b[1A\r\x1b[K";

pub const HELP: &str = "a line is sent as a message · /tap NUMBER taps a button or list row · /file PATH [CAPTION] sends a file · \
     /edit TEXT and /delete change your latest message · /read marks all messages as read · /quit or Ctrl-D quits · /help shows this";

pub struct Screen {
    terminal: bool,
}

pub enum Shown<'t> {
    /// Message from the business.
    Answer(String),
    /// Message from this contact, sent elsewhere.
    Own(String),
    /// The business is typing.
    Typing,
    /// The business has read this contact's messages.
    Read,
    /// Note about the phone itself.
    Note(&'t str),
}

impl Shown<'_> {
    pub fn of(message: &Message) -> Self {
        let text = message.with_choices();
        if message.is_answer { Self::Answer(text) } else { Self::Own(text) }
    }
}

impl Screen {
    pub fn new() -> Self {
        Self { terminal: output::is_terminal() }
    }

    pub const fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Prints the help and the first prompt.
    pub fn start(&self, contact: &str) {
        if self.terminal {
            output::line(format_args!("Phone {contact}: {HELP}"));
            self.prompt();
        }
    }

    /// Clears the prompt.
    pub fn end(&self) {
        if self.terminal {
            output::text_now(CLEAR);
        }
    }

    pub fn prompt(&self) {
        if self.terminal {
            output::text_now(PROMPT);
        }
    }

    /// Replaces the typed line with the sent message and one tick, as WhatsApp shows it.
    pub fn sent(&self, text: &str) {
        if self.terminal {
            output::text_now(UP_AND_CLEAR);
        }
        output::line(format_args!("you: {text}  ✓"));
        self.prompt();
    }

    /// Prints a line above the prompt.
    pub fn show(&self, shown: Shown<'_>) {
        if self.terminal {
            output::text_now(CLEAR);
        }
        match shown {
            Shown::Answer(text) => output::line(indented("business: ", &text)),
            Shown::Own(text) => output::line(indented("you: ", &text)),
            Shown::Typing => output::line("  … typing"),
            Shown::Read => output::line("  ✓✓ read"),
            Shown::Note(text) => output::line(format_args!("  ({text})")),
        }
        self.prompt();
    }
}

/// Indents the following lines to the start of the text.
fn indented(name: &str, text: &str) -> String {
    let margin = format!("\n{}", " ".repeat(name.len()));
    format!("{name}{}", output::printable(text).lines().collect::<Vec<_>>().join(&margin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiline_messages_are_indented() {
        assert_eq!(indented("you: ", "one\ntwo"), "you: one\n     two");
    }
}
