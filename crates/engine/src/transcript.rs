//! A conversation as text that a model reads as data, for the judge and the simulated user.

/// What was said in the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The simulated user said it, else the agent.
    pub by_user: bool,
    /// What was said.
    pub text: String,
}

/// What was said, for a model that reads it as data: `User: …` and `Agent: …`, a blank line between them. Further lines
/// of a message are indented, so that nobody can write a line in the other's name.
pub(crate) fn transcript(lines: &[Line]) -> String {
    let line = |line: &Line| {
        let who = if line.by_user { "User" } else { "Agent" };
        format!("{who}: {}", data(&line.text).replace('\n', "\n  "))
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n\n")
}

/// A text that cannot open or close a section.
pub(crate) fn data(text: &str) -> String {
    text.trim().replace('\r', "").replace('<', "&lt;")
}

/// What stands in the only `<name>…</name>` of a text.
pub(crate) fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    if text.matches(&open).count() != 1 || text.matches(&close).count() != 1 {
        return None;
    }
    text.split_once(&open)?.1.split_once(&close).map(|(inside, _)| inside)
}
