//! Masks the texts of messages that their author deleted: in the history of executions, where they
//! are stored, and in the trace, whose journal keeps them so that a replay holds.

use crate::json::{from_json, to_json};
use domain::{
    for_agent::{DELETED, quote},
    ids::{ConversationId, ExecutionId, ProjectId},
};
use engine::{EarlierMessage, Input, Part};
use serde_json::{Value, json};
use store::{Conn, Result, history::PlacedRow, journal, message_changes};

/// Characters from which a text is masked wherever it occurs. A shorter one is masked only as a line
/// of its own and in quotes: "ok" is part of too many words.
const LONG: usize = 8;

/// Fields of the journal and of requests that hold our own words or ids.
const TAGS: [&str; 14] = [
    "input",
    "effect",
    "event",
    "role",
    "type",
    "kind",
    "status",
    "id",
    "call_id",
    "model",
    "provider",
    "node",
    "direction",
    "code",
];

/// Deleted texts, and the patterns that mask them.
#[derive(Debug, Default)]
pub struct DeletedTexts {
    /// Patterns and their replacements, longest first.
    patterns: Vec<(String, String)>,
    /// Short texts.
    lines: Vec<String>,
}

impl DeletedTexts {
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut all = Self::default();
        for text in texts {
            all.add(text.trim());
        }
        all.patterns.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.len()));
        all.patterns.dedup();
        all
    }

    fn add(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let quoted = quote(text);
        for (before, after) in [("message: \"", "\"]"), ("earlier message \"", "\" to:]")] {
            let pattern = format!("{before}{quoted}{after}");
            let masked = format!("{before}{DELETED}{after}");
            self.patterns.push((escaped(&pattern), escaped(&masked)));
            self.patterns.push((pattern, masked));
        }
        if text.chars().count() < LONG {
            self.lines.push(text.to_owned());
            return;
        }
        // The engine takes marks like its own out of a contact's text.
        let unmarked = text.replace('[', "(");
        for form in [text, &unmarked, &quoted] {
            self.patterns.push((escaped(form), DELETED.to_owned()));
            self.patterns.push((form.to_owned(), DELETED.to_owned()));
        }
    }

    pub const fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The text without long ones and quotes.
    pub(crate) fn without_quotes(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (pattern, replacement) in &self.patterns {
            if masked.contains(pattern.as_str()) {
                masked = masked.replace(pattern.as_str(), replacement);
            }
        }
        masked
    }

    /// The text without them; `None` if it holds none.
    pub fn mask(&self, text: &str) -> Option<String> {
        let mut masked = self.without_quotes(text);
        if masked.lines().any(|line| self.is_short(line)) {
            let lines: Vec<&str> =
                masked.split('\n').map(|line| if self.is_short(line) { DELETED } else { line }).collect();
            masked = lines.join("\n");
        }
        (masked != text).then_some(masked)
    }

    fn is_short(&self, line: &str) -> bool {
        self.lines.iter().any(|text| text == line.trim())
    }

    /// Masks all strings of a value but our own words. Returns true if it changed.
    pub fn mask_value(&self, value: &mut Value) -> bool {
        map_strings(value, &|text| self.mask(text))
    }

    /// Masks a field of an object, as [`Self::mask_value`] does.
    pub fn mask_field(&self, name: &str, value: &mut Value) {
        if !self.is_empty() && (!TAGS.contains(&name) || !value.is_string()) {
            self.mask_value(value);
        }
    }

    /// Masks a body, which may be JSON.
    pub fn mask_body(&self, body: String) -> String {
        if self.is_empty() {
            return body;
        }
        let Ok(mut value) = serde_json::from_str::<Value>(&body) else { return self.mask(&body).unwrap_or(body) };
        if self.mask_value(&mut value) { value.to_string() } else { body }
    }
}

/// Replaces the strings of a value, but for short words that name a type or a state.
fn map_strings(value: &mut Value, change: &impl Fn(&str) -> Option<String>) -> bool {
    match value {
        Value::String(text) => {
            let Some(changed) = change(text) else { return false };
            *text = changed;
            true
        }
        Value::Array(values) => values.iter_mut().fold(false, |changed, value| map_strings(value, change) | changed),
        Value::Object(fields) => fields
            .iter_mut()
            .filter(|(name, value)| !TAGS.contains(&name.as_str()) || !value.is_string())
            .fold(false, |changed, (_, value)| map_strings(value, change) | changed),
        _ => false,
    }
}

