//! Contacts who write without pause: each asks the next question as soon as the last one is
//! answered.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::json;
use testkit::Request;

use super::{
    cases::Case,
    model::choice,
    world::{World, until},
};

/// Response time of the model.
const THINKING: Duration = Duration::from_millis(400);

/// Model requests: time, node and question. The node's name is part of the request path.
pub type Asked = Arc<Mutex<Vec<(Instant, String, String)>>>;

/// Creates a world whose model answers each question with an answer that contains it.
pub fn world() -> (World, Asked) {
    world_thinking(|_| THINKING)
}

/// Creates such a world with a response time that depends on the question.
pub fn world_thinking(thinking: impl Fn(&str) -> Duration + Send + Sync + 'static) -> (World, Asked) {
    let asked = Asked::default();
    let log = asked.clone();
    let world = World::with(move |request| {
        let question = question_of(request);
        let node = request.path.split('/').nth(1).unwrap_or_default().to_owned();
        log.lock().unwrap().push((Instant::now(), node, question.clone()));
        tokio::task::block_in_place(|| std::thread::sleep(thinking(&question)));
        choice(&json!({"role": "assistant", "content": answer_to(&question)}))
    });
    (world, asked)
}

/// Last `question-…` word of the contact: several texts may come as one message.
fn question_of(request: &Request) -> String {
    let messages = request.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = messages.iter().rev().filter_map(|message| message["content"].as_str());
    let mut words = texts.flat_map(|text| text.split_whitespace().rev());
    words.find(|word| word.starts_with("question-")).unwrap_or_default().to_owned()
}

fn answer_to(question: &str) -> String {
    format!("The answer to {question}.")
}

/// Questions of one contact.
pub struct Dialog {
    pub phone: String,
    /// Number of the latest question.
    asked: usize,
    /// Number of answers that arrived.
    pub answered: usize,
}

impl Dialog {
    /// Question without an answer.
    pub fn open(&self) -> Option<String> {
        (self.asked > self.answered).then(|| self.question(self.asked))
    }

    fn question(&self, number: usize) -> String {
        format!("question-{}-{number}", self.phone.trim_start_matches('+'))
    }
}

/// Dialogs of all contacts.
pub struct Dialogs<'w> {
    world: &'w World,
    pub all: Vec<Dialog>,
    /// Ids of the requests in WhatsApp's log that were read.
    seen: HashSet<u64>,
    newest: u64,
}

impl<'w> Dialogs<'w> {
    /// Connects all contacts and waits for their welcome messages.
    pub fn begin(world: &'w World, people: usize) -> Self {
        let access = world.set_up(&Case::at(""));
        let dialog = |number| Dialog { phone: format!("+5511988880{number:03}"), asked: 0, answered: 0 };
        let all: Vec<_> = (0..people).map(dialog).collect();
        for dialog in &all {
            let code = world.session(&access.key, &access.agent, &dialog.phone);
            world.contact_sends_as(&dialog.phone, &code);
        }
        let mut dialogs = Self { world, all, seen: HashSet::new(), newest: 0 };
        until("the welcomes", || dialogs.accepted().is_empty() && dialogs.seen.len() >= people);
        dialogs
    }

    /// Lets everyone without an open question ask the next one, up to number `last`.
    pub fn ask(&mut self, last: usize) {
        for dialog in self.all.iter_mut().filter(|dialog| dialog.open().is_none() && dialog.asked < last) {
            dialog.asked += 1;
            self.world.contact_sends_as(&dialog.phone, &format!("{} please", dialog.question(dialog.asked)));
        }
    }

    /// Records the answers since the last call. Returns their questions.
    pub fn read_answers(&mut self) -> Vec<String> {
        let texts: HashSet<String> = self.accepted().into_iter().collect();
        let mut done = Vec::new();
        for dialog in &mut self.all {
            if let Some(question) = dialog.open().filter(|question| texts.contains(&answer_to(question))) {
                dialog.answered = dialog.asked;
                done.push(question);
            }
        }
        done
    }

    /// Texts that WhatsApp accepted since the last call.
    fn accepted(&mut self) -> Vec<String> {
        // A request is logged before it is answered, so the latest ones are read again.
        let since = self.newest.saturating_sub(500);
        let log = self.world.control(Method::GET, &format!("/requests?path=/messages&since={since}"), None);
        let mut texts = Vec::new();
        for entry in log["requests"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let id = entry["id"].as_u64().unwrap();
            if entry["status"] == 200 && self.seen.insert(id) {
                self.newest = self.newest.max(id);
                texts.extend(entry["body"]["text"]["body"].as_str().map(str::to_owned));
            }
        }
        texts.retain(|text| text.starts_with("The answer"));
        texts
    }

    pub fn are_over(&self) -> bool {
        self.all.iter().all(|dialog| dialog.open().is_none())
    }

    /// Checks that every phone shows the welcome and each answer once, in order. Returns the number
    /// of answers.
    pub fn check(&self) -> usize {
        for dialog in &self.all {
            let expected: Vec<_> = (1..=dialog.asked).map(|number| answer_to(&dialog.question(number))).collect();
            let received = self.world.received_by(&dialog.phone);
            assert_eq!(received[1..], expected, "on the phone {}: {}", dialog.phone, Repeated(&received));
        }
        self.all.iter().map(|dialog| dialog.answered).sum()
    }
}

/// Formats the texts that arrived more than once.
struct Repeated<'a>(&'a [String]);

impl std::fmt::Display for Repeated<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut times = BTreeMap::new();
        for text in self.0 {
            *times.entry(text).or_insert(0) += 1;
        }
        write!(f, "more than once: {:?}", times.iter().filter(|(_, times)| **times > 1).collect::<Vec<_>>())
    }
}
