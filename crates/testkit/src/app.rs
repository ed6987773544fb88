//! The real application on a random port, with the emulator as Meta, a model, and a manual clock.

mod another_node;
mod restart;

use crate::{Answer, RecordedCall, ScriptedModel, answer::answer, database::TestDatabase, dialects::Dialect};
use domain::{
    Span, Timestamp,
    ids::{ExecutionId, ProjectId},
};
use emulator::{ClockMode, Emulator};
use reqwest::Method;
use runtime::{Clock, Sandbox, workers};
use secrecy::SecretString;
use serde_json::{Value, json};
use server::{App, Config, config, operator::logins::Rights};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;

pub use another_node::AnotherNode;

/// Number of the emulated business account that a project can connect, unlike the sandbox's.
pub const OWN_NUMBER_ID: &str = "100000000000902";
/// Another such number, for another project.
pub const OTHER_NUMBER_ID: &str = "100000000000903";

/// Phone of Ana, one of the emulator's contacts.
pub const ANA: &str = "+5511999990001";

/// A running application and the services around it.
pub struct TestApp {
    pub app: App,

    pub emulator: Emulator,
    /// `None` if the rehearsal model is used.
    pub model: Option<ScriptedModel>,
    /// Manual clock, moved by [`TestApp::forward`].
    pub clock: Clock,
    /// Project of the helpers.
    pub project: ProjectId,
    /// API key of the helpers.
    pub key: String,
    http: reqwest::Client,
    config: Config,
    commits: Arc<Mutex<Vec<&'static str>>>,
    calls: Mutex<Vec<RecordedCall>>,
    _database: TestDatabase,
    _data_dir: TempDir,
}

/// Event of an execution, as stored.
pub type StoredEvent = engine::Event;

impl TestApp {
    /// Starts with a scripted model. Workers run only when the test runs them.
    pub async fn start() -> Self {
        Self::with(true, |_| {}).await
    }

    /// Starts with the rehearsal model.
    pub async fn rehearsing() -> Self {
        Self::with(false, |_| {}).await
    }

    /// Starts with changed settings.
    pub async fn with(scripted: bool, change: impl FnOnce(&mut Config)) -> Self {
        Self::in_world(emulator::World::default(), scripted, change).await
    }

    /// Starts with other numbers and contacts.
    pub async fn in_world(world: emulator::World, scripted: bool, change: impl FnOnce(&mut Config)) -> Self {
        let model = if scripted { Some(ScriptedModel::start().await) } else { None };
        Self::with_model(world, model, change).await
    }

    /// Starts with a model that speaks a dialect.
    pub async fn speaking(dialect: &'static Dialect, change: impl FnOnce(&mut Config)) -> Self {
        let model = ScriptedModel::speaking(dialect).await;
        Self::with_model(emulator::World::default(), Some(model), change).await
    }