/// As JSON writes it inside of a string.
fn escaped(text: &str) -> String {
    let json = Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// The deleted texts that the journal of an execution holds. Reads the journal only if the contact
/// deleted something in the conversation.
pub async fn of_execution(
    conn: &mut Conn<'_>,
    project: ProjectId,
    conversation: ConversationId,
    execution: ExecutionId,
) -> Result<DeletedTexts> {
    let ids = message_changes::deleted_ids(conn, project, conversation).await?;
    if ids.is_empty() {
        return Ok(DeletedTexts::default());
    }
    let mut texts = Vec::new();
    let mut done = 0;
    loop {
        let steps = journal::read(conn, project, execution, done).await?;
        let Some(last) = steps.last() else { break };
        done = last.step_no;
        for step in &steps {
            // A damaged journal has its own answer; nothing of it is shown.
            for input in from_json::<Vec<Input>>("journal", &step.inputs).unwrap_or_default() {
                collect(input, &ids, &mut texts);
            }
        }
    }
    let lines = texts.iter().flat_map(|text| text.lines().filter(|line| !line.starts_with('[')));
    Ok(DeletedTexts::new(texts.iter().map(String::as_str).chain(lines)))
}

fn collect(input: Input, ids: &[String], texts: &mut Vec<String>) {
    match input {
        Input::Message { id, text, .. } if ids.contains(&id) => texts.push(text),
        Input::Edited { message, text, note, .. } if ids.contains(&message) => texts.extend([text, note]),
        Input::Earlier { messages } => {
            let known = |message: &EarlierMessage| message.id.as_ref().is_some_and(|id| ids.contains(id));
            texts.extend(messages.into_iter().filter(known).map(|message| message.text));
        }
        _ => {}
    }
}

/// Masks the messages `ids` and the texts in an entry of a history. Returns whether the entry held
/// one of the messages; `None` if nothing changed.
pub(crate) fn mask_entry(row: &mut PlacedRow, ids: &[String], texts: &DeletedTexts) -> Result<Option<bool>> {
    let mut entry: Value = from_json("history", &row.entry)?;
    let mut parts: Vec<Part> = match &row.messages {
        Some(parts) => from_json("history", parts)?,
        None => Vec::new(),
    };
    let holds = parts.iter().any(|part| ids.contains(&part.id));
    if holds {
        let content = entry.get("content").and_then(Value::as_str).unwrap_or_default();
        let masked = without_parts(content, &mut parts, ids);
        entry["content"] = json!(masked);
        row.messages = Some(to_json("history", &parts)?);
    }
    // Other messages may have the same short text: those are masked by their ids only.
    let mask = |text: &str| Some(texts.without_quotes(text)).filter(|masked| masked != text);
    let mut changed = entry.get_mut("content").is_some_and(|content| map_strings(content, &mask));
    for call in entry.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
        changed |= call.get_mut("arguments").is_some_and(|arguments| map_strings(arguments, &mask));
    }
    if !changed && !holds {
        return Ok(None);
    }
    row.entry = entry.to_string();
    Ok(Some(holds))
}

/// The content of an entry without the messages `ids`. The content is their joined texts, alone or
/// as the result of a call.
fn without_parts(content: &str, parts: &mut [Part], ids: &[String]) -> String {
    let result: Option<String> = serde_json::from_str::<Value>(content)
        .ok()
        .and_then(|result| result.get("text").and_then(Value::as_str).map(str::to_owned));
    let joined = result.as_deref().unwrap_or(content);
    let mut texts = Vec::new();
    let mut from = 0;
    for part in parts.iter_mut() {
        let Some(text) = joined.get(from..from + part.bytes) else { return DELETED.to_owned() };
        from += part.bytes + 1;
        if ids.contains(&part.id) {
            part.bytes = DELETED.len();
            texts.push(DELETED);
        } else {
            texts.push(text);
        }
    }
    if from != joined.len() + 1 {
        return DELETED.to_owned();
    }
    let masked = texts.join("\n");
    if result.is_some() { json!({"text": masked}).to_string() } else { masked }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_masked_everywhere_and_short_ones_as_lines_and_quotes() {
        let texts = DeletedTexts::new(["my \"pin\"\nis 4711", "ok", " "]);
        for (text, masked) in [
            ("you wrote my \"pin\"\nis 4711!", Some("you wrote [deleted message]!")),
            (r#"{"note":"my \"pin\"\nis 4711"}"#, Some(r#"{"note":"[deleted message]"}"#)),
            ("hi\nok\nbye", Some("hi\n[deleted message]\nbye")),
            (
                "[in reply to their own message: \"ok\"]\nno",
                Some("[in reply to their own message: \"[deleted message]\"]\nno"),
            ),
            ("book", None),
            ("it is ok", None),
        ] {
            assert_eq!(texts.mask(text).as_deref(), masked, "{text}");
        }
        let mut value = json!({"a": ["ok", 1], "b": {"c": "x"}});
        assert!(texts.mask_value(&mut value));
        assert_eq!(value, json!({"a": [DELETED, 1], "b": {"c": "x"}}));
        assert!(!texts.mask_value(&mut json!({"b": "x"})));
    }

    #[test]
    fn only_the_deleted_part_of_an_entry_is_masked() {
        let part = |id: &str, bytes| Part { id: id.into(), bytes };
        let ids = ["b".to_owned()];
        for (content, expected) in [
            ("yes\nyes\nno", "yes\n[deleted message]\nno"),
            (r#"{"text":"yes\nyes\nno"}"#, r#"{"text":"yes\n[deleted message]\nno"}"#),
            // The parts do not fit: better too little than too much.
            ("yes", DELETED),
            ("yes\nyes\nno more", DELETED),
        ] {
            let mut parts = [part("a", 3), part("b", 3), part("c", 2)];
            assert_eq!(without_parts(content, &mut parts, &ids), expected);
        }
    }
}
