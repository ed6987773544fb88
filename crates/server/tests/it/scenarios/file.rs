//! A scenario's file.

use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// `A`, `B` or nothing: then `nodes` and `edges` say it.
    pub graph: Option<String>,
    #[serde(default)]
    pub nodes: Vec<Map<String, Value>>,
    /// From, to, condition.
    #[serde(default)]
    pub edges: Vec<Vec<String>>,
    #[serde(default = "version_1")]
    pub version: i64,
    /// Other fields of the agent.
    #[serde(default)]
    pub agent: Map<String, Value>,
    /// The project's secrets.
    #[serde(default)]
    pub secrets: Map<String, Value>,
    /// Whether tools may reach this machine.
    #[serde(default)]
    pub egress: bool,
    /// What the service at `$TARGET` answers, by path; `{}` otherwise. `{"redirect": url}` sends on.
    #[serde(default)]
    pub target: Map<String, Value>,
    /// Projects with a number, a token and a key of their own, and people who write to each, all at once: then there are no steps.
    #[serde(default)]
    pub projects: usize,
    #[serde(default)]
    pub people: usize,
    #[serde(default)]
    pub step: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    // ---- what happens
    /// The contact writes, several times if several texts are given.
    #[serde(default)]
    pub say: Vec<String>,
    /// How often WhatsApp delivers each of them.
    #[serde(default = "once")]
    pub deliveries: usize,
    /// Data begins or resumes an execution.
    pub payload: Option<Value>,
    pub resume: Option<Value>,
    /// The clock moves on by so many seconds.
    #[serde(default)]
    pub seconds: i64,
    #[serde(default)]
    pub stop: bool,
    /// Another graph is saved.
    #[serde(default)]
    pub nodes: Vec<Map<String, Value>>,
    #[serde(default)]
    pub edges: Vec<Vec<String>>,
    /// A rule of the emulator, e.g. sends that fail.
    pub fault: Option<Value>,
    /// What the model answers, in order.
    #[serde(default)]
    pub script: Vec<String>,
    /// Said while the first, held answer is awaited.
    #[serde(default)]
    pub meanwhile: Vec<String>,
    /// Stopped while the first, held answer is awaited.
    #[serde(default)]
    pub stop_meanwhile: bool,
    /// So many workers do what is due, at the same time; the texts are said at the same time as well.
    #[serde(default = "once")]
    pub workers: usize,
    /// The process dies when a request has arrived at `$TARGET` and its answer has not been heard; another one begins.
    #[serde(default)]
    pub dies_at_target: bool,
    // ---- what must come of it
    /// The row's events, in order; others may lie between.
    #[serde(default)]
    pub expect: Vec<String>,
    /// Events that must not be among them.
    #[serde(default)]
    pub never: Vec<String>,
    /// Everything that the phone got in this step.
    #[serde(default)]
    pub sent: Vec<String>,
    /// Templates that this step sent to the contact, and to nobody else.
    #[serde(default)]
    pub templates: Vec<String>,
    /// Requests to the model in this step.
    pub requests: Option<usize>,
    pub status: Option<String>,
    pub node: Option<String>,
    /// `error.code`, `end_reason` or `handoff_reason`.
    pub reason: Option<String>,
    /// Texts that the last request holds, and that it does not.
    #[serde(default)]
    pub holds: Vec<String>,
    #[serde(default)]
    pub lacks: Vec<String>,
    /// The most messages that the last request may hold, beside the system prompt.
    pub messages: Option<usize>,
    /// Results of tools in the last request, the newest last.
    #[serde(default)]
    pub results: Vec<String>,
    /// The most passages of a knowledge base that the newest result of a tool holds; one at least.
    pub passages: Option<usize>,
    /// Paths and bodies that the service at `$TARGET` got in this step.
    #[serde(default)]
    pub target: Vec<String>,
    /// Whether the execution is another one than before.
    pub new_execution: Option<bool>,
    /// The system prompt is, byte for byte, that of the first request.
    #[serde(default)]
    pub same_system: bool,
    /// The step is played so many times.
    #[serde(default = "once")]
    pub times: usize,
    /// A save of this graph is refused.
    #[serde(default)]
    pub refused: bool,
}

const fn version_1() -> i64 {
    1
}

const fn once() -> usize {
    1
}

impl Scenario {
    pub fn read(text: &str, target: &str) -> Self {
        toml::from_str(&text.replace("$TARGET", target).replace("$CHAPTERS", &chapters())).unwrap()
    }

    pub fn graph(&self) -> Value {
        let words = |edges: &[&[&str]]| -> Vec<Vec<String>> {
            edges.iter().map(|edge| edge.iter().map(|word| (*word).to_owned()).collect()).collect()
        };
        let plain = |name: &str| {
            json!({"name": name, "prompt": format!("Instructions of {name}.")}).as_object().unwrap().clone()
        };
        match self.graph.as_deref() {
            Some("A") => {
                graph(&[plain("a")], &words(&[&["__start__", "a"], &["a", "__end__", "nothing more is wanted"]]))
            }
            Some("B") => graph(
                &[plain("a"), plain("b")],
                &words(&[
                    &["__start__", "a"],
                    &["a", "b", "wants b"],
                    &["b", "a", "wants a"],
                    &["b", "__end__", "nothing more is wanted"],
                ]),
            ),
            Some(other) => panic!("no graph {other}"),
            None => graph(&self.nodes, &self.edges),
        }
    }
}

/// 100 KiB of a handbook about nothing that anybody asks for, as it stands in a file.
fn chapters() -> String {
    let mut text = String::new();
    for number in 0.. {
        if text.len() >= 100 << 10 {
            break;
        }
        let line = format!("Item {number} is kept on shelf {} and is counted on day {}. ", number % 31, number % 7);
        text.push_str(&format!("# Chapter {number}\\n\\n{}\\n\\n", line.repeat(20)));
    }
    text
}

pub fn graph(nodes: &[Map<String, Value>], edges: &[Vec<String>]) -> Value {
    let ends = [json!({"name": "__start__"}), json!({"name": "__end__"})];
    let nodes: Vec<Value> = ends.into_iter().chain(nodes.iter().cloned().map(Value::Object)).collect();
    let edge = |words: &Vec<String>| match &words[..] {
        [from, to] => json!({"from": from, "to": to}),
        [from, to, label] => json!({"from": from, "to": to, "label": label}),
        other => panic!("{other:?} is no edge"),
    };
    json!({"nodes": nodes, "edges": edges.iter().map(edge).collect::<Vec<_>>()})
}
