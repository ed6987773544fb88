//! The history in a form that the strictest provider takes: begins with a message of the contact,
//! roles alternate, results follow their calls in order, nothing is blank, and the last word is not
//! the agent's. Renderers only translate it.

use crate::llm::adaptation::Adaptation;
use domain::{
    chat::{ChatMessage, ModelRequest, ToolCall},
    numbers,
    picture::PictureSource,
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap, HashSet},
};

/// Stands where a provider wants a message of the contact and there is none.
const BEGINS: &str = "[system note] The conversation begins.";
const CONTINUE: &str = "[system note] Continue.";
/// Result of a call that has none.
const INTERRUPTED: &str = r#"{"error":"interrupted"}"#;
/// Content of a result that is blank.
const BLANK: &str = "(empty)";
/// Longest name that every provider accepts.
const NAME: usize = 64;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Turn<'a> {
    /// Of the contact, a system or the engine.
    User(Vec<Part<'a>>),
    Agent(Answer<'a>),
    /// The results of the calls of the turn before, in their order.
    Results(Vec<Outcome<'a>>),
}

/// A part of an input.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part<'a> {
    Text(Cow<'a, str>),
    /// Before the text that it came with: Anthropic and Google advise that order.
    Picture(Shown<'a>),
}

/// A picture of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown<'a> {
    pub mime_type: &'a str,
    /// Base64, or what stands for it where the request is only shown.
    pub data: Cow<'a, str>,
}

/// An answer of the agent, with text or calls.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Answer<'a> {
    pub texts: Vec<Cow<'a, str>>,
    pub calls: Vec<Call<'a>>,
    /// Of this provider only.
    pub opaque: Option<&'a Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call<'a> {
    /// Nine letters and digits.
    pub id: String,
    pub name: Cow<'a, str>,
    pub arguments: Cow<'a, Map<String, Value>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome<'a> {
    pub id: String,
    /// Name of the tool.
    pub name: Cow<'a, str>,
    pub content: Cow<'a, str>,
}

impl Answer<'_> {
    pub(super) fn text(&self) -> Option<String> {
        (!self.texts.is_empty()).then(|| self.texts.join("\n\n"))
    }
}

/// Returns the system prompt, unless it is blank. For a server that takes none, puts it into the first
/// message instead.
pub(super) fn system<'a>(
    request: &'a ModelRequest,
    turns: &mut [Turn<'a>],
    adapted: &BTreeSet<Adaptation>,
) -> Option<&'a str> {
    let system = Some(request.system.as_str()).filter(|system| !system.trim().is_empty())?;
    if !adapted.contains(&Adaptation::SystemInUser) {
        return Some(system);
    }
    if let Some(Turn::User(parts)) = turns.first_mut() {
        parts.insert(0, Part::Text(system.into()));
    }
    None
}

/// The turns of a request with these of its pictures. Opaque parts of other providers than `provider`
/// are left out.
pub(super) fn turns<'a>(request: &'a ModelRequest, provider: &str, shown: &'a [PictureSource]) -> Vec<Turn<'a>> {
    let mut results = results_by_call(&request.messages);
    let mut ids = Ids::default();
    let mut turns = Vec::new();
    for message in &request.messages {
        match message {
            ChatMessage::User { content, pictures } => {
                for source in pictures.iter().filter_map(|id| shown.iter().find(|one| one.message_id == *id)) {
                    say(&mut turns, Part::Picture(picture(request, source)));
                }
                if !content.trim().is_empty() {
                    say(&mut turns, Part::Text(Cow::Borrowed(content)));
                }
            }
            ChatMessage::Tool { .. } => {}
            ChatMessage::Assistant { content, tool_calls, opaque } => {
                let opaque = opaque.as_ref().filter(|opaque| opaque.provider == provider).map(|opaque| &opaque.parts);
                let text = content.as_deref().filter(|text| !text.trim().is_empty());
                answer(&mut turns, &mut ids, text, tool_calls, opaque, &mut results);
            }
        }
    }
    if !matches!(turns.first(), Some(Turn::User(_))) {
        turns.insert(0, Turn::User(vec![Part::Text(Cow::Borrowed(BEGINS))]));
    }
    if matches!(turns.last(), Some(Turn::Agent(_))) {
        say(&mut turns, Part::Text(Cow::Borrowed(CONTINUE)));
    }
    turns
}

fn say<'a>(turns: &mut Vec<Turn<'a>>, part: Part<'a>) {
    match turns.last_mut() {
        Some(Turn::User(parts)) => parts.push(part),
        _ => turns.push(Turn::User(vec![part])),
    }
}

