//! The rehearsal of a test: plays the simulated user by the lines of its script, and grades by the words of the rubric.
//!
//! Both are told apart from an agent's request by the one tool that is offered. What the agent says counts, and nothing else:
//! words of the person that speak to the judge are not looked at.

use domain::chat::{ChatMessage, ModelRequest, ToolCall};
use serde_json::{Value, json};

const PLAY: &str = "send_user_message";
const GRADE: &str = "grade_conversation";
/// Shorter words say little about a subject.
const SHORTEST: usize = 4;

/// The call that answers a request of a test; `None` for requests of agents.
pub(super) fn answer(request: &ModelRequest) -> Option<ToolCall> {
    let [tool] = request.tools.as_slice() else { return None };
    let ChatMessage::User { content } = request.messages.last()? else { return None };
    let arguments = match tool.name.as_str() {
        PLAY => json!({"message": play(section(content, "script")?, section(content, "transcript")?)}),
        GRADE => grade(section(content, "rubric")?, section(content, "transcript")?),
        _ => return None,
    };
    Some(ToolCall { id: "call_1".into(), name: tool.name.clone(), arguments })
}

fn section<'a>(content: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = content.split_once(&format!("<{name}>\n"))?;
    rest.split_once(&format!("\n</{name}>")).map(|(inside, _)| inside)
}

/// The first instruction that was not said yet.
fn play(script: &str, transcript: &str) -> String {
    let said = transcript.lines().filter(|line| line.starts_with("User: ")).count();
    instructions(script).get(said).map_or_else(|| "CONVERSATION_ENDED".into(), |next| spoken(next))
}

/// The lines of a text, without numbers and bullets; `1. say A 2. say B` are two.
fn instructions(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for line in text.lines() {
        found.push(String::new());
        for word in line.split_whitespace() {
            let number =
                word.strip_suffix(['.', ')']).is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()));
            match found.last_mut() {
                _ if number => found.push(String::new()),
                Some(last) if last.is_empty() && matches!(word, "-" | "*") => {}
                Some(last) => {
                    last.push_str(if last.is_empty() { "" } else { " " });
                    last.push_str(word);
                }
                None => {}
            }
        }
    }
    found.retain(|item| !item.is_empty());
    found
}

/// `say "Hello"` is said as `Hello`.
fn spoken(instruction: &str) -> String {
    let start = instruction.get(..4).filter(|start| start.eq_ignore_ascii_case("say ")).map_or(0, str::len);
    instruction[start..].trim().trim_matches('"').to_owned()
}

/// An item passes when the agent said everything that it quotes, or, where it quotes nothing, half of its words.
fn grade(rubric: &str, transcript: &str) -> Value {
    let said = agent_words(transcript);
    let items = instructions(rubric);
    let passed: Vec<bool> = items.iter().map(|item| passes(item, &said)).collect();
    let marks = items.iter().zip(&passed);
    let lines = marks.map(|(item, passed)| format!("- [{}] {item}", if *passed { "pass" } else { "fail" }));
    let feedback = format!(
        "Rehearsal: graded by the words of the rubric, not by an AI.\n{}",
        lines.collect::<Vec<_>>().join("\n")
    );
    let count = |number: usize| u32::try_from(number).map_or(f64::MAX, f64::from);
    let score = count(passed.iter().filter(|passed| **passed).count()) / count(items.len().max(1));
    json!({"score": score, "feedback": feedback})
}

fn agent_words(transcript: &str) -> String {
    let mut agent = false;
    let mut said = String::new();
    for line in transcript.lines() {
        // Further lines of a message are indented.
        if !line.starts_with("  ") && !line.is_empty() {
            agent = line.starts_with("Agent: ");
        }
        if agent {
            said.push_str(line.strip_prefix("Agent: ").unwrap_or(line));
            said.push('\n');
        }
    }
    said.to_lowercase()
}

fn passes(item: &str, said: &str) -> bool {
    let quoted: Vec<String> = item.split('"').skip(1).step_by(2).map(str::to_lowercase).collect();
    if !quoted.is_empty() {
        return quoted.iter().all(|phrase| said.contains(phrase.as_str()));
    }
    let lower = item.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= SHORTEST);
    let words: Vec<bool> = words.map(|word| said.contains(word)).collect();
    !words.is_empty() && words.iter().filter(|found| **found).count() * 2 >= words.len()
}
