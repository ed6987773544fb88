//! How a phone looks in a terminal, line by line; plain lines where there is none.

use crate::{client::Message, output};

const PROMPT: &str = "> ";
/// Back to the start of the line and away with what stands there: the prompt.
const CLEAR: &str = "\r\x1b[K";
const UP_AND_CLEAR: &str = "\x1b[1A\r\x1b[K";

/// What can be typed.
pub const HELP: &str = "a line is a message · /read reads everything so far · /quit or Ctrl-D ends · /help shows this";

/// Where a phone is shown.
pub struct Screen {
    terminal: bool,
}

/// Something to show.
pub enum Shown<'t> {
    /// From the business.
    Answer(&'t str),
    /// From this person, but not typed here.
    Own(&'t str),
    /// The business is typing.
    Typing,
    /// The business has read this person's messages.
    Read,
    /// About the phone itself.
    Note(&'t str),
}

impl<'t> Shown<'t> {
    /// A message of either side.
    pub fn of(message: &'t Message) -> Self {
        if message.is_answer { Self::Answer(&message.text) } else { Self::Own(&message.text) }
    }
}

impl Screen {
    /// Of this process.
    pub fn new() -> Self {
        Self { terminal: output::is_terminal() }
    }

    /// Whether somebody types.
    pub const fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The first lines.
    pub fn start(&self, who: &str) {
        if self.terminal {
            output::line(format_args!("The phone of {who}. {HELP}"));
            self.prompt();
        }
    }

    /// Leaves a clean line behind.
    pub fn end(&self) {
        if self.terminal {
            output::text_now(CLEAR);
        }
    }

    /// Ready for the next line.
    pub fn prompt(&self) {
        if self.terminal {
            output::text_now(PROMPT);
        }
    }

    /// The typed line becomes a message with one tick: WhatsApp has it.
    pub fn sent(&self, text: &str) {
        if self.terminal {
            output::text_now(UP_AND_CLEAR);
        }
        output::line(format_args!("you: {text}  ✓"));
        self.prompt();
    }

    /// A line above the prompt.
    pub fn show(&self, shown: Shown<'_>) {
        if self.terminal {
            output::text_now(CLEAR);
        }
        match shown {
            Shown::Answer(text) => output::line(indented("business: ", text)),
            Shown::Own(text) => output::line(indented("you: ", text)),
            Shown::Typing => output::line("  … typing"),
            Shown::Read => output::line("  ✓✓ read"),
            Shown::Note(text) => output::line(format_args!("  ({text})")),
        }
        self.prompt();
    }
}

/// Lines after the first stand under its text.
fn indented(name: &str, text: &str) -> String {
    let margin = format!("\n{}", " ".repeat(name.len()));
    format!("{name}{}", output::printable(text).lines().collect::<Vec<_>>().join(&margin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_message_stand_under_each_other() {
        assert_eq!(indented("you: ", "one\ntwo"), "you: one\n     two");
    }
}
