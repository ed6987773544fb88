//! Reasoning that is marked by words at the beginnings of lines.

use super::separated::Separated;

/// Beginning of the text, beginning of the answer. Compared in lower case, without `*`, `#` and
/// blanks around.
const LABELS: [(&str, &[&str]); 9] = [
    // ReAct prompts.
    ("thought:", &["final answer:"]),
    ("thoughts:", &["final answer:", "answer:", "response:", "reply:"]),
    // Granite.
    ("here is my thought process:", &["here is my response:"]),
    // Ollama's command line.
    ("thinking...", &["...done thinking."]),
    ("thinking process:", &["final answer:", "answer:", "response:", "reply:"]),
    ("thought process:", &["final answer:", "answer:", "response:", "reply:"]),
    ("chain of thought:", &["final answer:", "answer:", "response:", "reply:"]),
    ("internal reasoning:", &["final answer:", "answer:", "response:", "reply:"]),
    ("internal monologue:", &["final answer:", "answer:", "response:", "reply:"]),
];
/// These may begin a message as well: they count only with an answer after them.
const WEAK: [&str; 2] = ["reasoning:", "analysis:"];
const WEAK_ANSWERS: [&str; 4] = ["final answer:", "answer:", "response:", "reply:"];

pub(super) fn after_label(text: &str, found: &mut Separated) -> String {
    let start = plain(text);
    if let Some((_, answers)) = LABELS.iter().find(|(label, _)| start.starts_with(label)) {
        let said = split(text, answers).unwrap_or((text, ""));
        found.hide(said.0);
        return said.1.to_owned();
    }
    if WEAK.iter().any(|label| start.starts_with(label))
        && let Some((private, said)) = split(text, &WEAK_ANSWERS)
    {
        found.hide(private);
        return said.to_owned();
    }
    text.to_owned()
}

/// Splits at the last line that begins with one of these labels; the label is left out.
fn split<'a>(text: &'a str, answers: &[&str]) -> Option<(&'a str, &'a str)> {
    let mut found = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let begins = plain(line);
        if let Some(label) = answers.iter().find(|label| begins.starts_with(*label)) {
            // Length of the label with its marks: ends at the label's last character.
            let last = label.chars().next_back().unwrap_or(':');
            let colon = line.char_indices().filter(|(_, c)| *c == last).map(|(at, c)| at + c.len_utf8());
            let wanted = label.matches(last).count();
            let end = colon.take(wanted).last().unwrap_or(line.len());
            let said = &text[at + end..];
            // The label's own bold mark, not one of the answer.
            let bold = ["**", "__", "*", "_"].iter().find(|mark| line.trim_start().starts_with(*mark));
            found = Some((&text[..at], bold.and_then(|mark| said.strip_prefix(mark)).unwrap_or(said)));
        }
        at += line.len();
    }
    found
}

/// The first 200 characters in lower case, without leading marks; bold marks inside are dropped.
fn plain(text: &str) -> String {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '#' | '_'));
    text.chars().take(200).filter(|c| *c != '*').collect::<String>().to_lowercase()
}
