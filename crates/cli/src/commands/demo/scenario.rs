//! Steps of the demo: each acts, waits for the result and checks it.
//!
//! Wording is checked only with the rehearsal model, whose answers are constant. Behaviour (one
//! answer to a burst, a call of the order service, statuses) is checked with every model.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use emulator::orders::OrderService;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    report::{Report, Speaker},
    script::Script,
};
use crate::client::{Api, Control, Execution, POLL_INTERVAL, Session};

/// Interval between two requests to the REST API, which is rate-limited.
const API_POLL_INTERVAL: Duration = Duration::from_millis(400);
/// Interval between two checks for a failed execution.
const FAILURE_POLL_INTERVAL: Duration = Duration::from_secs(2);
/// Pause between two messages of the burst.
const TYPING_PAUSE: Duration = Duration::from_millis(150);
/// Attempts to end the conversation before the demo fails.
const MAX_GOODBYES: usize = 4;

/// Time limits of the steps.
pub struct Limits {
    rehearsed: bool,
    /// Time for an answer of the agent.
    answer: Duration,
    /// Wait after an answer for another one that should not arrive.
    quiet: Duration,
    /// Time for steps without a model.
    system: Duration,
}

impl Limits {
    /// Real models get more time than the rehearsal model.
    pub fn new(rehearsed: bool, debounce_seconds: u64) -> Self {
        let debounce = Duration::from_secs(debounce_seconds);
        let answer = if rehearsed { Duration::from_secs(8) } else { Duration::from_secs(90) };
        Self {
            rehearsed,
            answer: debounce + answer,
            quiet: debounce + Duration::from_secs(1),
            system: Duration::from_secs(10),
        }
    }
}

pub struct Scenario<'s> {
    pub api: Api,

    pub control: Control,
    /// The emulator's key of the customer.
    pub customer: String,

    pub script: &'static Script,

    pub orders: &'s OrderService,
    /// Agent id.
    pub agent: String,
    pub limits: Limits,
    /// Number of messages from the business that were read.
    pub answers: usize,

    pub report: &'s mut Report,
}

