//! What nodes carry besides webhooks: knowledge bases and WhatsApp templates; and a subagent's set of tools.

use super::codes;
use super::mcp::McpServer;
use super::read::{Fields, Findings, short};
use super::webhook::{Webhook, request_tool_name};
use crate::tool_names;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// Largest knowledge text in bytes.
const MOST_KNOWLEDGE: usize = 5 * 1024 * 1024;

/// Tools that every engine has; no configured tool takes their names.
pub const BUILT_IN_TOOLS: [&str; 19] = [
    tool_names::SEND_NOTIFICATION,
    tool_names::SEND_MEDIA,
    tool_names::ASK_USER_FOR_INPUT,
    tool_names::MOVE_TO_NEXT_NODE,
    tool_names::ENTER_IDLE_STATE,
    tool_names::WAIT_FOR_USER,
    tool_names::GET_EXECUTION_METADATA,
    tool_names::WEBHOOK_ANYWHERE,
    tool_names::KB_RETRIEVAL,
    tool_names::SEND_TEMPLATE,
    tool_names::HANDLE_USER_MESSAGE,
    tool_names::SEND_EXTERNAL_MESSAGE,
    "StopExecution",
    tool_names::ABORT,
    "file_read",
    "file_write",
    "file_str_replace",
    "file_find_in_content",
    "file_find_by_name",
];

/// The tools of a SubagentNode.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Subagent {
    /// One tool each.
    pub webhooks: Vec<Webhook>,
    /// Searched by `kb_retrieval`.
    pub knowledge_bases: Vec<KnowledgeBase>,
    /// Each brings the tools it lists.
    pub mcp_servers: Vec<McpServer>,
    /// Sent by `SendWhatsappTemplateMessage`.
    pub whatsapp_templates: Vec<WhatsappTemplate>,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
}

/// A text to search.
#[derive(Debug, Clone, PartialEq)]
pub struct KnowledgeBase {
    /// Subagent tools only.
    pub name: Option<String>,
    /// What the model calls it by: the name unless given, `kb_<node name>` on a KnowledgeBaseNode.
    pub key: String,
    /// What it is about, for the model.
    pub description: Option<String>,
    /// The text; never shown in prompts, state or events.
    pub text: String,
    /// The file that the text was in, where its sender said so.
    pub file: Option<String>,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
    default_key: bool,
}

/// A WhatsApp message template.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatsappTemplate {
    /// Subagent tools only.
    pub name: Option<String>,
    /// The template's name at WhatsApp.
    pub template_name: String,
    /// Informative: templates go to the execution's contact.
    pub phone_number: Option<String>,
    /// Parameters, with `#{name}` for what the model fills in.
    pub template_parameters: Map<String, Value>,
    /// Rest until the contact replies.
    pub wait_for_response: bool,
    /// The number to send from; needed before the agent can be activated.
    pub whatsapp_config_id: Option<String>,
    /// The stored template; needed before the agent can be activated.
    pub whatsapp_template_id: Option<String>,
    /// When to send it, for the model.
    pub description: Option<String>,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
}

impl Subagent {
    /// How many tools and servers there are.
    pub fn len(&self) -> usize {
        self.webhooks.len() + self.knowledge_bases.len() + self.mcp_servers.len() + self.whatsapp_templates.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn read(value: Value, at: &str, found: &mut Findings) -> Option<Self> {
        const KNOWN: &[&str] = &["webhooks", "knowledge_bases", "mcp_servers", "whatsapp_templates"];
        let mut fields = Fields::open(value, at, KNOWN, found)?;
        let mut names = Names::default();
        let mut subagent = Self::default();
        for (value, at) in each(&mut fields, "webhooks", found) {
            if let Some(webhook) = Webhook::read(value, &at, true, found) {
                let name = webhook.name.as_deref().unwrap_or_default();
                names.check(name, &request_tool_name(name), &at, found);
                subagent.webhooks.push(webhook);
            }
        }
        let mut keys = HashMap::new();
        for (value, at) in each(&mut fields, "knowledge_bases", found) {
            if let Some(base) = KnowledgeBase::read(value, &at, None, found) {
                names.check(base.name.as_deref().unwrap_or_default(), "", &at, found);
                base.check_key(&at, &mut keys, found);
                subagent.knowledge_bases.push(base);
            }
        }
        for (value, at) in each(&mut fields, "mcp_servers", found) {
            if let Some(server) = McpServer::read(value, &at, found) {
                names.check(&server.name, "", &at, found);
                subagent.mcp_servers.push(server);
            }
        }
        for (value, at) in each(&mut fields, "whatsapp_templates", found) {
            if let Some(template) = WhatsappTemplate::read(value, &at, true, found) {
                names.check(template.name.as_deref().unwrap_or_default(), "", &at, found);
                subagent.whatsapp_templates.push(template);
            }
        }
        subagent.extra = fields.rest();
        Some(subagent)
    }

    pub(super) fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("webhooks".into(), self.webhooks.iter().map(Webhook::to_json).collect());
        out.insert("knowledge_bases".into(), self.knowledge_bases.iter().map(KnowledgeBase::to_json).collect());
        out.insert("mcp_servers".into(), self.mcp_servers.iter().map(McpServer::to_json).collect());
        out.insert(
            "whatsapp_templates".into(),
            self.whatsapp_templates.iter().map(WhatsappTemplate::to_json).collect(),
        );
        out.extend(self.extra.clone());
        Value::Object(out)
    }
}

