//! An agent's graph in canonical form: stored, pinned by snapshots and run by the engine
//! (docs/spec/engine.md 1.1).
//!
//! Unknown fields are kept: an editor may need them.

use super::codes;
use super::config::LlmConfig;
use super::node::{END, Node, NodePlace, START};
use super::read::{Fields, Findings};
use crate::Problem;
use serde_json::{Map, Value};
use std::collections::HashMap;

const MOST_NODES: usize = 300;
const MOST_EDGES: usize = 2_000;

const STARTER_PROMPT: &str = "Greet the person, find out what they need and help them. Ask one question at a time. When nothing \
                              more is wanted, say goodbye and end the conversation.";

/// Any of these means that a stored graph was not written by [`Graph::to_json`].
const NOT_CANONICAL: [&str; 4] = [codes::WRONG_TYPE, codes::MISSING_FIELD, codes::BAD_JSON, codes::UNKNOWN_TYPE];

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Graph {
    /// In the order sent.
    pub nodes: Vec<Node>,
    /// In the order sent.
    pub edges: Vec<Edge>,
    /// `metadata` (always present), `tools` and unknown fields.
    pub extra: Map<String, Value>,
}

/// A way from one node to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// `<from>_to_<to>` unless given.
    pub id: String,
    /// Id of a node.
    pub from: String,
    /// Id of a node.
    pub to: String,
    /// Condition in words, for the model; `None` rather than empty.
    pub label: Option<String>,
    /// Unknown fields, kept.
    pub extra: Map<String, Value>,
}

/// Places of the parts of a graph in the request.
#[derive(Default)]
pub(super) struct Places {
    pub nodes: Vec<NodePlace>,
    pub edges: Vec<EdgePlace>,
}

pub(super) struct EdgePlace {
    pub at: String,
    pub from: String,
    pub to: String,
    pub label: String,
}

impl Graph {
    /// Loads what [`Graph::to_json`] stored. Rules are not checked again: an accepted graph stays
    /// usable.
    pub fn from_canonical(stored: &Value) -> Result<Self, Vec<Problem>> {
        let mut found = Findings { trusting: true, ..Findings::default() };
        let graph = Self::open(stored, &mut found);
        found.errors.retain(|problem| NOT_CANONICAL.contains(&problem.code));
        match graph {
            Some((graph, _)) if found.errors.is_empty() => Ok(graph),
            _ => Err(found.errors),
        }
    }

