//! A conversation as text that a model reads as data, for the judge and the simulated user.

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Sent by the simulated user, else by the agent.
    pub by_user: bool,
    pub text: String,
}

/// The conversation for a model that reads it as data: `User: …` and `Agent: …`, separated by blank
/// lines. Further lines of a message are indented, so that neither side can fake a line of the
/// other.
pub(crate) fn transcript(lines: &[Line]) -> String {
    let line = |line: &Line| {
        let who = if line.by_user { "User" } else { "Agent" };
        format!("{who}: {}", data(&line.text).replace('\n', "\n  "))
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n\n")
}

/// Escapes a text, so that it cannot open or close a section.
pub(crate) fn data(text: &str) -> String {
    text.trim().replace('\r', "").replace('<', "&lt;")
}

/// The content of the only `<name>…</name>` of a text.
pub(crate) fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    if text.matches(&open).count() != 1 || text.matches(&close).count() != 1 {
        return None;
    }
    text.split_once(&open)?.1.split_once(&close).map(|(inside, _)| inside)
}
