//! The conversation itself: each step does something, waits for what must follow and checks it.
//!
//! Wording is checked only with the rehearsal model, which always says the same. What happens (one answer to a burst,
//! a call of the order service, statuses) is checked with every model.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use emulator::orders::OrderService;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    report::{Record, Speaker},
    script::Script,
};
use crate::client::{Api, Control, Execution, LOOK_EVERY, Session};

/// Between two questions to the REST API, which counts them.
const ASK_EVERY: Duration = Duration::from_millis(400);
/// Between two questions whether the run that should answer has failed.
const ASK_ABOUT_FAILURE_EVERY: Duration = Duration::from_secs(2);
/// Between two messages of the burst.
const TYPING: Duration = Duration::from_millis(150);
/// How often the last word is said before the demo gives up.
const GOODBYES: usize = 4;

/// How long things may take.
pub struct Limits {
    rehearsed: bool,
    /// For an answer of the agent.
    answer: Duration,
    /// After an answer, for another one that should not come.
    quiet: Duration,
    /// For everything that no model takes part in.
    system: Duration,
}

impl Limits {
    /// A real model may think for a while.
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

/// Everybody who takes part.
pub struct Story<'s> {
    /// The REST API with the project's key.
    pub api: Api,
    /// The emulator.
    pub control: Control,
    /// The customer, by the emulator's key.
    pub who: String,
    /// What the customer says.
    pub script: &'static Script,
    /// The business system behind the agent's tool.
    pub orders: &'s OrderService,
    /// The agent's id.
    pub agent: String,
    /// How long things may take.
    pub limits: Limits,
    /// Messages of the business that were noticed.
    pub answers: usize,
    /// What is left behind.
    pub record: &'s mut Record,
}

