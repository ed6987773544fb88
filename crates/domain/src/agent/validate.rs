//! The rules of docs/spec/engine.md 1.6 that look at more than one field. Errors block saving,
//! warnings never do.

use super::codes;
use super::graph::{Graph, Places};
use super::names::is_word;
use super::node::{END, Node, NodePlace, START};
use super::nodes::request_tool_name;
use super::read::{Findings, short};
use super::variables;
use crate::json::bytes_of;
use crate::tool_names::RESERVED_TOOLS;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

const MOST_TOOLS: usize = 200;
const MOST_BYTES: usize = 10 * 1024 * 1024;
const MOST_PROMPT_BYTES: usize = 64 * 1024;
const MOST_LABEL_CHARS: usize = 2_000;
/// Longest description of a tool that models take.
const MOST_DESCRIPTION_CHARS: usize = 1_024;

/// Aliases of `__end__` for the router, and of the terminals for clients.
const RESERVED: [&str; 3] = ["START", "END", "end"];

/// Checks the size of the graph as sent.
pub(super) fn check_size(input: &Value, found: &mut Findings) {
    if bytes_of(input) > MOST_BYTES {
        found.error("", codes::GRAPH_TOO_LARGE, "the graph has at most 10 MiB of JSON");
    }
}

pub(super) fn check(graph: &Graph, places: &Places, found: &mut Findings) {
    if graph.nodes.is_empty() && found.errors.iter().all(|problem| !problem.path.starts_with("/nodes")) {
        found.error("/nodes", codes::NO_NODES, "the graph has no nodes");
    }
    check_tools(graph, found);
    check_ids(graph, places, found);
    check_names(graph, places, found);
    for (node, place) in graph.nodes.iter().zip(&places.nodes) {
        check_node(node, place, found);
    }
    if !graph.nodes.is_empty() {
        check_terminals(graph, places, found);
    }
    check_edges(graph, places, found);
}

fn check_tools(graph: &Graph, found: &mut Findings) {
    let of_nodes = graph.nodes.iter().map(|node| node.kind.listed_tools());
    let of_graph = graph.extra.get("tools").and_then(Value::as_array).map_or(0, Vec::len);
    let tools = of_nodes.sum::<usize>() + of_graph;
    if tools > MOST_TOOLS {
        found.error("", codes::TOO_MANY_TOOLS, format!("{tools} tools; a graph has at most {MOST_TOOLS}"));
    }
}

fn check_ids(graph: &Graph, places: &Places, found: &mut Findings) {
    let mut seen = HashSet::new();
    for (node, place) in graph.nodes.iter().zip(&places.nodes) {
        if !place.id_given {
            // The id is the name; problems are reported there.
            seen.insert(node.id.as_str());
        } else if node.id.trim().is_empty() {
            found.error(&place.id, codes::MISSING_ID, "an id must not be empty; leave it out to use the name");
        } else if !seen.insert(node.id.as_str()) {
            found.error(&place.id, codes::DUPLICATE_ID, format!("another node has the id '{}' too", short(&node.id)));
        }
    }
}

fn check_names(graph: &Graph, places: &Places, found: &mut Findings) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (node, place) in graph.nodes.iter().zip(&places.nodes) {
        let name = node.name.as_str();
        let shown = short(name);
        if name.is_empty() {
            if !place.name_reported {
                found.error(&place.name, codes::MISSING_NAME, "a node needs a name");
            }
            continue;
        }
        if !is_word(name) {
            found.error(
                &place.name,
                codes::BAD_NAME,
                format!("'{shown}' is not a node name: 1 to 64 of A-Z, a-z, 0-9 and _"),
            );
        } else if RESERVED.contains(&name) {
            let message = format!("'{name}' is reserved; the terminals are named {START} and {END}");
            found.error(&place.name, codes::RESERVED_NAME, message);
        } else if name.contains("__at__") {
            found.error(&place.name, codes::RESERVED_NAME, "names with __at__ are reserved for global nodes");
        }
        match seen.insert(name.to_ascii_lowercase(), name) {
            None => {}
            Some(other) if other == name && node.is_terminal() => {}
            Some(other) if other == name => {
                found.error(&place.name, codes::DUPLICATE_NAME, format!("another node is named '{shown}' too"));
            }
            Some(other) => {
                let message = format!("'{shown}' and '{}' differ only in upper and lower case", short(other));
                found.error(&place.name, codes::SIMILAR_NAME, message);
            }
        }
    }
}

