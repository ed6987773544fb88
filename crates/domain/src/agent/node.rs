//! Nodes, the steps of an agent.

use super::codes;
use super::nodes::{NODE_TYPES, NodeKind, NodeType};
use super::read::{Fields, Findings};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The node at which every execution starts.
pub const START: &str = "__start__";
/// The node at which an execution ends.
pub const END: &str = "__end__";

/// Fields of every node; those of the types' settings follow.
const COMMON_FIELDS: [&str; 11] = [
    "id",
    "name",
    "type",
    "prompt",
    "description",
    "global",
    "global_condition",
    "max_steps",
    "retry_config",
    "llm_config",
    "position",
];

static FIELDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let settings = NODE_TYPES.iter().filter_map(|node_type| node_type.settings);
    COMMON_FIELDS.into_iter().chain(settings).collect()
});

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Unique in the graph; edges use it.
    pub id: String,
    /// Unique in the graph; the model sees it.
    pub name: String,
    pub prompt: String,
    /// Overrides the generated description of a WebhookNode's tool.
    pub description: Option<String>,
    /// Condition for coming here from any node; set if the node is global.
    pub global: Option<String>,
    /// Model calls in one visit within one turn.
    pub max_steps: Option<u32>,
    /// Overrides the retries of failing models.
    pub retry_config: Option<Map<String, Value>>,
    /// Overrides model, temperature or longest answer of the agent.
    pub llm_config: Option<Map<String, Value>>,
    pub kind: NodeKind,
    /// On the canvas of an editor.
    pub position: Option<Map<String, Value>>,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
}

/// Places of a node's fields in the request.
pub(super) struct NodePlace {
    pub at: String,
    pub id: String,
    pub name: String,
    pub prompt: String,
    pub global: String,
    pub global_condition: String,
    /// The name is no text, which has been reported.
    pub name_reported: bool,
    /// The id was sent, not derived from the name.
    pub id_given: bool,
    /// `global` as sent: [`Node::global`] cannot express a global node without a condition.
    pub is_global: bool,
    pub condition: Option<String>,
}

impl Node {
    /// A node of the default type whose id is its name.
    pub fn plain(name: &str, prompt: &str) -> Self {
        Self {
            id: name.to_owned(),
            name: name.to_owned(),
            prompt: prompt.to_owned(),
            description: None,
            global: None,
            max_steps: None,
            retry_config: None,
            llm_config: None,
            kind: NodeKind::Default,
            position: None,
            extra: Map::new(),
        }
    }

    /// True for `__start__` and `__end__`.
    pub fn is_terminal(&self) -> bool {
        self.name == START || self.name == END
    }

    pub(super) fn read(value: Value, at: &str, found: &mut Findings) -> Option<(Self, NodePlace)> {
        let mut fields = Fields::open(value, at, &FIELDS, found)?;
        let canvas = open_canvas(&mut fields, at);
        let (id_at, name_at) = (fields.place("id"), fields.place("name"));
        let name_given = fields.has("name");
        let name = fields.text("name", found);
        let id = fields.text("id", found);
        let node_type = read_type(&mut fields, found);
        let place = NodePlace {
            at: at.to_owned(),
            id: id_at,
            name: name_at,
            prompt: fields.place("prompt"),
            global: fields.place("global"),
            global_condition: fields.place("global_condition"),
            name_reported: name_given && name.is_none(),
            id_given: id.is_some(),
            is_global: fields.flag("global", found).unwrap_or(false),
            condition: fields.text("global_condition", found).filter(|text| !text.trim().is_empty()),
        };
        let name = name.unwrap_or_default();
        let (kind, kept) = read_kind(node_type, &mut fields, canvas, &name, found);
        let node = Self {
            id: id.unwrap_or_else(|| name.clone()),
            prompt: fields.text("prompt", found).unwrap_or_default(),
            description: fields.text("description", found),
            global: place.condition.clone().filter(|_| place.is_global),
            max_steps: fields.whole("max_steps", 1, 1_000, found),
            retry_config: fields.object("retry_config", found),
            llm_config: fields.object("llm_config", found),
            position: fields.object("position", found),
            extra: with(fields.rest(), kept),
            name,
            kind,
        };
        Some((node, place))
    }