impl Story<'_> {
    /// From the first request to the last status.
    pub async fn play(mut self) -> Result<()> {
        self.activate_session().await?;
        self.ask_in_a_burst().await?;
        self.ask_for_an_order().await?;
        let run = self.ask_for_a_human().await?;
        self.talk_to_the_human(&run).await?;
        self.hand_back(&run).await?;
        self.say_goodbye(&run).await?;
        self.read_everything(&run).await
    }

    async fn activate_session(&mut self) -> Result<()> {
        let session = self.api.create_session(self.script.phone, &self.agent).await?;
        self.record.say(Speaker::Api, &format!("sandbox session for {}: {}", session.phone, session.status));
        self.write(&session.code).await?;
        let limit = self.limits.system;
        let ask = async || Ok(Some(self.api.session(&session.id).await?).filter(|now| now.status == "active"));
        let active: Option<Session> = poll(limit, ASK_EVERY, ask).await?;
        self.record.say(Speaker::Api, "sandbox session: active");
        self.record.check("the code activates the sandbox session", active.is_some(), || {
            format!("it was not active within {} s", limit.as_secs())
        })?;
        self.wait_for_answer("the sandbox confirms the code").await?;
        Ok(())
    }

    async fn ask_in_a_burst(&mut self) -> Result<()> {
        for text in self.script.burst {
            self.write(text).await?;
            sleep(TYPING).await;
        }
        let answers = self.wait_for_answers("a burst is answered").await?.len();
        let most = if self.limits.rehearsed { 1 } else { self.script.burst.len() - 1 };
        let name = "three messages in a burst are answered once";
        self.record.check(name, answers <= most, || format!("{answers} answers came"))
    }

    async fn ask_for_an_order(&mut self) -> Result<()> {
        let asked_before = self.orders.requests();
        self.write(self.script.order).await?;
        let answer = self.wait_for_answers("the order number is answered").await?.join("\n");
        let asked = self.orders.requests() - asked_before;
        self.record.say(Speaker::System, &format!("requests to the order service: {asked}"));
        self.record.check("the agent's tool called the order service", asked > 0, || "no request came".to_owned())?;
        if !self.limits.rehearsed {
            return Ok(());
        }
        let name = "the answer tells what the order service said";
        self.record.check(name, answer.contains(ORDER_CARRIER), || format!("'{ORDER_CARRIER}' is not in: {answer}"))
    }

    async fn ask_for_a_human(&mut self) -> Result<Execution> {
        self.write(self.script.human).await?;
        let limit = self.limits.answer;
        let ask = async || Ok(self.api.latest_execution(&self.agent).await?.filter(|run| run.status == "handoff"));
        let run = poll(limit, ASK_EVERY, ask).await?;
        let seen = self.api.latest_execution(&self.agent).await?;
        self.notice_answers().await?;
        let name = "the wish for a person ends in handoff";
        self.record.check(name, run.is_some(), || described(seen.as_ref()))?;
        self.record.say(Speaker::Api, "execution: handoff");
        run.context("the execution vanished")
    }

    async fn talk_to_the_human(&mut self, run: &Execution) -> Result<()> {
        let text = self.script.to_human;
        self.write(text).await?;
        sleep(self.limits.quiet).await;
        let answers = self.notice_answers().await?;
        self.record.check("the agent is silent in handoff", answers.is_empty(), || answers.join(" / "))?;
        let now = self.api.execution(&self.agent, &run.id).await?;
        self.record.check("the execution stays in handoff", now.status == "handoff", || described(Some(&now)))?;
        let messages = self.api.messages(&run.conversation).await?;
        let is_stored = |message: &Value| message["direction"] == "inbound" && message["content"] == text;
        let stored = messages.iter().any(is_stored);
        self.record.check("the message to the person is stored", stored, || "it is not in the list".to_owned())
    }

    async fn hand_back(&mut self, run: &Execution) -> Result<()> {
        let payload = json!({"resolved": true, "note": self.script.outcome});
        self.api.resume(&self.agent, &run.id, &payload).await.context("cannot resume the execution")?;
        self.record.say(Speaker::Api, &format!("execution resumed with {payload}"));
        self.wait_for_answers("the agent writes again after the handoff").await?;
        Ok(())
    }

    async fn say_goodbye(&mut self, run: &Execution) -> Result<()> {
        let mut text = self.script.enough;
        for _ in 0..GOODBYES {
            self.write(text).await?;
            if self.has_ended_or_answered(&run.id).await? {
                break;
            }
            text = self.script.goodbye;
        }
        let now = self.api.execution(&self.agent, &run.id).await?;
        self.notice_answers().await?;
        self.record.check("the goodbye ends the execution", now.status == "ended", || described(Some(&now)))?;
        self.record.say(Speaker::Api, "execution: ended");
        Ok(())
    }

    /// True once the run has ended; false when the agent said something else first.
    async fn has_ended_or_answered(&mut self, run: &str) -> Result<bool> {
        let end = Instant::now() + self.limits.answer;
        while Instant::now() < end {
            let now = self.api.execution(&self.agent, run).await?;
            match now.status.as_str() {
                "ended" => return Ok(true),
                "failed" | "stopped" => bail!("{}", described(Some(&now))),
                _ => {}
            }
            if !self.notice_answers().await?.is_empty() {
                // Its end may be a moment behind its last words.
                sleep(self.limits.quiet).await;
                return Ok(self.api.execution(&self.agent, run).await?.status == "ended");
            }
            sleep(ASK_EVERY).await;
        }
        bail!("neither an answer nor an end within {} s", self.limits.answer.as_secs())
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
        let read = poll(limit, ASK_EVERY, ask).await?;
        let name = "every message of the agent reaches the status read";
        self.record.check(name, read.is_some(), || {
            let shown = |message: &Value| format!("{}: {}", message["status"], message["content"]);
            unread.iter().map(shown).collect::<Vec<_>>().join(", ")
        })
    }

    async fn write(&mut self, text: &str) -> Result<()> {
        self.control.write(&self.who, text).await?;
        self.record.say(Speaker::Phone, text);
        Ok(())
    }

    /// Waits for one answer, but not for one of a run that has failed.
    async fn wait_for_answer(&mut self, name: &'static str) -> Result<Vec<String>> {
        let began = Instant::now();
        let mut asked = began;
        loop {
            let answers = self.notice_answers().await?;
            if !answers.is_empty() {
                self.record.check(name, true, String::new)?;
                return Ok(answers);
            }
            let is_over = began.elapsed() >= self.limits.answer;
            if is_over || asked.elapsed() >= ASK_ABOUT_FAILURE_EVERY {
                asked = Instant::now();
                let run = self.api.latest_execution(&self.agent).await?;
                if is_over || run.as_ref().is_some_and(|run| run.status == "failed") {
                    let seen = format!("no answer in {} s; {}", began.elapsed().as_secs(), described(run.as_ref()));
                    self.record.check(name, false, || seen)?;
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits for an answer and then for others that may follow it.
    async fn wait_for_answers(&mut self, name: &'static str) -> Result<Vec<String>> {
        let mut answers = self.wait_for_answer(name).await?;
        let end = Instant::now() + self.limits.quiet;
        while Instant::now() < end {
            sleep(LOOK_EVERY).await;
            answers.extend(self.notice_answers().await?);
        }
        Ok(answers)
    }

    /// What appeared on the phone since the last look.
    async fn notice_answers(&mut self) -> Result<Vec<String>> {
        let chat = self.control.chat(&self.who).await?;
        let new: Vec<String> = chat.answers().skip(self.answers).map(|message| message.text.clone()).collect();
        for text in &new {
            self.record.say(Speaker::Agent, text);
        }
        self.answers += new.len();
        Ok(new)
    }
}

/// Stands in the sample order service's data of the order that is asked for.
const ORDER_CARRIER: &str = "Northwind Parcel";

fn described(run: Option<&Execution>) -> String {
    match run {
        None => "there is no execution".to_owned(),
        Some(Execution { status, error: Some(error), .. }) => format!("the execution is {status}: {error}"),
        Some(Execution { status, .. }) => format!("the execution is {status}"),
    }
}

/// Asks until there is an answer or the time is over.
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
