//! Plays a scenario and checks its expectations.

use super::{
    crowd,
    events::{hold, in_short, line},
    file::{Scenario, Step, graph},
    script::{self, Answer},
};
use domain::{Span, ids::ExecutionId};
use reqwest::Method;
use serde_json::{Value, json};
use std::{fmt::Write as _, sync::Arc};
use testkit::{ANA, Service, StoredEvent, TestApp, dialects::Dialect};

struct Play {
    app: Arc<TestApp>,
    service: Service,
    agent: String,
    execution: Option<String>,
    /// Events of the current execution that were already checked.
    events: usize,
    sent: usize,
    templates: usize,
    requests: usize,
    targets: usize,
    journal: String,
}

/// Plays with a lenient model and compares the stored events with the snapshot.
pub async fn play(name: &str, text: &str) {
    let Some(journal) = play_with(name, text, None).await else { return };
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "snapshots"}, {
        insta::assert_snapshot!(name, journal);
    });
}

/// Form in which a model's server answers a request for a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    Streamed,
    Whole,
}

/// Plays with a model that speaks a dialect, or a lenient one. Returns the events.
pub async fn play_with(name: &str, text: &str, dialect: Option<(&'static Dialect, Answers)>) -> Option<String> {
    let crowd = Scenario::read(text, "http://127.0.0.1:1");
    if crowd.projects > 0 {
        crowd::play(&crowd).await;
        return None;
    }
    let answers: serde_json::Map<String, Value> = Scenario::read(text, "http://127.0.0.1:1").target;
    let service = Service::start(move |request| {
        let path = request.path.split('?').next().unwrap_or_default();
        answers.get(path).cloned().unwrap_or_else(|| json!({}))
    })
    .await;
    let scenario = Scenario::read(text, &service.url());
    let egress = scenario.egress;
    let change = |config: &mut server::Config| {
        if egress {
            config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()];
        }
    };
    let app = match dialect {
        Some((dialect, answers)) => {
            let app = TestApp::speaking(dialect, change).await;
            if answers == Answers::Whole {
                app.model().streams_nothing();
            }
            app
        }
        None => TestApp::with(true, change).await,
    };
    for (name, value) in &scenario.secrets {
        let path = format!("/api/v1/secrets/{name}");
        assert_eq!(app.call(Method::PUT, &path, Some(json!({"secret": {"value": value}}))).await.status, 204);
    }
    let mut agent = json!({"name": name, "agent_version": scenario.version, "graph": scenario.graph()});
    agent.as_object_mut().unwrap().extend(scenario.agent.clone());
    let agent = app.agent(agent).await;
    app.activate(ANA, &agent).await;
    let mut play = Play {
        app: Arc::new(app),
        service,
        agent,
        execution: None,
        events: 0,
        sent: 0,
        templates: 0,
        requests: 0,
        targets: 0,
        journal: String::new(),
    };
    for (number, step) in scenario.step.iter().enumerate() {
        for _ in 0..step.times {
            play.begin(step).await;
            if step.dies_at_target {
                play = play.dies().await;
            }
            play.finish(number + 1, step).await;
        }
    }
    play.is_whole().await;
    Some(play.journal)
}

impl Play {
    async fn begin(&mut self, step: &Step) {
        // Advances the clock, because WhatsApp limits messages per second.
        self.app.forward(Span::from_secs(if step.times > 1 { 10 } else { 1 })).await;
        self.prepare(step).await;
        self.happen(step).await;
    }

    /// Kills the process during a tool's request and starts another.
    async fn dies(self) -> Self {
        let app = self.app.clone();
        let before = self.service.requests().len();
        let turn = tokio::spawn(async move { app.run_until_idle().await });
        testkit::until(|| async { self.service.requests().len() > before }).await;
        turn.abort();
        assert!(turn.await.unwrap_err().is_cancelled());
        let app = Arc::into_inner(self.app).expect("the only owner of the application");
        Self { app: Arc::new(app.crash_and_restart().await), ..self }
    }

    async fn finish(&mut self, number: usize, step: &Step) {
        let app = self.app.clone();
        futures::future::join_all((0..step.workers).map(|_| app.work_until_idle())).await;
        app.run_until_idle().await;
        if step.seconds > 0 {
            app.forward(Span::from_secs(step.seconds)).await;
        }
        if step.times == 1 {
            self.compare(number, step).await;
        } else {
            self.skip(number, step).await;
        }
    }