/// A picture with its bytes, or with its marker in a request that is only shown.
fn picture<'a>(request: &'a ModelRequest, source: &'a PictureSource) -> Shown<'a> {
    let loaded = request.pictures.iter().find(|picture| picture.source == *source);
    let data = loaded.map_or_else(|| Cow::Owned(source.marker()), |picture| Cow::Borrowed(&*picture.data));
    Shown { mime_type: &source.mime_type, data }
}

fn answer<'a>(
    turns: &mut Vec<Turn<'a>>,
    ids: &mut Ids,
    text: Option<&'a str>,
    calls: &'a [ToolCall],
    opaque: Option<&'a Value>,
    results: &mut HashMap<&'a str, Vec<&'a str>>,
) {
    if text.is_none() && calls.is_empty() {
        return;
    }
    if !matches!(turns.last(), Some(Turn::Agent(_))) {
        turns.push(Turn::Agent(Answer::default()));
    }
    let Some(Turn::Agent(answer)) = turns.last_mut() else { return };
    answer.texts.extend(text.map(Cow::Borrowed));
    // Parts belong to the calls of their own answer; a later answer without calls has none to lose.
    answer.opaque = opaque.or(answer.opaque);
    let mut outcomes = Vec::with_capacity(calls.len());
    for call in calls {
        let (id, name) = (ids.of(&call.id), usable_name(&call.name));
        let given = results.get_mut(call.id.as_str()).filter(|given| !given.is_empty()).map(|given| given.remove(0));
        let content = given.map_or(INTERRUPTED, |content| if content.trim().is_empty() { BLANK } else { content });
        outcomes.push(Outcome { id: id.clone(), name: name.clone(), content: Cow::Borrowed(content) });
        answer.calls.push(Call { id, name, arguments: arguments(&call.arguments) });
    }
    if !outcomes.is_empty() {
        turns.push(Turn::Results(outcomes));
    }
}

fn results_by_call(messages: &[ChatMessage]) -> HashMap<&str, Vec<&str>> {
    let mut results: HashMap<&str, Vec<&str>> = HashMap::new();
    for message in messages {
        if let ChatMessage::Tool { call_id, content } = message {
            results.entry(call_id).or_default().push(content);
        }
    }
    results
}

/// Some servers parse the arguments of earlier calls: text that was not JSON becomes a member.
fn arguments(value: &Value) -> Cow<'_, Map<String, Value>> {
    match value {
        Value::Object(fields) => Cow::Borrowed(fields),
        Value::Null => Cow::Owned(Map::new()),
        other => Cow::Owned(
            other
                .as_str()
                .and_then(with_long_numbers)
                .unwrap_or_else(|| Map::from_iter([("malformed".to_owned(), other.clone())])),
        ),
    }
}

/// Arguments that are text because parsing would round a number (`domain::numbers`): such numbers
/// become strings of their digits.
fn with_long_numbers(text: &str) -> Option<Map<String, Value>> {
    let mut fields: Map<String, Value> = serde_json::from_str(&numbers::marked(text)?).ok()?;
    fields.values_mut().for_each(without_marks);
    Some(fields)
}

fn without_marks(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(digits) = numbers::digits(text) {
                *text = digits.to_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_marks),
        Value::Object(fields) => fields.values_mut().for_each(without_marks),
        _ => {}
    }
}

fn usable_name(name: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && name.len() <= NAME && name.chars().all(fits) {
        return Cow::Borrowed(name);
    }
    let name: String = name.chars().map(|c| if fits(c) { c } else { '_' }).take(NAME - 1).collect();
    Cow::Owned(if begins { name } else { format!("_{name}") })
}

/// Ids of calls in the strictest form, Mistral's: nine letters and digits. An id depends on the
/// calls before it only, so that a longer history keeps the bytes of a shorter one.
#[derive(Default)]
struct Ids(HashSet<String>);

impl Ids {
    fn of(&mut self, id: &str) -> String {
        let fits = id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let mut short = if fits { id.to_owned() } else { nine(id) };
        for again in 1.. {
            if self.0.insert(short.clone()) {
                break;
            }
            short = nine(&format!("{id}/{again}"));
        }
        short
    }
}

fn nine(id: &str) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digest = Sha256::digest(id);
    digest.iter().take(9).map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