impl Scenario<'_> {
    /// Runs all steps, from the first request to the last status.
    pub async fn run(mut self) -> Result<()> {
        self.activate_session().await?;
        self.ask_in_a_burst().await?;
        self.ask_for_an_order().await?;
        let run = self.ask_for_a_person().await?;
        self.write_to_the_person(&run).await?;
        self.give_back(&run).await?;
        self.say_goodbye(&run).await?;
        self.read_everything(&run).await
    }

    async fn activate_session(&mut self) -> Result<()> {
        let session = self.api.create_session(self.script.phone, &self.agent).await?;
        self.report.add(Speaker::Api, &format!("sandbox session for {}: {}", session.phone, session.status));
        self.write(&session.code).await?;
        let limit = self.limits.system;
        let ask = async || Ok(Some(self.api.session(&session.id).await?).filter(|now| now.status == "active"));
        let active: Option<Session> = poll(limit, API_POLL_INTERVAL, ask).await?;
        self.report.add(Speaker::Api, "sandbox session: active");
        self.report.check("the code activates the sandbox session", active.is_some(), || {
            format!("it was not active after {} s", limit.as_secs())
        })?;
        self.wait_for_answer("the sandbox confirms the code").await?;
        Ok(())
    }

    async fn ask_in_a_burst(&mut self) -> Result<()> {
        for text in self.script.burst {
            self.write(text).await?;
            sleep(TYPING_PAUSE).await;
        }
        let answers = self.wait_for_answers("a burst is answered").await?.len();
        let most = if self.limits.rehearsed { 1 } else { self.script.burst.len() - 1 };
        let name = "three messages in a burst get one answer";
        self.report.check(name, answers <= most, || format!("{answers} answers arrived"))
    }

    async fn ask_for_an_order(&mut self) -> Result<()> {
        let asked_before = self.orders.requests();
        self.write(self.script.order).await?;
        let answer = self.wait_for_answers("the order number is answered").await?.join("\n");
        let asked = self.orders.requests() - asked_before;
        self.report.add(Speaker::System, &format!("requests to the order service: {asked}"));
        self.report
            .check("the agent's tool called the order service", asked > 0, || "it received no request".to_owned())?;
        if !self.limits.rehearsed {
            return Ok(());
        }
        let name = "the answer contains the data of the order service";
        self.report.check(name, answer.contains(ORDER_CARRIER), || format!("'{ORDER_CARRIER}' is not in: {answer}"))
    }

    async fn ask_for_a_person(&mut self) -> Result<Execution> {
        self.write(self.script.ask_for_person).await?;
        let limit = self.limits.answer;
        let ask = async || Ok(self.api.latest_execution(&self.agent).await?.filter(|run| run.status == "handoff"));
        let run = poll(limit, API_POLL_INTERVAL, ask).await?;
        let seen = self.api.latest_execution(&self.agent).await?;
        self.read_new_answers().await?;
        let name = "the request for a person leads to a handoff";
        self.report.check(name, run.is_some(), || described(seen.as_ref()))?;
        self.report.add(Speaker::Api, "execution: handoff");
        run.context("the execution was not found")
    }

    async fn write_to_the_person(&mut self, run: &Execution) -> Result<()> {
        let text = self.script.to_person;
        self.write(text).await?;
        sleep(self.limits.quiet).await;
        let answers = self.read_new_answers().await?;
        self.report.check("the agent is silent during the handoff", answers.is_empty(), || answers.join(" / "))?;
        let now = self.api.execution(&self.agent, &run.id).await?;
        self.report.check("the execution stays in handoff", now.status == "handoff", || described(Some(&now)))?;
        let messages = self.api.messages(&run.conversation).await?;
        let is_stored = |message: &Value| message["direction"] == "inbound" && message["content"] == text;
        let stored = messages.iter().any(is_stored);
        self.report.check("the message to the person is stored", stored, || "it is not in the message list".to_owned())
    }

    async fn give_back(&mut self, run: &Execution) -> Result<()> {
        let payload = json!({"resolved": true, "note": self.script.outcome});
        self.api.resume(&self.agent, &run.id, &payload).await.context("cannot resume the execution")?;
        self.report.add(Speaker::Api, &format!("execution resumed with {payload}"));
        self.wait_for_answers("the agent writes again after the handoff").await?;
        Ok(())
    }

    async fn say_goodbye(&mut self, run: &Execution) -> Result<()> {
        let mut text = self.script.enough;
        for _ in 0..MAX_GOODBYES {
            self.write(text).await?;
            if self.has_ended_or_answered(&run.id).await? {
                break;
            }
            text = self.script.goodbye;
        }
        let now = self.api.execution(&self.agent, &run.id).await?;
        self.read_new_answers().await?;
        self.report.check("the goodbye ends the execution", now.status == "ended", || described(Some(&now)))?;
        self.report.add(Speaker::Api, "execution: ended");
        Ok(())
    }

    /// Returns true once the execution has ended, false if the agent wrote another message first.
    async fn has_ended_or_answered(&mut self, run: &str) -> Result<bool> {
        let end = Instant::now() + self.limits.answer;
        while Instant::now() < end {
            let now = self.api.execution(&self.agent, run).await?;
            match now.status.as_str() {
                "ended" => return Ok(true),
                "failed" | "stopped" => bail!("{}", described(Some(&now))),
                _ => {}
            }
            if !self.read_new_answers().await?.is_empty() {
                // The execution ends shortly after its last message.
                sleep(self.limits.quiet).await;
                return Ok(self.api.execution(&self.agent, run).await?.status == "ended");
            }
            sleep(API_POLL_INTERVAL).await;
        }
        bail!("neither an answer nor the end of the execution within {} s", self.limits.answer.as_secs())
    }

    async fn read_everything(&mut self, run: &Execution) -> Result<()> {
        let limit = self.limits.system;
        let mut unread = Vec::new();
        let ask = async || {
            let messages = self.api.messages(&run.conversation).await?;
            let outbound = messages.iter().filter(|message| message["direction"] == "outbound");
            unread = outbound.filter(|message| message["status"] != "read").cloned().collect();
            Ok(unread.is_empty().then_some(()))
        };
        let read = poll(limit, API_POLL_INTERVAL, ask).await?;
        let name = "every message of the agent reaches the status read";
        self.report.check(name, read.is_some(), || {
            let shown = |message: &Value| format!("{}: {}", message["status"], message["content"]);
            unread.iter().map(shown).collect::<Vec<_>>().join(", ")
        })
    }

    async fn write(&mut self, text: &str) -> Result<()> {
        self.control.send(&self.customer, text).await?;
        self.report.add(Speaker::Phone, text);
        Ok(())
    }

    /// Waits for one answer. Stops early if the execution has failed.
    async fn wait_for_answer(&mut self, name: &'static str) -> Result<Vec<String>> {
        let began = Instant::now();
        let mut asked = began;
        loop {
            let answers = self.read_new_answers().await?;
            if !answers.is_empty() {
                self.report.check(name, true, String::new)?;
                return Ok(answers);
            }
            let is_over = began.elapsed() >= self.limits.answer;
            if is_over || asked.elapsed() >= FAILURE_POLL_INTERVAL {
                asked = Instant::now();
                let run = self.api.latest_execution(&self.agent).await?;
                if is_over || run.as_ref().is_some_and(|run| run.status == "failed") {
                    let seen = format!("no answer in {} s; {}", began.elapsed().as_secs(), described(run.as_ref()));
                    self.report.check(name, false, || seen)?;
                }
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits for an answer and for others that follow it.
    async fn wait_for_answers(&mut self, name: &'static str) -> Result<Vec<String>> {
        let mut answers = self.wait_for_answer(name).await?;
        let end = Instant::now() + self.limits.quiet;
        while Instant::now() < end {
            sleep(POLL_INTERVAL).await;
            answers.extend(self.read_new_answers().await?);
        }
        Ok(answers)
    }

    /// Reads the messages that arrived since the last call.
    async fn read_new_answers(&mut self) -> Result<Vec<String>> {
        let chat = self.control.chat(&self.customer).await?;
        let new: Vec<String> = chat.answers().skip(self.answers).map(|message| message.text.clone()).collect();
        for text in &new {
            self.report.add(Speaker::Agent, text);
        }
        self.answers += new.len();
        Ok(new)
    }
}

/// Carrier in the sample order service's data of the requested order.
const ORDER_CARRIER: &str = "Northwind Parcel";

fn described(run: Option<&Execution>) -> String {
    match run {
        None => "there is no execution".to_owned(),
        Some(Execution { status, error: Some(error), .. }) => format!("the execution is {status}: {error}"),
        Some(Execution { status, .. }) => format!("the execution is {status}"),
    }
}

/// Calls `ask` until it returns a value or the time is over.
async fn poll<T>(
    longest: Duration,
    every: Duration,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let end = Instant::now() + longest;
    loop {
        if let Some(found) = ask().await? {
            return Ok(Some(found));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        sleep(every).await;
    }
}