    async fn prepare(&mut self, step: &Step) {
        if let Some(fault) = &step.fault {
            self.app.emulator_call(Method::DELETE, "/faults", None).await;
            self.app.emulator_call(Method::POST, "/faults", Some(fault.clone())).await;
        }
        if !step.nodes.is_empty() {
            let body = json!({"agent": {"graph": graph(&step.nodes, &step.edges)}});
            let answer = self.app.patch(&format!("/api/v1/agents/{}", self.agent), body).await;
            assert_eq!(answer.status, if step.refused { 422 } else { 200 }, "{}", answer.body);
        }
        for line in &step.script {
            match script::read(line) {
                Answer::Message { message, held } => self.app.model().answers(message, held),
                Answer::Error { status, retry_after } => self.app.model().fails_for(status, retry_after),
            }
        }
    }

    async fn happen(&mut self, step: &Step) {
        let app = self.app.clone();
        if step.deliveries > 1 {
            let often = json!({"when": {"surface": "webhook"}, "do": {"duplicate": {"n": step.deliveries}}});
            app.emulator_call(Method::POST, "/faults", Some(often)).await;
        }
        if step.workers > 1 {
            futures::future::join_all(step.say.iter().map(|text| app.contact_sends(ANA, text))).await;
        } else {
            for text in &step.say {
                app.contact_sends(ANA, text).await;
            }
        }
        if let Some(payload) = &step.payload {
            let body = json!({"phone_number": ANA, "message": {"type": "payload", "content": payload}});
            let answer = app.post(&format!("/api/v1/agents/{}/executions", self.agent), body).await;
            assert!(answer.status < 300, "{}", answer.body);
        }
        if let Some(content) = &step.resume {
            let id = self.execution.as_deref().unwrap();
            let message = content.as_object().is_none_or(|fields| !fields.is_empty());
            let body = if message { json!({"message": {"type": "payload", "content": content}}) } else { json!({}) };
            let answer = app.post(&format!("/api/v1/agents/{}/executions/{id}/resume", self.agent), body).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        if step.stop {
            self.stop().await;
        }
        if !step.meanwhile.is_empty() || step.stop_meanwhile {
            let turn = tokio::spawn({
                let app = app.clone();
                async move { app.run_until_idle().await }
            });
            app.model().received(self.requests + 1).await;
            for text in &step.meanwhile {
                app.contact_sends(ANA, text).await;
            }
            if step.stop_meanwhile {
                self.stop().await;
            }
            app.model().release();
            turn.await.unwrap();
        }
    }

    async fn stop(&mut self) {
        let id = self.app.execution(&self.agent).await["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/agents/{}/executions/{id}", self.agent);
        let body = json!({"agent_execution": {"status": "stopped"}});
        let answer = self.app.call(Method::PUT, &path, Some(body)).await;
        assert!(answer.status < 300, "{}", answer.body);
    }

    /// Checks a repeated step briefly.
    async fn skip(&mut self, number: usize, step: &Step) {
        self.read_state().await;
        let texts = self.app.received_texts(ANA).await;
        self.sent = texts.len();
        let requests = self.app.model().requests();
        if let Some(most) = step.messages {
            let last = requests.last().unwrap()["messages"].as_array().unwrap();
            // The system prompt, and notes at the beginning and the end; a dialect may add answers.
            let most = if self.app.model().dialect().is_some() { 2 * most } else { most } + 3;
            assert!(last.len() <= most, "step {number}: {} messages", last.len());
            holds(last, step, number);
        }
        self.requests = requests.len();
    }

    /// Events since the last check; a new execution starts at its first event.
    async fn read_state(&mut self) -> (Value, Vec<StoredEvent>) {
        let execution = self.app.execution(&self.agent).await;
        let id = execution["id"].as_str().map(str::to_owned);
        if id != self.execution {
            self.execution.clone_from(&id);
            self.events = 0;
        }
        let Some(id) = id else { return (execution, Vec::new()) };
        let mut events = self.app.events(id.parse().unwrap()).await;
        let new = events.split_off(self.events);
        self.events += new.len();
        (execution, new)
    }

    async fn compare(&mut self, number: usize, step: &Step) {
        let before = self.execution.clone();
        let (execution, events) = self.read_state().await;
        let _ = writeln!(self.journal, "# {number}");
        for event in &events {
            let _ = writeln!(self.journal, "{}", line(event));
        }
        let shown: Vec<String> = events.iter().filter_map(in_short).collect();
        let mut rest = shown.iter();
        for wanted in &step.expect {
            assert!(rest.any(|event| event == wanted), "step {number}: {wanted:?} is not in its place in {shown:#?}");
        }
        for unwanted in &step.never {
            assert!(!shown.contains(unwanted), "step {number}: {unwanted:?} is in {shown:#?}");
        }
        let texts = self.app.received_texts(ANA).await;
        assert_eq!(texts[self.sent..], step.sent, "step {number}: what the phone got");
        self.sent = texts.len();
        let chat = self.app.chat(ANA).await;
        let templates = chat
            .iter()
            .filter(|message| message["type"] == "template")
            .filter_map(|message| message["content"]["name"].as_str());
        let templates: Vec<&str> = templates.skip(self.templates).collect();
        assert_eq!(templates, step.templates, "step {number}: templates to the contact: {chat:#?}");
        self.templates += templates.len();
        let requests = self.app.model().requests();
        if let Some(count) = step.requests {
            assert_eq!(requests.len() - self.requests, count, "step {number}: questions to the model");
        }
        self.requests = requests.len();
        for (field, wanted) in [("status", &step.status), ("current_node", &step.node)] {
            let found = if field == "status" { execution[field].as_str() } else { node_of(&execution) };
            assert!(wanted.is_none() || found == wanted.as_deref(), "step {number}: {field} in {execution:#}");
        }
        if let Some(reason) = &step.reason {
            let found = [&execution["error"]["code"], &execution["end_reason"], &execution["handoff_reason"]];
            assert!(found.iter().any(|found| *found == reason), "step {number}: {reason} in {execution:#}");
        }
        if let Some(new) = step.new_execution {
            assert_eq!(before != self.execution, new, "step {number}: a new execution");
        }
        if let Some(last) = requests.last() {
            holds(last["messages"].as_array().unwrap(), step, number);
            let tools: Vec<String> = self.app.model().last_texts("tool");
            let results = tools.iter().filter(|text| !text.starts_with("# Step")).rev().take(step.results.len());
            let results: Vec<&String> = results.collect::<Vec<_>>().into_iter().rev().collect();
            assert_eq!(results, step.results.iter().collect::<Vec<_>>(), "step {number}: results");
            if let Some(most) = step.passages {
                let newest: Value = serde_json::from_str(tools.last().unwrap()).unwrap();
                let count = newest["results"].as_array().unwrap().len();
                assert!((1..=most).contains(&count), "step {number}: {count} passages");
            }
            let system = |request: &Value| request["messages"][0]["content"].clone();
            assert!(!step.same_system || system(last) == system(&requests[0]), "step {number}: another system prompt");
        }
        let asked: Vec<String> = self.service.requests().iter().skip(self.targets).map(asked).collect();
        assert_eq!(asked, step.target, "step {number}: what the service got");
        self.targets += asked.len();
    }

    /// Invariants at the end of every scenario.
    async fn is_whole(&self) {
        let operator = self.app.app.operator();
        for id in operator.executions().await.unwrap() {
            let (events, entries) = (self.app.events(id).await, self.app.history(id).await);
            let resting = matches!(self.status_of(id).await.as_str(), "paused" | "handoff");
            hold(&events, &entries, resting);
        }
        // The conversation in WhatsApp's order.
        let ours: Vec<String> = self.app.messages().await.iter().filter_map(ours).collect();
        let theirs: Vec<String> = self.app.chat(ANA).await.iter().filter_map(theirs).collect();
        // One page of our list.
        assert_eq!(ours, theirs[theirs.len() - ours.len()..], "the conversation and the phone");
        assert!(ours.len() == theirs.len() || ours.len() >= 90, "{ours:?} {theirs:?}");
    }

    async fn status_of(&self, id: ExecutionId) -> String {
        let list = self.app.get(&format!("/api/v1/agents/{}/executions/{id}", self.agent)).await;
        list.body["data"]["status"].as_str().unwrap_or_default().to_owned()
    }
}

fn node_of(execution: &Value) -> Option<&str> {
    execution["current_node"]["name"].as_str().or(execution["current_node"].as_str()).or(execution["node"].as_str())
}

/// A message as the API shows it; unsent ones are skipped.
fn ours(message: &Value) -> Option<String> {
    let text = if message["message_type"] == "text" { &message["content"] } else { &message["message_type"] };
    (message["status"] != "failed").then(|| text.as_str().unwrap_or_default().to_owned())
}

fn theirs(message: &Value) -> Option<String> {
    let content = &message["content"];
    content["body"].as_str().or(content.as_str()).or(message["type"].as_str()).map(str::to_owned)
}

fn asked(request: &testkit::Request) -> String {
    if request.body.is_null() { request.path.clone() } else { format!("{} {}", request.path, request.body) }
}

fn holds(messages: &[Value], step: &Step, number: usize) {
    let text: String = messages
        .iter()
        .map(|message| format!("{} {}\n", message["content"].as_str().unwrap_or_default(), message["tool_calls"]))
        .collect();
    for wanted in &step.holds {
        assert!(text.contains(wanted), "step {number}: {wanted:?} is not in the request:\n{text}");
    }
    for unwanted in &step.lacks {
        assert!(!text.contains(unwanted), "step {number}: {unwanted:?} is in the request:\n{text}");
    }
}