/// Definitions of tools that the history calls and the request does not offer. Anthropic refuses
/// blocks of tools where no tool is defined.
pub(super) fn uncalled<'a>(turns: &[Turn<'a>]) -> Vec<(Cow<'a, str>, Value)> {
    let mut names: Vec<Cow<'a, str>> = Vec::new();
    for turn in turns {
        let Turn::Agent(answer) = turn else { continue };
        for call in &answer.calls {
            if !names.contains(&call.name) {
                names.push(call.name.clone());
            }
        }
    }
    names.into_iter().map(|name| (name, json!({"type": "object", "properties": {}}))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::chat::Opaque;

    fn user(text: &str) -> ChatMessage {
        ChatMessage::user(text.into())
    }

    fn text_of(part: &Part<'_>) -> String {
        match part {
            Part::Text(text) => text.clone().into_owned(),
            Part::Picture(shown) => format!("({} {})", shown.mime_type, shown.data),
        }
    }

    fn result(id: &str, content: &str) -> ChatMessage {
        ChatMessage::Tool { call_id: id.into(), content: content.into() }
    }

    fn call(id: &str) -> ToolCall {
        ToolCall { id: id.into(), name: "find".into(), arguments: json!({}) }
    }

    fn of(messages: Vec<ChatMessage>) -> Vec<String> {
        let request = ModelRequest { messages, ..ModelRequest::default() };
        turns(&request, "p", &[])
            .iter()
            .map(|turn| match turn {
                Turn::User(parts) => format!("user {}", parts.iter().map(text_of).collect::<Vec<_>>().join("|")),
                Turn::Agent(answer) => format!("agent {} {}", answer.texts.join("|"), answer.calls.len()),
                Turn::Results(all) => {
                    format!("results {}", all.iter().map(|one| &*one.content).collect::<Vec<_>>().join("|"))
                }
            })
            .collect()
    }

    #[test]
    fn history_takes_the_strictest_form() {
        let said = |text: &str| ChatMessage::assistant(Some(text.into()), vec![]);
        let called = |ids: &[&str]| ChatMessage::assistant(None, ids.iter().map(|id| call(id)).collect());
        for (messages, expected) in [
            (vec![], vec!["user [system note] The conversation begins."]),
            (vec![user("a"), user(" "), user("b")], vec!["user a|b"]),
            (
                vec![user("a"), said("x"), said(" "), said("y")],
                vec!["user a", "agent x|y 0", "user [system note] Continue."],
            ),
            (
                vec![called(&["1"]), result("1", "r"), user("a")],
                vec!["user [system note] The conversation begins.", "agent  1", "results r", "user a"],
            ),
            // Results out of their place, without a call, missing and blank.
            (
                vec![
                    user("a"),
                    result("0", "lost"),
                    called(&["1", "2", "3"]),
                    user("b"),
                    result("2", " "),
                    result("1", "r"),
                ],
                vec!["user a", "agent  3", r#"results r|(empty)|{"error":"interrupted"}"#, "user b"],
            ),
            (vec![user("a"), said("x"), called(&["1"]), result("1", "r")], vec!["user a", "agent x 1", "results r"]),
        ] {
            assert_eq!(of(messages), expected);
        }
    }

    #[test]
    fn call_ids_are_nine_letters_and_digits_and_unique() {
        let calls = vec![call("call_1"), call("call_1"), call(""), call("a1B2c3D4e")];
        let request = ModelRequest { messages: vec![ChatMessage::assistant(None, calls)], ..ModelRequest::default() };
        let turns = turns(&request, "p", &[]);
        let Turn::Agent(answer) = &turns[1] else { panic!("an answer") };
        let ids: HashSet<&String> = answer.calls.iter().map(|call| &call.id).collect();
        assert_eq!(ids.len(), 4);
        assert!(ids.iter().all(|id| id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())), "{ids:?}");
        assert_eq!(answer.calls[3].id, "a1B2c3D4e");
    }

    #[test]
    fn opaque_parts_go_to_their_own_provider_only() {
        let opaque = Some(Opaque { provider: "p".into(), parts: json!(1) });
        let messages =
            vec![user("a"), ChatMessage::Assistant { content: Some("x".into()), tool_calls: vec![], opaque }];
        let request = ModelRequest { messages, ..ModelRequest::default() };
        let parts = |provider| match &turns(&request, provider, &[])[1] {
            Turn::Agent(answer) => answer.opaque.cloned(),
            _ => None,
        };
        assert_eq!((parts("p"), parts("q")), (Some(json!(1)), None));
    }

    #[test]
    fn names_and_arguments_of_earlier_calls_are_valid() {
        for (name, valid) in [("find", "find"), ("1x", "_1x"), ("", "_"), ("a b.c", "a_b_c")] {
            assert_eq!(usable_name(name), valid);
        }
        assert_eq!(*arguments(&json!("{broken")), *json!({"malformed": "{broken"}).as_object().unwrap());
    }

    #[test]
    fn long_numbers_keep_their_digits() {
        let long = "1234567890123456789012345";
        let text = json!(format!(r#"{{"id":{long},"all":[{{"id":{long}}}],"name":"x"}}"#));
        assert_eq!(
            Value::Object(arguments(&text).into_owned()),
            json!({"id": long, "all": [{"id": long}], "name": "x"})
        );
        assert_eq!(Value::Object(arguments(&json!("{broken")).into_owned()), json!({"malformed": "{broken"}));
    }
}
