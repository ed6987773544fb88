//! Format of scenario files.

use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// `A`, `B`, or absent if `nodes` and `edges` define the graph.
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
    /// True lets tools reach local addresses.
    #[serde(default)]
    pub egress: bool,
    /// Responses of the service at `$TARGET` by path; `{}` for other paths. `{"redirect": url}`
    /// redirects.
    #[serde(default)]
    pub target: Map<String, Value>,
    /// Number of projects with their own number, token and key. People write to all at once, and
    /// the scenario has no steps.
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
    // ---- inputs of a step
    /// Texts from the contact, each its own message.
    #[serde(default)]
    pub say: Vec<String>,
    /// Deliveries of each message by WhatsApp.
    #[serde(default = "once")]
    pub deliveries: usize,
    /// Payload that starts or resumes an execution.
    pub payload: Option<Value>,
    pub resume: Option<Value>,
    /// Seconds by which the clock advances.
    #[serde(default)]
    pub seconds: i64,
    #[serde(default)]
    pub stop: bool,
    /// Saves another graph.
    #[serde(default)]
    pub nodes: Vec<Map<String, Value>>,
    #[serde(default)]
    pub edges: Vec<Vec<String>>,
    /// Fault rule of the emulator, e.g. failing sends.
    pub fault: Option<Value>,
    /// Answers of the model, in order.
    #[serde(default)]
    pub script: Vec<String>,
    /// Texts sent while the first, held answer is pending.
    #[serde(default)]
    pub meanwhile: Vec<String>,
    /// Stops the execution while the first, held answer is pending.
    #[serde(default)]
    pub stop_meanwhile: bool,
    /// Number of workers that run at once, concurrently with the texts.
    #[serde(default = "once")]
    pub workers: usize,
    /// Kills the process after a request reached `$TARGET` and before its response; another process
    /// starts.
    #[serde(default)]
    pub dies_at_target: bool,
    // ---- expectations of a step
    /// Events in order; others may come between.
    #[serde(default)]
    pub expect: Vec<String>,
    /// Events that must not occur.
    #[serde(default)]
    pub never: Vec<String>,
    /// All texts that the phone received in this step.
    #[serde(default)]
    pub sent: Vec<String>,
    /// Templates sent in this step, all to the contact.
    #[serde(default)]
    pub templates: Vec<String>,
    /// Number of model requests in this step.
    pub requests: Option<usize>,
    pub status: Option<String>,
    pub node: Option<String>,
    /// `error.code`, `end_reason` or `handoff_reason`.
    pub reason: Option<String>,
    /// Texts that the last model request contains, and texts that it does not.
    #[serde(default)]
    pub holds: Vec<String>,
    #[serde(default)]
    pub lacks: Vec<String>,
    /// Maximum number of messages in the last request, without the system prompt.
    pub messages: Option<usize>,
    /// Tool results in the last request, newest last.
    #[serde(default)]
    pub results: Vec<String>,
    /// Maximum number of knowledge passages in the newest tool result; at least one is required.
    pub passages: Option<usize>,
    /// Paths and bodies received by the service at `$TARGET` in this step.
    #[serde(default)]
    pub target: Vec<String>,
    /// True requires a different execution than before.
    pub new_execution: Option<bool>,
    /// Requires the system prompt to equal that of the first request byte for byte.
    #[serde(default)]
    pub same_system: bool,
    /// Repetitions of the step.
    #[serde(default = "once")]
    pub times: usize,
    /// Graph whose save must be refused.
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

/// A 100 KiB handbook about unrelated subjects, as a file would hold it.
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