    /// The canonical JSON, with unknown fields.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("nodes".into(), self.nodes.iter().map(Node::to_json).collect());
        out.insert("edges".into(), self.edges.iter().map(Edge::to_json).collect());
        for (key, value) in &self.extra {
            out.insert(key.clone(), value.clone());
        }
        out.entry("metadata").or_insert_with(|| Map::new().into());
        Value::Object(out)
    }

    /// Graph of a new agent: `__start__` → `assistant` → `__end__`.
    pub fn starter() -> Self {
        Self {
            nodes: vec![Node::plain(START, ""), Node::plain("assistant", STARTER_PROMPT), Node::plain(END, "")],
            edges: vec![
                Edge::between(START, "assistant", None),
                Edge::between("assistant", END, Some("nothing more is wanted")),
            ],
            extra: Map::from_iter([("metadata".to_owned(), Map::new().into())]),
        }
    }

    pub fn node_by_name(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    pub fn node_by_id(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    pub fn edges_from<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Edge> {
        self.edges.iter().filter(move |edge| edge.from == id)
    }

    /// Names of the secrets in the requests of each node that has some, by the node's place.
    pub fn secret_names(&self) -> Vec<(usize, Vec<String>)> {
        let of_node = |node: &Node| {
            let tools = node.kind.tools();
            let mut names: Vec<String> = tools.webhooks.iter().flat_map(|webhook| webhook.secret_names()).collect();
            names.extend(tools.mcp_servers.iter().flat_map(|server| server.secret_names()));
            names.sort();
            names.dedup();
            names
        };
        let all = self.nodes.iter().map(of_node).enumerate();
        all.filter(|(_, names)| !names.is_empty()).collect()
    }

    /// Names of the model providers of each node that names some, by the node's place.
    pub fn provider_names(&self) -> Vec<(usize, Vec<String>)> {
        let of_node = |node: &Node| {
            let llm = node.llm_config.as_ref().map(LlmConfig::read).unwrap_or_default();
            llm.provider_names().map(str::to_owned).collect::<Vec<_>>()
        };
        let all = self.nodes.iter().map(of_node).enumerate();
        all.filter(|(_, names)| !names.is_empty()).collect()
    }

    /// The nodes that can be reached from every node.
    pub fn global_nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.global.is_some())
    }

    pub(super) fn open(input: &Value, found: &mut Findings) -> Option<(Self, Places)> {
        let mut fields = Fields::open(input.clone(), "", &[], found)?;
        let (nodes, edges) = (fields.list("nodes", found), fields.list("edges", found));
        if !fits(nodes.len(), edges.len(), found) {
            return None;
        }
        let mut graph = Self::default();
        let mut places = Places::default();
        for (index, value) in nodes.into_iter().enumerate() {
            if let Some((node, place)) = Node::read(value, &format!("/nodes/{index}"), found) {
                graph.nodes.push(node);
                places.nodes.push(place);
            }
        }
        for (index, value) in edges.into_iter().enumerate() {
            if let Some((edge, place)) = Edge::read(value, &format!("/edges/{index}"), found) {
                graph.edges.push(edge);
                places.edges.push(place);
            }
        }
        graph.join(&places, found);
        let metadata = fields.object("metadata", found).unwrap_or_default();
        let tools = fields.has("tools").then(|| fields.list("tools", found));
        graph.extra = fields.rest();
        if let Some(tools) = tools {
            graph.extra.insert("tools".into(), tools.into());
        }
        graph.extra.insert("metadata".into(), metadata.into());
        Some((graph, places))
    }

    /// Makes edges name their nodes by id. Clients also use names, and `START` and `END` for the
    /// terminals.
    fn join(&mut self, places: &Places, found: &mut Findings) {
        let by_name: HashMap<&str, &str> =
            self.nodes.iter().map(|node| (node.name.as_str(), node.id.as_str())).collect();
        let by_id: HashMap<&str, &str> = self.nodes.iter().map(|node| (node.id.as_str(), node.id.as_str())).collect();
        let resolve = |given: &str| {
            let terminal = match given {
                "START" => START,
                "END" | "end" => END,
                other => other,
            };
            by_id.get(given).or_else(|| by_name.get(given)).or_else(|| by_name.get(terminal)).map(|id| (*id).to_owned())
        };
        for (edge, place) in self.edges.iter_mut().zip(&places.edges) {
            for (end, at) in [(&mut edge.from, &place.from), (&mut edge.to, &place.to)] {
                if end.is_empty() {
                    continue;
                }
                match resolve(end) {
                    Some(id) => *end = id,
                    None => {
                        let known = self.nodes.iter().flat_map(|node| [node.name.as_str(), node.id.as_str()]);
                        found.unknown(at, codes::UNKNOWN_NODE, "node", end, known);
                    }
                }
            }
        }
    }
}

/// Reports too many nodes or edges. Then none of them is read: each of them could have problems.
fn fits(nodes: usize, edges: usize, found: &mut Findings) -> bool {
    let mut fits = true;
    for (path, code, what, amount, most) in [
        ("/nodes", codes::TOO_MANY_NODES, "nodes", nodes, MOST_NODES),
        ("/edges", codes::TOO_MANY_EDGES, "edges", edges, MOST_EDGES),
    ] {
        if amount > most {
            found.error(path, code, format!("{amount} {what}; a graph has at most {most}"));
            fits = false;
        }
    }
    fits
}

impl Edge {
    pub fn between(from: &str, to: &str, label: Option<&str>) -> Self {
        Self {
            id: format!("{from}_to_{to}"),
            from: from.to_owned(),
            to: to.to_owned(),
            label: label.map(str::to_owned),
            extra: Map::new(),
        }
    }

    fn read(value: Value, at: &str, found: &mut Findings) -> Option<(Self, EdgePlace)> {
        let mut fields = Fields::open(value, at, &[], found)?;
        fields.rename("source", "from");
        fields.rename("target", "to");
        let mut place = EdgePlace {
            at: at.to_owned(),
            from: fields.place("from"),
            to: fields.place("to"),
            label: fields.place("label"),
        };
        let from = fields.required("from", found);
        let to = fields.required("to", found);
        let filled = |text: &String| !text.trim().is_empty();
        let label = fields.text("label", found).filter(filled);
        let condition_at = fields.place("condition");
        let condition = fields.text("condition", found).filter(filled);
        if label.is_none() && condition.is_some() {
            place.label = condition_at;
        }
        let id = fields.text("id", found).filter(filled).unwrap_or_else(|| format!("{from}_to_{to}"));
        let mut extra = fields.rest();
        // A client that writes `condition` reads it back; the label counts.
        extra.extend(condition.clone().map(|text| ("condition".to_owned(), text.into())));
        Some((Self { id, from, to, label: label.or(condition), extra }, place))
    }

    fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("id".into(), self.id.clone().into());
        out.insert("from".into(), self.from.clone().into());
        out.insert("to".into(), self.to.clone().into());
        if let Some(label) = &self.label {
            out.insert("label".into(), label.clone().into());
        }
        out.extend(self.extra.clone());
        Value::Object(out)
    }
}