fn check_node(node: &Node, place: &NodePlace, found: &mut Findings) {
    if node.prompt.len() > MOST_PROMPT_BYTES {
        found.error(&place.prompt, codes::PROMPT_TOO_LONG, "a prompt has at most 64 KiB");
    }
    match &place.condition {
        None if place.is_global => {
            found.error(
                &place.global_condition,
                codes::MISSING_GLOBAL_CONDITION,
                "a global node needs a global_condition",
            );
        }
        Some(_) if !place.is_global => {
            let message = "only a global node has a global_condition; set global to true or remove it";
            found.error(&place.global_condition, codes::CONDITION_WITHOUT_GLOBAL, message);
        }
        Some(condition) if condition.chars().count() > MOST_LABEL_CHARS => {
            found.error(
                &place.global_condition,
                codes::CONDITION_TOO_LONG,
                "a global_condition has at most 2,000 characters",
            );
        }
        _ => {}
    }
    if place.is_global && node.is_terminal() {
        found.error(&place.global, codes::TERMINAL_GLOBAL, format!("{} cannot be global", node.name));
    }
    if node.kind.node_type().named_tool && is_word(&node.name) {
        let tool = request_tool_name(&node.name);
        if !is_word(&tool) {
            found.error(
                &place.name,
                codes::BAD_TOOL_NAME,
                format!("its tool '{}' would have more than 64 characters", short(&tool)),
            );
        } else if RESERVED_TOOLS.contains(&tool.as_str()) {
            found.error(
                &place.name,
                codes::RESERVED_TOOL_NAME,
                format!("its tool '{tool}' would be named like a built-in one"),
            );
        }
    }
}

fn check_terminals(graph: &Graph, places: &Places, found: &mut Findings) {
    for (name, missing, duplicate) in
        [(START, codes::MISSING_START, codes::DUPLICATE_START), (END, codes::MISSING_END, codes::DUPLICATE_END)]
    {
        let mut those = graph.nodes.iter().zip(&places.nodes).filter(|(node, _)| node.name == name);
        if those.next().is_none() {
            found.error("/nodes", missing, format!("no node is named {name}"));
        }
        for (_, place) in those {
            found.error(&place.name, duplicate, format!("only one node can be named {name}"));
        }
    }
    let start = graph.nodes.iter().zip(&places.nodes).find(|(node, _)| node.name == START);
    if let Some((start, place)) = start {
        let amount = graph.edges_from(&start.id).count();
        if amount != 1 {
            let message = format!("{START} has {amount} outgoing edges; it needs exactly one");
            found.error(&place.at, codes::START_EDGE_COUNT, message);
        }
    }
}

fn check_edges(graph: &Graph, places: &Places, found: &mut Findings) {
    let nodes: HashMap<&str, &Node> = graph.nodes.iter().rev().map(|node| (node.id.as_str(), node)).collect();
    let named = |id: &str, name: &str| nodes.get(id).is_some_and(|node| node.name == name);
    let mut seen = HashSet::new();
    for (edge, place) in graph.edges.iter().zip(&places.edges) {
        if named(&edge.from, START) {
            if edge.label.is_some() {
                found.error(
                    &place.label,
                    codes::START_EDGE_LABELLED,
                    format!("the edge out of {START} is always taken; remove its label"),
                );
            }
            if named(&edge.to, END) {
                found.error(
                    &place.to,
                    codes::START_TO_END,
                    format!("{START} cannot lead to {END}; put a node between them"),
                );
            } else if nodes.get(edge.to.as_str()).is_some_and(|node| node.global.is_some()) {
                found.error(&place.to, codes::START_TO_GLOBAL, format!("{START} cannot lead to a global node"));
            }
        }
        if named(&edge.to, START) {
            found.error(&place.to, codes::EDGE_INTO_START, format!("no edge can lead to {START}"));
        }
        if named(&edge.from, END) {
            found.error(&place.from, codes::EDGE_FROM_END, format!("no edge can leave {END}"));
        }
        if edge.from == edge.to && !edge.from.is_empty() {
            found.error(&place.to, codes::SELF_LOOP, "an edge cannot lead back to the node it leaves");
        }
        if !seen.insert((edge.from.as_str(), edge.to.as_str())) && !edge.from.is_empty() && !edge.to.is_empty() {
            found.error(
                &place.at,
                codes::DUPLICATE_EDGE,
                "another edge joins the same nodes; write one label for both",
            );
        }
        if edge.label.as_ref().is_some_and(|label| label.chars().count() > MOST_LABEL_CHARS) {
            found.error(&place.label, codes::LABEL_TOO_LONG, "an edge label has at most 2,000 characters");
        }
    }
}

