//! The two other parts of a test run: the simulated user and the judge.
//!
//! The user says the lines of its script one by one. The judge looks for the words of the rubric in
//! the texts of the agent; texts of the user do not count.

use domain::chat::{ChatMessage, ModelRequest};
use domain::tool_names::{GRADE_CONVERSATION, SEND_USER_MESSAGE};
use serde_json::{Value, json};

/// Shorter words say little about a subject.
const SHORTEST_WORD: usize = 4;

/// The call that answers a request of a test run; None for requests of agents.
pub(crate) fn answer(request: &ModelRequest) -> Option<(String, Value)> {
    let [tool] = request.tools.as_slice() else { return None };
    let ChatMessage::User { content, .. } = request.messages.last()? else { return None };
    let transcript = || section(content, "transcript");
    let arguments = match tool.name.as_str() {
        SEND_USER_MESSAGE => json!({"message": next_line(section(content, "script")?, transcript()?)}),
        GRADE_CONVERSATION => grade(section(content, "rubric")?, transcript()?),
        _ => return None,
    };
    Some((tool.name.clone(), arguments))
}

fn section<'a>(content: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = content.split_once(&format!("<{name}>\n"))?;
    rest.split_once(&format!("\n</{name}>")).map(|(inside, _)| inside)
}

/// The first instruction of the script that is not used yet. `say "Hello"` is sent as `Hello`.
fn next_line(script: &str, transcript: &str) -> String {
    let used = transcript.lines().filter(|line| line.starts_with("User: ")).count();
    let lines = items(script);
    let Some(line) = lines.get(used) else { return "CONVERSATION_ENDED".to_owned() };
    let start = line.get(..4).filter(|start| start.eq_ignore_ascii_case("say ")).map_or(0, str::len);
    line[start..].trim().trim_matches('"').to_owned()
}

/// The lines of a text without numbers and bullets; `1. say A 2. say B` are two.
fn items(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    for word in text.lines().flat_map(|line| std::iter::once("\n").chain(line.split_whitespace())) {
        let digits = word.strip_suffix(['.', ')']).unwrap_or_default();
        if word == "\n" || digits.parse::<u32>().is_ok() {
            items.push(String::new());
        } else if let Some(last) = items.last_mut().filter(|last| !(last.is_empty() && matches!(word, "-" | "*"))) {
            last.push_str(if last.is_empty() { "" } else { " " });
            last.push_str(word);
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

fn grade(rubric: &str, transcript: &str) -> Value {
    let texts = agent_texts(transcript);
    let (mut passed, mut feedback) = (0.0, "Rehearsal: graded by the words of the rubric, not by an AI.".to_owned());
    let items = items(rubric);
    for item in &items {
        let passes = passes(item, &texts);
        passed += f64::from(u8::from(passes));
        feedback += &format!("\n- [{}] {item}", if passes { "pass" } else { "fail" });
    }
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX).max(1);
    json!({"score": passed / f64::from(count), "feedback": feedback})
}

fn agent_texts(transcript: &str) -> String {
    let mut is_agent = false;
    let lines = transcript.lines().filter(|line| {
        // Further lines of a message are indented.
        if !line.starts_with("  ") && !line.is_empty() {
            is_agent = line.starts_with("Agent: ");
        }
        is_agent
    });
    lines.collect::<Vec<_>>().join("\n").to_lowercase()
}

/// An item passes with everything that it quotes, or with half of its words where it quotes
/// nothing.
fn passes(item: &str, texts: &str) -> bool {
    let item = item.to_lowercase();
    let mut quoted = item.split('"').skip(1).step_by(2).peekable();
    if quoted.peek().is_some() {
        return quoted.all(|phrase| texts.contains(phrase));
    }
    let words = item.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= SHORTEST_WORD);
    let found: Vec<bool> = words.map(|word| texts.contains(word)).collect();
    !found.is_empty() && found.iter().filter(|found| **found).count() * 2 >= found.len()
}
