//! Settings of a KnowledgeBaseNode and of a subagent's knowledge bases: a text that the model can search.

use crate::agent::codes;
use crate::agent::read::{Fields, Findings, put, short};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// In bytes.
const MOST_KNOWLEDGE: usize = 5 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq)]
pub struct KnowledgeBase {
    /// Subagent tools only.
    pub name: Option<String>,
    /// The key that the model uses: the name unless given, `kb_<node name>` on a KnowledgeBaseNode.
    pub key: String,
    /// Subject of the text, for the model.
    pub description: Option<String>,
    /// Never shown in prompts, state or events.
    pub text: String,
    /// The file that held the text, if the client named it.
    pub file: Option<String>,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
    default_key: bool,
}

impl KnowledgeBase {
    /// `node` is the name of the node that the base belongs to, if it is the node's own.
    pub(super) fn read(value: Value, at: &str, node: Option<&str>, found: &mut Findings) -> Option<Self> {
        const KNOWN: &[&str] = &["name", "key", "description", "knowledge_base_text", "knowledge_base_file"];
        let mut fields = Fields::open(value, at, KNOWN, found)?;
        let name = if node.is_none() { Some(fields.required("name", found)) } else { None };
        let key = fields.text("key", found).filter(|key| !key.trim().is_empty());
        let default_key = key.is_none();
        let key = key.or_else(|| node.map(|node| format!("kb_{node}"))).or_else(|| name.clone()).unwrap_or_default();
        let description = fields.text("description", found);
        let file = fields.text("knowledge_base_file", found).filter(|file| !file.trim().is_empty());
        let (text_given, text_at) = (fields.has("knowledge_base_text"), fields.place("knowledge_base_text"));
        let text = fields.text("knowledge_base_text", found).unwrap_or_default();
        // With a text, the file name is information only: it is kept and not used.
        let inlined = !text.trim().is_empty();
        if let Some(file) = file.as_ref().filter(|_| !inlined) {
            let message = format!("the server cannot read '{}'; send its text as knowledge_base_text", short(file));
            found.error(fields.place("knowledge_base_file"), codes::FILE_NOT_INLINED, message);
        } else if !text_given && node.is_some() {
            found.error(text_at, codes::MISSING_FIELD, "knowledge_base_text is required");
        } else if text.len() > MOST_KNOWLEDGE {
            found.error(text_at, codes::KNOWLEDGE_TOO_LONG, "a knowledge text has at most 5 MiB");
        } else if text.trim().is_empty() {
            found.warn(text_at, codes::EMPTY_KNOWLEDGE, format!("knowledge base '{}' has no text", short(&key)));
        }
        Some(Self { name, key, description, text, file, default_key, extra: fields.rest() })
    }

    /// Checks that keys differ, for the model tells the bases of a node apart by them. `taken` maps
    /// earlier keys to their bases' names; equal names are reported elsewhere.
    pub(super) fn check_key(&self, at: &str, taken: &mut HashMap<String, String>, found: &mut Findings) {
        let name = self.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        let key = self.key.trim().to_ascii_lowercase();
        if key.is_empty() {
            return;
        }
        match taken.get(&key) {
            None => drop(taken.insert(key, name)),
            Some(other) if *other == name => {}
            Some(_) => {
                let message =
                    format!("this node already has a knowledge base '{}'; case does not count", short(&self.key));
                found.error(format!("{at}/key"), codes::DUPLICATE_KEY, message);
            }
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut out = Map::new();
        put(&mut out, "name", self.name.as_deref());
        put(&mut out, "key", (!self.default_key).then_some(self.key.as_str()));
        put(&mut out, "description", self.description.as_deref());
        put(&mut out, "knowledge_base_text", Some(&self.text));
        put(&mut out, "knowledge_base_file", self.file.as_deref());
        out.extend(self.extra.clone());
        Value::Object(out)
    }
}