/// Warns about probable mistakes. Only for graphs without errors.
pub(super) fn warn(graph: &Graph, places: &Places, found: &mut Findings) {
    let mut outgoing: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, edge) in graph.edges.iter().enumerate() {
        outgoing.entry(&edge.from).or_default().push(index);
    }
    for (node, place) in graph.nodes.iter().zip(&places.nodes) {
        warn_of_text(&node.prompt, &place.prompt, found);
        warn_of_text(node.global.as_deref().unwrap_or_default(), &place.global_condition, found);
        warn_of_tools(node, &place.at, found);
    }
    for (edge, place) in graph.edges.iter().zip(&places.edges) {
        warn_of_text(edge.label.as_deref().unwrap_or_default(), &place.label, found);
    }
    let reached = reachable(graph, &outgoing);
    let ends = graph.nodes.iter().any(|node| node.kind.node_type().may_end);
    for (node, place) in graph.nodes.iter().zip(&places.nodes) {
        let edges = outgoing.get(node.id.as_str()).map_or(&[][..], Vec::as_slice);
        let reached = reached.contains(node.id.as_str());
        if node.name == END {
            if !reached && !ends {
                found.warn(
                    &place.at,
                    codes::END_UNREACHABLE,
                    format!("no way leads to {END}, so conversations never end"),
                );
            }
            continue;
        }
        if !reached {
            let message = format!("no way leads from {START} or a global node to '{}'", node.name);
            found.warn(&place.at, codes::UNREACHABLE_NODE, message);
        }
        // From a global node the conversation returns to where it came from.
        let rests = node.global.is_some() || node.kind.node_type().may_end;
        if edges.is_empty() && !rests {
            found.warn(&place.at, codes::DEAD_END, format!("nothing leads out of '{}'", node.name));
        }
        if edges.len() > 1 {
            for index in edges.iter().filter(|index| graph.edges[**index].label.is_none()) {
                let message = format!("several edges leave '{}'; say when to take this one", node.name);
                found.warn(&places.edges[*index].label, codes::UNLABELLED_EDGE, message);
            }
        }
    }
}

/// Forms of tools that providers of models refuse, and that `gateways::llm` therefore changes.
fn warn_of_tools(node: &Node, at: &str, found: &mut Findings) {
    for webhook in node.kind.tools().webhooks {
        let schema = webhook.body_schema.as_ref();
        let is_union = |schema: &Value| ["anyOf", "oneOf", "allOf"].iter().any(|union| schema.get(union).is_some());
        if schema.is_some_and(is_union) {
            let message = "a body_schema with anyOf, oneOf or allOf at its top is offered as one object";
            found.warn(at, codes::SCHEMA_REWRITTEN, message);
        }
        let long = |text: &String| text.chars().count() > MOST_DESCRIPTION_CHARS;
        if webhook.description.as_ref().is_some_and(long) {
            found.warn(at, codes::DESCRIPTION_CUT, "a description of a tool has at most 1,024 characters for models");
        }
    }
}

/// Variables of a text for the model that will be empty, or stay as written.
fn warn_of_text(text: &str, at: &str, found: &mut Findings) {
    for path in variables::context_paths_of([text]) {
        if path.starts_with("secrets.") {
            let message = format!("{{{{{path}}}}} is empty here; secrets are filled in requests only");
            found.warn(at, codes::SECRET_IN_PROMPT, message);
        } else if !variables::is_known_path(&path) {
            found.warn(at, codes::UNKNOWN_VARIABLE, format!("{{{{{path}}}}} names nothing and will be empty"));
        }
    }
    for name in variables::placeholders(text) {
        let message = format!("#{{{name}}} stays as it is here; only requests and templates have arguments");
        found.warn(at, codes::ARGUMENT_IN_PROMPT, message);
    }
}

/// Ids of the nodes that `__start__` or a global node leads to, themselves included.
fn reachable<'a>(graph: &'a Graph, outgoing: &HashMap<&str, Vec<usize>>) -> HashSet<&'a str> {
    let roots = graph.nodes.iter().filter(|node| node.name == START || node.global.is_some());
    let mut open: Vec<&str> = roots.map(|node| node.id.as_str()).collect();
    let mut reached = HashSet::new();
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(outgoing.get(id).into_iter().flatten().map(|index| graph.edges[*index].to.as_str()));
        }
    }
    reached
}