    async fn with_model(
        mut world: emulator::World,
        model: Option<ScriptedModel>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let database = TestDatabase::new().await;
        gateways::tls::install();
        for (id, display) in [(OWN_NUMBER_ID, "15550909902"), (OTHER_NUMBER_ID, "15550909903")] {
            world.numbers.push(emulator::PhoneNumber { id: id.into(), display: display.into() });
        }
        let world = emulator::Config { clock: ClockMode::Manual, world, ..emulator::Config::default() };
        let emulator = emulator::start(world).await.expect("the emulator starts");
        let data_dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Clock::manual(Timestamp::from_micros(i64::try_from(emulator.now_ms()).expect("a time") * 1_000));
        let commits: Arc<Mutex<Vec<&'static str>>> = Arc::default();
        let mut settings =
            config::collect(None, &|_| None, &[("server.listen", "127.0.0.1:0".into())]).expect("defaults");
        let data = data_dir.path().display().to_string();
        settings.insert("server.data_dir", config::Given { value: data, origin: "test".into() });
        let mut config = Config::read(&settings, &|_| None, rehearsal::provider()).expect("settings");
        config.database = database.url.clone();
        config.clock = clock.clone();
        config.operations_listen = Some(([127, 0, 0, 1], 0).into());
        config.run_workers = false;
        config.rate_limit_per_minute = 0;
        config.projects.requests_per_minute = 0;
        config.graph_base_url = emulator.url();
        config.app_secrets = vec![SecretString::from(emulator::APP_SECRET)];
        config.verify_token = Some(SecretString::from(emulator::VERIFY_TOKEN));
        config.sandbox = Some(Sandbox {
            phone_number_id: emulator::PHONE_NUMBER_ID.into(),
            phone_number: emulator::DISPLAY_PHONE_NUMBER.into(),
            access_token: SecretString::from(emulator::ACCESS_TOKEN),
        });
        config.ollama = gateways::llm::config::OllamaProbe::Off;
        if let Some(model) = &model {
            config.llm.base_url = Some(model.base_url());
            config.llm.model = Some(model.dialect().map_or("scripted-1", |dialect| dialect.model).into());
            if let Some(dialect) = model.dialect() {
                config.llm.provider = Some(dialect.provider.parse().expect("a provider"));
                config.llm.api_key = Some(SecretString::from("test-key"));
            }
        }
        let log = commits.clone();
        config.observer = config::Observer(Some(Arc::new(move |name| log.lock().expect("no panic").push(name))));
        change(&mut config);
        let app = server::build(config.clone()).await.expect("the server starts");
        let project = app.operator().create_project_with("Tests", &Default::default()).await.expect("a project");
        let (_, key) = app.operator().create_key(&project.to_string()).await.expect("a key");
        // It uses plain HTTP only. Reading the system's certificates takes a tenth of a short test.
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        let started = Self {
            app,
            emulator,
            model,
            clock,
            project,
            key,
            http,
            config,
            commits,
            calls: Mutex::default(),
            _database: database,
            _data_dir: data_dir,
        };
        started.subscribe().await;
        started
    }

    /// Returns the scripted model; panics if there is none.
    pub fn model(&self) -> &ScriptedModel {
        self.model.as_ref().expect("this test has a scripted model")
    }

    // ---- API

