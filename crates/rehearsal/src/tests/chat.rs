//! A small engine: runs a conversation between a person and the rehearsal model.
//!
//! Builds tools and step prompts from an agent file as the engine does. The model gets nothing
//! else.

use domain::chat::{ChatMessage, ModelRequest, ToolCall, ToolSpec};
use serde_json::{Value, json};

use crate::answer;

type Service = Box<dyn Fn(&str, &Value) -> Value>;

pub(super) struct Chat {
    agent: Value,
    node: String,
    before_handoff: String,
    messages: Vec<ChatMessage>,
    service: Service,
    /// One line per event.
    pub(super) log: Vec<String>,
    ended: bool,
    /// The call that the contact's next text answers.
    waiting: Option<String>,
}

pub(super) fn agent(file: &str) -> Value {
    let path = format!("{}/../../examples/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

impl Chat {
    pub(super) fn with(agent: Value, service: impl Fn(&str, &Value) -> Value + 'static) -> Self {
        Self {
            agent,
            node: String::new(),
            before_handoff: String::new(),
            messages: Vec::new(),
            service: Box::new(service),
            log: Vec::new(),
            ended: false,
            waiting: None,
        }
    }

    /// Sends a text of the contact and returns the events that follow, one line each.
    pub(super) fn contact_sends(&mut self, text: &str) -> Vec<String> {
        assert!(!self.ended, "the conversation is over");
        self.log.push(format!("contact: {}", text.replace('\n', " / ")));
        // Version 2: the reply is the result of the waiting call, and then a message of its own.
        if let Some(call) = self.waiting.take() {
            self.answer_call(&call, text.to_owned());
        }
        self.messages.push(ChatMessage::user(text.to_owned()));
        if self.node.is_empty() {
            let edges = self.agent["graph"]["edges"].as_array().unwrap();
            let start = edges.iter().find(|edge| edge["from"] == "__start__").unwrap();
            self.node = start["to"].as_str().unwrap().to_owned();
            self.show_step_prompt();
        }
        self.run()
    }

    /// Resumes after a handoff.
    pub(super) fn resume(&mut self, payload: Value) -> Vec<String> {
        assert_eq!(self.node_type(&self.node), "HandoffNode");
        self.node = self.before_handoff.clone();
        self.log.push("-- resumed --".to_owned());
        let note = "A person has handed the conversation back to you.";
        self.messages.push(ChatMessage::user(format!("[system data] {note}\n{payload}")));
        self.show_step_prompt();
        self.run()
    }

    pub(super) fn request(&self) -> ModelRequest {
        let prompt = self.agent["system_prompt"].as_str().unwrap();
        ModelRequest {
            system: format!(
                "You work step by step through a graph.\n<general_instructions>\n{prompt}\n</general_instructions>\nToday is Monday."
            ),
            messages: self.messages.clone(),
            tools: self.tools(),
            ..ModelRequest::default()
        }
    }

    fn run(&mut self) -> Vec<String> {
        let mut events = Vec::new();
        for _ in 0..20 {
            let response = answer(&self.request());
            assert_eq!(response, answer(&self.request()), "the same request got two answers");
            assert!(response.text.is_some() == response.tool_calls.is_empty(), "either text or one call: {response:?}");
            let mut calls = response.tool_calls.clone();
            if response.text.is_some() {
                let wait = format!("wait_{}", self.messages.len());
                self.waiting = Some(wait.clone());
                calls.push(ToolCall { id: wait, name: "WaitForUser".to_owned(), arguments: json!({}) });
            }
            self.messages.push(ChatMessage::assistant(response.text.clone(), calls));
            if let Some(text) = response.text {
                self.note(&mut events, format!("agent: {text}"));
                return events;
            }
            let call = response.tool_calls[0].clone();
            assert!(self.tools().iter().any(|tool| tool.name == call.name), "{} is not offered", call.name);
            if call.name == "MoveToNextNode" {
                let to = call.arguments["next_node"].as_str().unwrap().to_owned();
                self.note(&mut events, format!("→ {to}"));
                if self.enter(&call.id, &to) {
                    return events;
                }
                continue;
            }
            self.note(&mut events, format!("{} {}", call.name, call.arguments));
            let result = (self.service)(&call.name, &call.arguments);
            self.answer_call(&call.id, result.to_string());
        }
        panic!("the turn does not end: {events:?}");
    }

    fn note(&mut self, events: &mut Vec<String>, line: String) {
        self.log.push(line.clone());
        events.push(line);
    }

    /// True if the turn is over.
    fn enter(&mut self, call: &str, to: &str) -> bool {
        let allowed = self.edges().iter().any(|edge| edge["to"] == to);
        assert!(allowed, "{to} is not reachable from {}", self.node);
        self.before_handoff = self.node.clone();
        self.node = to.to_owned();
        self.answer_call(call, json!({"next_node": to, "reason": "…"}).to_string());
        if to == "__end__" {
            self.ended = true;
            return true;
        }
        if self.node_type(to) == "HandoffNode" {
            return true;
        }
        self.show_step_prompt();
        false
    }

    /// The engine makes the call in the model's name.
    fn show_step_prompt(&mut self) {
        let id = format!("step_{}", self.messages.len());
        let arguments = json!({"next_node": self.node, "reason": "entered"});
        let call = ToolCall { id: id.clone(), name: "MoveToNextNode".to_owned(), arguments };
        self.messages.push(ChatMessage::assistant(None, vec![call]));
        self.answer_call(&id, self.step_prompt(&self.node));
    }

    fn answer_call(&mut self, call: &str, content: String) {
        self.messages.push(ChatMessage::Tool { call_id: call.to_owned(), content });
    }

    fn edges(&self) -> Vec<Value> {
        let edges = self.agent["graph"]["edges"].as_array().unwrap();
        edges.iter().filter(|edge| edge["from"] == self.node.as_str()).cloned().collect()
    }

    fn definition(&self, name: &str) -> &Value {
        self.agent["graph"]["nodes"].as_array().unwrap().iter().find(|node| node["name"] == name).unwrap()
    }

    fn node_type(&self, name: &str) -> String {
        self.definition(name)["type"].as_str().unwrap().to_owned()
    }

    fn webhooks(&self, name: &str) -> Vec<Value> {
        self.definition(name).pointer("/subagent/webhooks").and_then(Value::as_array).cloned().unwrap_or_default()
    }

    fn step_prompt(&self, name: &str) -> String {
        let node = self.definition(name);
        let mut text = format!("# Step: {name}\n\n## Instructions\n{}\n", node["prompt"].as_str().unwrap());
        if self.node_type(name) == "WarmEndNode" {
            text += "\n## Closing\nThis step closes the conversation. Ask whether anything else is needed, or say goodbye.\n";
        }
        let webhooks = self.webhooks(name);
        if !webhooks.is_empty() {
            text += "\n## Tools of this step\n";
            for webhook in &webhooks {
                text += &format!(
                    "- {}_request: {} ({} {})\n",
                    webhook["name"].as_str().unwrap(),
                    webhook["description"].as_str().unwrap(),
                    webhook["http_method"].as_str().unwrap(),
                    webhook["url"].as_str().unwrap(),
                );
            }
        }
        text += "\n## Next steps\n";
        for edge in self.agent["graph"]["edges"].as_array().unwrap().iter().filter(|edge| edge["from"] == name) {
            let label = edge["label"].as_str().unwrap_or("when this step is done");
            text += &format!("- {}: {label}\n", edge["to"].as_str().unwrap());
        }
        text + "\nOnly these names are valid for MoveToNextNode."
    }

    fn tools(&self) -> Vec<ToolSpec> {
        let tool =
            |name: &str, parameters: Value| ToolSpec { name: name.to_owned(), description: String::new(), parameters };
        let mut tools = vec![
            tool(
                "send_notification_to_user",
                json!({"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}),
            ),
            tool(
                "MoveToNextNode",
                json!({"type": "object", "properties": {"next_node": {"type": "string"}, "reason": {"type": "string"}}, "required": ["next_node", "reason"]}),
            ),
            tool("WaitForUser", json!({"type": "object", "properties": {}})),
            tool("get_execution_metadata", json!({"type": "object", "properties": {}})),
        ];
        for webhook in self.webhooks(&self.node) {
            let mut parameters = webhook["body_schema"].clone();
            if parameters.is_null() {
                let url = webhook["url"].as_str().unwrap();
                let variable = url.split_once("#{").unwrap().1.split('}').next().unwrap();
                let mut properties = serde_json::Map::new();
                properties.insert(variable.to_owned(), json!({"type": "string"}));
                parameters = json!({"type": "object", "properties": properties, "required": [variable]});
            }
            tools.push(ToolSpec {
                name: format!("{}_request", webhook["name"].as_str().unwrap()),
                description: webhook["description"].as_str().unwrap().to_owned(),
                parameters,
            });
        }
        tools
    }
}