impl KnowledgeBase {
    /// `node` is the node's name where the base is the node's own.
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
        // Beside the text it names where the text came from: that is kept, and nothing reads it.
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

    /// The model tells the bases of a node apart by their keys. `taken` holds the keys before this one, each with its base's name: that two
    /// have the same name has been said.
    fn check_key(&self, at: &str, taken: &mut HashMap<String, String>, found: &mut Findings) {
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

impl WhatsappTemplate {
    pub(super) fn read(value: Value, at: &str, tool: bool, found: &mut Findings) -> Option<Self> {
        const KNOWN: &[&str] = &[
            "name",
            "template_name",
            "phone_number",
            "template_parameters",
            "wait_for_response",
            "whatsapp_config_id",
            "whatsapp_template_id",
            "description",
        ];
        let mut fields = Fields::open(value, at, KNOWN, found)?;
        if !tool {
            // The published reference calls it `name`, the published client `template_name`.
            fields.rename("name", "template_name");
        }
        let template = Self {
            name: if tool { Some(fields.required("name", found)) } else { None },
            template_name: fields.required("template_name", found),
            phone_number: fields.text("phone_number", found),
            template_parameters: fields
                .given_object("template_parameters", None, found)
                .map(|(map, _)| map)
                .unwrap_or_default(),
            wait_for_response: fields.flag("wait_for_response", found).unwrap_or(false),
            whatsapp_config_id: fields.text("whatsapp_config_id", found),
            whatsapp_template_id: fields.text("whatsapp_template_id", found),
            description: fields.text("description", found),
            extra: fields.rest(),
        };
        if template.whatsapp_config_id.is_none() || template.whatsapp_template_id.is_none() {
            let message = "the agent cannot be activated before whatsapp_config_id and whatsapp_template_id are set";
            found.warn(at, codes::TEMPLATE_WITHOUT_IDS, message);
        }
        Some(template)
    }

    pub(super) fn to_json(&self) -> Value {
        let mut out = Map::new();
        put(&mut out, "name", self.name.as_deref());
        put(&mut out, "template_name", Some(&self.template_name));
        put(&mut out, "description", self.description.as_deref());
        put(&mut out, "phone_number", self.phone_number.as_deref());
        out.insert("template_parameters".into(), self.template_parameters.clone().into());
        out.insert("wait_for_response".into(), self.wait_for_response.into());
        put(&mut out, "whatsapp_config_id", self.whatsapp_config_id.as_deref());
        put(&mut out, "whatsapp_template_id", self.whatsapp_template_id.as_deref());
        out.extend(self.extra.clone());
        Value::Object(out)
    }
}

/// The names of one node's tools.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    /// Checks a tool's name and the name that the model sees, where that is another one.
    fn check(&mut self, name: &str, shown: &str, at: &str, found: &mut Findings) {
        if name.trim().is_empty() {
            return;
        }
        let at = format!("{at}/name");
        check_tool_name(name, shown, &at, found);
        if !self.0.insert(name.to_ascii_lowercase()) {
            let message = format!("this node already has a tool '{}'; case does not count", short(name));
            found.error(at, codes::DUPLICATE_TOOL_NAME, message);
        }
    }
}

/// Whether the model can be offered a tool of this name.
pub(super) fn check_tool_name(name: &str, shown: &str, at: &str, found: &mut Findings) {
    if !is_word(name) || (is_word(name) && !shown.is_empty() && !is_word(shown)) {
        let message =
            format!("'{}' is not a tool name: 1 to 64 of A-Z, a-z, 0-9 and _, with _request added", short(name));
        found.error(at, codes::BAD_TOOL_NAME, message);
    } else if let Some(taken) = BUILT_IN_TOOLS.iter().find(|taken| taken.eq_ignore_ascii_case(name) || **taken == shown)
    {
        found.error(at, codes::RESERVED_TOOL_NAME, format!("'{taken}' is a built-in tool; choose another name"));
    }
}

/// `^[A-Za-z0-9_]{1,64}$`
pub(super) fn is_word(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The items of a list, each with its place.
pub(super) fn each(fields: &mut Fields, key: &str, found: &mut Findings) -> Vec<(Value, String)> {
    let at = fields.place(key);
    fields.list(key, found).into_iter().enumerate().map(|(index, value)| (value, format!("{at}/{index}"))).collect()
}

pub(super) fn put(out: &mut Map<String, Value>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.insert(key.to_owned(), value.into());
    }
}