    /// Sends a request with this project's key.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.call_as(Some(&self.key), method, path, body).await
    }

    /// Sends a request with another key, or none.
    pub async fn call_as(&self, key: Option<&str>, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.app.url()));
        if let Some(key) = key {
            request = request.header("X-API-Key", key);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        self.remember(&method, path, answer(request).await)
    }

    /// Sends a request with this project's key, extra headers, and any body.
    pub async fn call_raw(&self, headers: &[(&str, &str)], method: Method, path: &str, body: Option<String>) -> Answer {
        let mut request = self.request(method.clone(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.remember(&method, path, answer(request.body(body.unwrap_or_default())).await)
    }

    fn remember(&self, method: &Method, path: &str, answer: Answer) -> Answer {
        let call = RecordedCall { method: method.as_str().to_lowercase(), path: path.into(), answer: answer.clone() };
        self.calls.lock().expect("no panic").push(call);
        answer
    }

    /// Returns the API calls since the last call of this method.
    pub fn take_answers(&self) -> Vec<RecordedCall> {
        std::mem::take(&mut *self.calls.lock().expect("no panic"))
    }

    /// Builds a request with this project's key.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.app.url())).header("X-API-Key", &self.key)
    }

    /// Metrics in Prometheus's text format.
    pub async fn metrics(&self) -> String {
        let url = self.app.operations_url().expect("an operations listener");
        self.http.get(format!("{url}/metrics")).send().await.expect("an answer").text().await.expect("a text")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// Creates an agent. Returns its id.
    pub async fn agent(&self, agent: Value) -> String {
        self.post("/api/v1/agents", json!({"agent": agent})).await.id()
    }

    /// Creates a user who is a member of this project. Returns the user's id.
    pub async fn member(&self, email: &str) -> String {
        let (context, project) = (self.app.context(), self.project);
        let number = email.bytes().fold(0_u128, |all, byte| all.wrapping_mul(257).wrapping_add(byte.into()));
        let new_id = domain::Id::from_uuid(uuid::Uuid::new_v8(number.to_be_bytes()));
        let now = self.clock.now();
        let user = store::transact!(context.store, "test.member", tx => {
            let user = store::users::ensure(tx, new_id, email, false, now).await?;
            store::users::join(tx, project, user.id, now).await?;
            store::Result::Ok(user)
        });
        user.expect("a user").id.to_string()
    }

    /// Signs in a user of this project and creates an API key as that user. Returns key and user
    /// id.
    pub async fn key_of(&self, email: &str) -> (String, String) {
        let post = async |path: &str, token: &str, body: Value| {
            let headers = [("content-type", "application/json"), ("x-cli-token", token)];
            self.call_raw(&headers[..if token.is_empty() { 1 } else { 2 }], Method::POST, path, Some(body.to_string()))
                .await
        };
        let code = post("/api/cli/auth/request", "", json!({})).await.body["auth_code"].clone();
        let projects = [self.project.to_string()];
        let person =
            self.app.operator().approve_login(code.as_str().expect("a code"), email, Rights::Projects(&projects)).await;
        let token = post("/api/cli/auth/exchange", "", json!({"auth_code": code})).await.body["token"].clone();
        let path = format!("/api/cli/projects/{}/generate_api_key", self.project);
        let key = post(&path, token.as_str().expect("a token"), json!({})).await.data()["key"].clone();
        (key.as_str().expect("a key").to_owned(), person.expect("a user").to_string())
    }

    /// Id of the latest conversation.
    pub async fn conversation(&self) -> String {
        let list = self.get("/api/v1/whatsapp_conversations").await;
        list.data()[0]["id"].as_str().expect("a conversation").to_owned()
    }

    /// Connects [`OWN_NUMBER_ID`] to a new customer. Returns the ids of customer and config.
    pub async fn own_number(&self) -> (String, String) {
        self.connect(OWN_NUMBER_ID).await
    }

    /// Connects a number to a new customer. Returns the ids of customer and config.
    pub async fn connect(&self, number: &str) -> (String, String) {
        let customer = json!({"customer": {"name": "Own Clinic", "external_customer_id": "own"}});
        let customer = self.post("/api/v1/customers", customer).await.id();
        let config = json!({"name": "Own line", "phone_number_id": number, "business_account_id": emulator::WABA_ID,
            "webhook_verify_token": "own", "access_token": emulator::ACCESS_TOKEN});
        let path = format!("/api/v1/customers/{customer}/whatsapp_configs");
        let config = self.post(&path, json!({"whatsapp_config": config})).await.id();
        (customer, config)
    }

    // ---- phone

    /// Creates a sandbox session for a phone, sends its code, and waits for the welcome message.
    pub async fn activate(&self, phone: &str, agent_id: &str) -> String {
        let body = json!({"whatsapp_sandbox_session": {"phone_number": phone, "agent_id": agent_id}});
        let session = self.post("/api/v1/sandbox_sessions", body).await;
        self.contact_sends(phone, session.data()["activation_code"].as_str().expect("a code")).await;
        self.run_until_idle().await;
        session.id()
    }

    /// Sends a message from a contact. The webhook is delivered but not processed. Returns the
    /// wamid.
    pub async fn contact_sends(&self, phone: &str, text: &str) -> String {
        let answer = self.emulator_call(Method::POST, "/inbound", Some(json!({"from": phone, "text": text}))).await;
        answer["message_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Messages on the phone, oldest first.
    pub async fn chat(&self, phone: &str) -> Vec<Value> {
        self.chat_with(emulator::PHONE_NUMBER_ID, phone).await
    }

    /// Messages of the phone's chat with a business number, oldest first.
    pub async fn chat_with(&self, number: &str, phone: &str) -> Vec<Value> {
        let path = format!("/chats/{number}/{}", phone.trim_start_matches('+'));
        self.emulator_call(Method::GET, &path, None).await["messages"].as_array().cloned().unwrap_or_default()
    }

    /// Texts that the business sent to the phone, without the sandbox's welcome message.
    pub async fn received_texts(&self, phone: &str) -> Vec<String> {
        let texts =
            self.chat(phone).await.into_iter().filter(|message| message["direction"] == "out").filter_map(|message| {
                let content = &message["content"];
                Some(content["body"].as_str().or(content.as_str())?.to_owned())
            });
        texts
            .filter(|text| {
                !["Tudo conectado", "You're connected", "Conexión lista"].iter().any(|start| text.starts_with(start))
            })
            .collect()
    }

    /// Calls the emulator's control API.
    pub async fn emulator_call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let mut request = self.http.request(method, format!("{}/_emulator/v1{path}", self.emulator.url()));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = answer(request).await;
        assert!(answer.status < 300, "emulator {path}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// Calls the emulated Graph API as another program with the same token would.
    pub async fn graph_call(&self, path: &str, body: &Value) -> Value {
        let request =
            self.http.post(format!("{}/v25.0{path}", self.emulator.url())).bearer_auth(emulator::ACCESS_TOKEN);
        answer(request.json(body)).await.body
    }

    // ---- time

    /// Runs the workers until no work is due and no webhook is open. Then checks that every
    /// execution replays.
    pub async fn run_until_idle(&self) {
        // Boxed: tests nest many of these futures, and a test thread's stack is small.
        Box::pin(self.work_until_idle()).await;
        Box::pin(self.replays_exactly()).await;
    }

    /// Runs the workers without the replay check, which fails while other tasks work concurrently.
    pub async fn work_until_idle(&self) {
        loop {
            let mut worked = false;
            while Box::pin(workers::step(self.app.context())).await.expect("a step") == workers::Did::Something {
                worked = true;
            }
            let quiet = self.emulator.quiesce(Duration::from_secs(10)).await;
            assert_eq!(quiet.in_flight, 0, "webhooks are stuck");
            if !worked {
                return self.counts_exactly().await;
            }
        }
    }

    /// Checks the stored counters after every test.
    async fn counts_exactly(&self) {
        let mut reader = self.app.context().store.read().await.expect("a reader");
        let wrong = store::census::wrong_counters(&mut reader.conn()).await.expect("the counters");
        assert_eq!(wrong, []);
    }

    /// Checks that every execution replays with equal effects.
    async fn replays_exactly(&self) {
        let operator = self.app.operator();
        for id in operator.executions().await.expect("executions") {
            let replay = operator.replay(id).await.expect("a replay");
            assert_eq!(replay.difference, None, "execution {id} does not replay");
        }
    }

    /// Moves all clocks forward and processes the work that became due.
    pub async fn forward(&self, span: Span) {
        self.clock.forward(span);
        self.emulator.advance(u64::try_from(span.millis()).expect("forward")).await;
        self.run_until_idle().await;
    }

    /// Replaces a text in the stored inputs of an execution.
    pub async fn damage_journal(&self, id: ExecutionId, from: &str, to: &str) {
        let store = &self.app.context().store;
        let project = self.project;
        let changed =
            store::transact!(store, "test.damage", tx => store::journal::damage(tx, project, id, from, to).await);
        assert!(changed.expect("the journal changes") > 0);
    }

    /// Stored texts of every execution: state, journal and history.
    pub async fn stored_texts(&self) -> Vec<String> {
        let operator = self.app.operator();
        let mut reader = self.app.context().store.read().await.expect("a reader");
        let mut conn = reader.conn();
        let mut texts = Vec::new();
        for id in operator.executions().await.expect("executions") {
            let state = store::executions::state(&mut conn, self.project, id).await.expect("a state");
            texts.extend(state.map(|row| row.state));
            let steps = store::journal::read(&mut conn, self.project, id, 0).await.expect("a journal");
            texts.extend(steps.into_iter().flat_map(|step| [step.inputs, step.effects, step.events]));
            let rows = store::history::window(&mut conn, self.project, id, 0).await.expect("a history");
            texts.extend(rows.into_iter().map(|row| row.entry));
        }
        texts
    }

    // ---- stored results

    /// Names of the transactions committed since the last call.
    pub fn take_commits(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.commits.lock().expect("no panic"))
    }

    /// Events in an execution's journal, oldest first.
    pub async fn events(&self, id: ExecutionId) -> Vec<StoredEvent> {
        let mut reader = self.app.context().store.read().await.expect("a reader");
        let (mut conn, mut events, mut after) = (reader.conn(), Vec::new(), 0);
        loop {
            let steps = store::journal::read(&mut conn, self.project, id, after).await.expect("the journal");
            let Some(last) = steps.last() else { return events };
            after = last.step_no;
            for step in &steps {
                events.extend(serde_json::from_str::<Vec<StoredEvent>>(&step.events).expect("events"));
            }
        }
    }

    /// Stored history of an execution, oldest first.
    pub async fn history(&self, id: ExecutionId) -> Vec<Value> {
        let mut reader = self.app.context().store.read().await.expect("a reader");
        let rows = store::history::window(&mut reader.conn(), self.project, id, 1).await.expect("the history");
        rows.iter().map(|row| serde_json::from_str(&row.entry).expect("an entry")).collect()
    }
}
