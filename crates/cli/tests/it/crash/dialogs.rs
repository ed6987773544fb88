//! People who write all the time: each asks the next question as soon as the last one is answered.

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

/// What the model takes for an answer.
const THINKING: Duration = Duration::from_millis(400);

/// Which node asked the model which question, and when. A node's name is in the path that it asks at.
pub type Asked = Arc<Mutex<Vec<(Instant, String, String)>>>;

/// A world whose model answers each question of a talk with that question.
pub fn world() -> (World, Asked) {
    world_thinking(|_| THINKING)
}

/// The same, where an answer takes as long as the question says.
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

/// The word that begins the last text of the person.
fn question_of(request: &Request) -> String {
    let messages = request.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = messages.iter().rev().filter_map(|message| message["content"].as_str());
    let mut words = texts.flat_map(str::split_whitespace);
    words.find(|word| word.starts_with("question-")).unwrap_or_default().to_owned()
}

fn answer_to(question: &str) -> String {
    format!("The answer to {question}.")
}

/// One person's.
pub struct Talk {
    pub phone: String,
    /// The open question is this one of them.
    asked: usize,
    /// The answers of all before were heard.
    pub answered: usize,
}

impl Talk {
    /// What waits for an answer.
    pub fn open(&self) -> Option<String> {
        (self.asked > self.answered).then(|| self.question(self.asked))
    }

    fn question(&self, number: usize) -> String {
        format!("question-{}-{number}", self.phone.trim_start_matches('+'))
    }
}

/// All of them.
pub struct Talks<'w> {
    world: &'w World,
    pub all: Vec<Talk>,
    /// Ids in WhatsApp's log of requests.
    seen: HashSet<u64>,
    newest: u64,
}

impl<'w> Talks<'w> {
    /// Everybody is connected and has been welcomed.
    pub fn begin(world: &'w World, people: usize) -> Self {
        let access = world.set_up(&Case::at(""));
        let talk = |number| Talk { phone: format!("+5511988880{number:03}"), asked: 0, answered: 0 };
        let all: Vec<_> = (0..people).map(talk).collect();
        for talk in &all {
            let code = world.session(&access.key, &access.agent, &talk.phone);
            world.says_as(&talk.phone, &code);
        }
        let mut talks = Self { world, all, seen: HashSet::new(), newest: 0 };
        until("the welcomes", || talks.accepted().is_empty() && talks.seen.len() >= people);
        talks
    }

    /// Those who have no open question ask the next one, but none after the `last`.
    pub fn ask(&mut self, last: usize) {
        for talk in self.all.iter_mut().filter(|talk| talk.open().is_none() && talk.asked < last) {
            talk.asked += 1;
            self.world.says_as(&talk.phone, &format!("{} please", talk.question(talk.asked)));
        }
    }

    /// Notes the answers that came since the last look, and gives their questions.
    pub fn listen(&mut self) -> Vec<String> {
        let texts: HashSet<String> = self.accepted().into_iter().collect();
        let mut done = Vec::new();
        for talk in &mut self.all {
            if let Some(question) = talk.open().filter(|question| texts.contains(&answer_to(question))) {
                talk.answered = talk.asked;
                done.push(question);
            }
        }
        done
    }

    /// The texts that WhatsApp took since the last look.
    fn accepted(&mut self) -> Vec<String> {
        // A request is in the log before it is answered, so the latest ones are read again.
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
        self.all.iter().all(|talk| talk.open().is_none())
    }

    /// Every phone shows the welcome and then each answer once, in order. Gives the number of answers.
    pub fn check(&self) -> usize {
        for talk in &self.all {
            let expected: Vec<_> = (1..=talk.asked).map(|number| answer_to(&talk.question(number))).collect();
            let heard = self.world.heard_by(&talk.phone);
            assert_eq!(heard[1..], expected, "on the phone {}: {}", talk.phone, Repeated(&heard));
        }
        self.all.iter().map(|talk| talk.answered).sum()
    }
}

/// Shows which texts came more than once.
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