    pub(super) fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("id".into(), self.id.clone().into());
        out.insert("name".into(), self.name.clone().into());
        out.insert("type".into(), self.kind.node_type().name.into());
        out.insert("prompt".into(), self.prompt.clone().into());
        let mut put = |key: &str, value: Option<Value>| value.and_then(|value| out.insert(key.to_owned(), value));
        put("description", self.description.clone().map(Value::from));
        put("global", Some(self.global.is_some().into()));
        put("global_condition", self.global.clone().map(Value::from));
        put("max_steps", self.max_steps.map(Value::from));
        put("retry_config", self.retry_config.clone().map(Value::from));
        put("llm_config", self.llm_config.clone().map(Value::from));
        put("position", self.position.clone().map(Value::from));
        if let Some(key) = self.kind.node_type().settings {
            put(key, self.kind.settings_json());
        }
        for (key, value) in &self.extra {
            if !out.contains_key(key) {
                out.insert(key.clone(), value.clone());
            }
        }
        Value::Object(out)
    }
}

/// Opens a node of an editor, which keeps everything but id and position in `data`. Unused fields
/// of `data` are kept.
fn open_canvas(fields: &mut Fields, at: &str) -> Option<Fields> {
    let Some(Value::Object(_)) = fields.peek("data") else { return None };
    let data = fields.take("data")?;
    let known: Vec<&str> = FIELDS.iter().copied().chain(["display_name", "node_type", "config"]).collect();
    let mut data = Fields::open(data, &format!("{at}/data"), &known, &mut Findings::default())?;
    if data.has("node_type") {
        // The outer `type` is the editor's word for how to draw it.
        fields.take("type");
        fields.adopt(&mut data, "node_type", "type");
    }
    for key in FIELDS.iter() {
        fields.adopt(&mut data, key, key);
    }
    fields.adopt(&mut data, "display_name", "name");
    Some(data)
}

/// The node's type; the default one if absent, or unknown, which is reported.
fn read_type(fields: &mut Fields, found: &mut Findings) -> &'static NodeType {
    let at = fields.place("type");
    let Some(text) = fields.text("type", found) else { return NODE_TYPES[0] };
    NodeType::named(&text).unwrap_or_else(|| {
        found.unknown(&at, codes::UNKNOWN_TYPE, "node type", &text, NODE_TYPES.iter().map(|known| known.name));
        NODE_TYPES[0]
    })
}

/// The type with its settings, and other fields to keep.
fn read_kind(
    node_type: &NodeType,
    fields: &mut Fields,
    canvas: Option<Fields>,
    name: &str,
    found: &mut Findings,
) -> (NodeKind, Map<String, Value>) {
    let mut kept = Map::new();
    if let Some(mut data) = canvas {
        if let Some(key) = node_type.settings {
            fields.adopt(&mut data, "config", key);
        }
        let left = data.rest();
        if !left.is_empty() {
            kept.insert("data".into(), left.into());
        }
    }
    let Some(key) = node_type.settings else { return (NodeKind::Default, kept) };
    let at = fields.place(key);
    let config = fields.take(key);
    if config.is_none() && node_type.settings_required {
        found.error(&at, codes::MISSING_FIELD, format!("a {} needs {key}", node_type.name));
    }
    let config = config.unwrap_or_else(|| Map::new().into());
    // Where the whole object is missing, its fields are not reported one by one.
    let mut quiet = Findings { trusting: true, ..Findings::default() };
    let found = if found.errors.last().is_some_and(|last| last.path == at) { &mut quiet } else { found };
    // Settings that cannot be read at all are an error, so the default type stands in only until it is returned.
    let kind = (node_type.read)(config, &at, name, found).unwrap_or(NodeKind::Default);
    (kind, kept)
}

fn with(mut extra: Map<String, Value>, kept: Map<String, Value>) -> Map<String, Value> {
    extra.extend(kept.into_iter().filter(|(_, value)| value.as_object().is_none_or(|map| !map.is_empty())));
    extra
}
