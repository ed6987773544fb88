//! Decides what to do: say something, call a data tool, move to another step, or wait.
//!
//! The result of a tool comes first, then questions about us, wishes for a person and
//! goodbyes; then whatever the step's tools and the next steps offer for the wish. The better fit
//! wins, and the step at hand wins ties. A step seen in this turn is never entered again, so a turn
//! cannot run in a circle.

use domain::chat::ModelRequest;
use domain::tool_names::{ENTER_IDLE_STATE, MOVE_TO_NEXT_NODE, WAIT_FOR_USER};
use serde_json::{Map, Value};

use crate::concepts::Concept;
use crate::conversation::{Conversation, Entry, is_data_tool};
use crate::language::{Language, Phrase, contains_phrase};
use crate::meaning::Meaning;
use crate::phrases;
use crate::text::head;
use crate::wish::Wish;

#[derive(Debug)]
pub(crate) enum Action<'a> {
    Say(String),
    Move { to: &'a str, reason: String },
    Call { tool: &'a str, arguments: Map<String, Value> },
}

/// Everything that a decision depends on.
pub(crate) struct Situation<'a> {
    pub(crate) request: &'a ModelRequest,
    pub(crate) conversation: &'a Conversation<'a>,
    pub(crate) language: Language,
    pub(crate) wish: Wish,
    targets: Vec<Target<'a>>,
}

/// A next step on offer.
struct Target<'a> {
    name: &'a str,
    condition: &'a str,
    meaning: Meaning,
}

impl Target<'_> {
    fn is_end(&self) -> bool {
        matches!(self.name, "__end__" | "end" | "END")
    }

    fn closes(&self) -> bool {
        self.is_end() || self.meaning.has(Concept::Bye) || self.meaning.has(Concept::Done)
    }

    fn leads_to_person(&self) -> bool {
        self.meaning.has(Concept::Staff)
    }
}

impl<'a> Situation<'a> {
    pub(crate) fn new(request: &'a ModelRequest, conversation: &'a Conversation<'a>, language: Language) -> Self {
        let wish = Wish::read(conversation.unanswered().unwrap_or_default());
        Self { request, conversation, language, wish, targets: targets(request, conversation) }
    }

    pub(crate) fn decide(&self) -> Action<'a> {
        if let Some(Entry::Result { tool, arguments, content }) = self.conversation.entries.last() {
            return Action::Say(self.tell(tool, arguments, content));
        }
        if self.conversation.is_handed_back() {
            let begun = self.has_begun() || self.conversation.contact_texts().next().is_some();
            return self.say(if begun { phrases::WELCOME_BACK } else { phrases::HELLO_AND_HELP });
        }
        if self.conversation.unanswered().is_none() {
            return self.wait().unwrap_or_else(|| self.say(phrases::HELLO_AND_HELP));
        }
        self.identity()
            .or_else(|| self.handoff_action())
            .or_else(|| self.in_closing_step())
            .or_else(|| self.goodbye())
            .or_else(|| self.topic_action())
            .or_else(|| self.onwards())
            .unwrap_or_else(|| Action::Say(self.small_talk()))
    }

    fn say(&self, phrase: Phrase) -> Action<'a> {
        Action::Say(self.language.pick(phrase).to_owned())
    }

    fn go(&self, target: &Target<'a>) -> Action<'a> {
        let text = self.wish.text.split_whitespace().collect::<Vec<_>>().join(" ");
        Action::Move { to: target.name, reason: self.language.fill(phrases::REASON, head(&text, 160)) }
    }

    /// Nothing is new since the last text: waits, if there is a tool for it.
    fn wait(&self) -> Option<Action<'a>> {
        let tool =
            self.request.tools.iter().find(|tool| matches!(tool.name.as_str(), WAIT_FOR_USER | ENTER_IDLE_STATE))?;
        let spoken = matches!(self.conversation.entries.last(), Some(Entry::Agent(_)));
        spoken.then(|| Action::Call { tool: &tool.name, arguments: Map::new() })
    }

    fn identity(&self) -> Option<Action<'a>> {
        let asked = self.wish.has(Concept::Identity) && !self.wish.meaning.has_topic();
        asked.then(|| Action::Say(self.two(phrases::IDENTITY, phrases::ANYTHING_ELSE)))
    }

    fn handoff_action(&self) -> Option<Action<'a>> {
        let offered =
            self.conversation.last_agent_text().is_some_and(|text| contains_phrase(text, phrases::OFFER_PERSON));
        let wanted = self.wish.has(Concept::Staff) || offered && self.wish.is_only_yes();
        if !wanted {
            return None;
        }
        match self.open_targets().find(|target| target.leads_to_person()) {
            Some(target) => Some(self.go(target)),
            // Another step may lead to one; its condition need not say so.
            None if self.best_target().is_some() => None,
            None => Some(Action::Say(self.two(phrases::NOT_HERE, phrases::ANYTHING_ELSE))),
        }
    }

    fn in_closing_step(&self) -> Option<Action<'a>> {
        if !self.is_closing_step() {
            return None;
        }
        let asked = self.conversation.visit().iter().any(|entry| matches!(entry, Entry::Agent(_)));
        let wish = &self.wish;
        // "Ok" after a farewell asks for nothing.
        let is_ok = wish.is_only_yes() && asked && !self.has_offered_more();
        if is_ok || wish.closes() || wish.is_only_thanks() || wish.is_only_no() || wish.has_no_words() {
            let end = self.open_targets().find(|target| target.is_end() && asked);
            return Some(end.map_or_else(|| self.say(phrases::FAREWELL), |end| self.go(end)));
        }
        if wish.meaning.is_empty() || wish.is_only_yes() || wish.is_only_greeting() {
            return Some(self.say(if asked { phrases::OF_COURSE } else { phrases::ANYTHING_ELSE }));
        }
        // A new wish: the step that fits it, or the way back into the conversation.
        let ways: Vec<&Target> =
            self.open_targets().filter(|target| !target.closes() && !target.leads_to_person()).collect();
        let back = ways.iter().copied().find(|target| target.meaning.has(Concept::Other));
        let only = ways.first().copied().filter(|_| ways.len() == 1);
        self.best_target().map(|(_, target)| target).or(back).or(only).map(|target| self.go(target))
    }

    /// Closes the conversation after a goodbye or "nothing more".
    fn goodbye(&self) -> Option<Action<'a>> {
        let over = self.wish.closes()
            || (self.has_begun() && self.wish.is_only_thanks())
            || (self.wish.is_only_no() && self.has_offered_more());
        if !over || self.is_closing_step() {
            return None;
        }
        let shared = |target: &Target| {
            [Concept::Bye, Concept::Done].iter().filter(|one| self.wish.has(**one) && target.meaning.has(**one)).count()
        };
        let closing: Vec<&Target> =
            self.open_targets().filter(|target| target.closes() && !target.leads_to_person()).collect();
        let best = closing.into_iter().rev().max_by_key(|target| (shared(target), !target.is_end()));
        Some(best.map_or_else(|| self.say(phrases::FAREWELL), |target| self.go(target)))
    }

    /// Chooses among the tools of the step and the next steps.
    fn topic_action(&self) -> Option<Action<'a>> {
        let plan = self.plan();
        let because = self.conversation.entered_because();
        // The reason of the last move explains the wish as far as it goes; only a better reason
        // leads further.
        let here = because.map_or(0, |condition| self.fit(condition)).max(plan.as_ref().map_or(0, |plan| plan.fit));
        if let Some((_, target)) = self.best_target().filter(|(fit, _)| *fit > here) {
            return Some(self.go(target));
        }
        if let Some(plan) = plan {
            let filled = &plan.filled;
            let is_new = filled.is_fresh || filled.is_search || because.is_some();
            if !is_new && self.wish.meaning.exceeds(&plan.about) {
                return self.other().map(|target| self.go(target));
            }
            let is_complete = filled.missing.is_empty() && filled.is_fresh;
            if plan.fit > 0 || is_complete || because.is_some() || (plan.asked.is_some() && !self.leaves()) {
                return Some(self.use_tool(&plan));
            }
        }
        self.other().filter(|_| self.leaves()).map(|target| self.go(target))
    }

    /// The step for everything else.
    fn other(&self) -> Option<&Target<'a>> {
        self.open_targets().find(|target| target.meaning.has(Concept::Other) && !target.closes())
    }

    /// True if the wish is about something that this step does not offer.
    fn leaves(&self) -> bool {
        let here = self.conversation.entered_because().map_or(0, |condition| self.fit(condition));
        self.wish.has(Concept::Other) || (self.wish.meaning.has_topic() && here == 0)
    }

    /// A step with nothing to fetch and one way on: an answer leads there, if the way has no
    /// condition or it is a number.
    fn onwards(&self) -> Option<Action<'a>> {
        if self.request.tools.iter().any(|tool| is_data_tool(&tool.name)) {
            return None;
        }
        let asked = self.conversation.visit().iter().any(|entry| matches!(entry, Entry::Agent(_)));
        let is_number = self.wish.meaning.is_empty() && self.wish.text.contains(|c: char| c.is_ascii_digit());
        let mut ways = self.open_targets().filter(|target| {
            let special = target.closes() || target.leads_to_person() || target.meaning.has(Concept::Other);
            !special && (is_number || target.condition.is_empty())
        });
        let (way, more) = (ways.next()?, ways.next());
        let answers = is_number || (asked && !self.wish.is_only_greeting());
        (answers && more.is_none()).then(|| self.go(way))
    }

    fn is_closing_step(&self) -> bool {
        let Some(step) = &self.conversation.step else { return false };
        // The engine's words for a node that ends an execution with a goodbye.
        let says_so = || step.instructions.iter().any(|line| line.contains("This step closes the conversation"));
        Meaning::of_option(step.name).has(Concept::Bye) || says_so()
    }

    fn fit(&self, option: &str) -> i32 {
        self.wish.meaning.fit(&Meaning::of_option(option))
    }

    /// The next step whose condition fits best. Goodbyes and wishes for a person have rules of
    /// their own.
    fn best_target(&self) -> Option<(i32, &Target<'a>)> {
        // "Something else than an order" is not about orders.
        let targets = self.open_targets().filter(|target| !target.is_end() && !target.meaning.has(Concept::Other));
        let fits = targets.map(|target| (self.wish.meaning.fit(&target.meaning), target)).filter(|(fit, _)| *fit > 0);
        fits.reduce(|best, next| if next.0 > best.0 { next } else { best })
    }

    /// Steps not entered or refused in this turn.
    fn open_targets(&self) -> impl Iterator<Item = &Target<'a>> {
        self.targets.iter().filter(|target| {
            let refused = |entry: &Entry| matches!(entry, Entry::Refused(name) if *name == target.name);
            !self.conversation.visited().any(|name| plain(name) == plain(target.name))
                && !self.conversation.turn().iter().any(refused)
        })
    }

    pub(crate) fn leads_to_person(&self) -> bool {
        self.open_targets().any(Target::leads_to_person)
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.conversation.last_agent_text().is_some()
    }
}

/// `use_G__at__X` leads to the global step G.
fn plain(name: &str) -> &str {
    name.strip_prefix("use_").and_then(|rest| rest.split_once("__at__")).map_or(name, |(global, _)| global)
}

/// The next steps: the tool's enumeration if it has one, else the list of the step prompt.
fn targets<'a>(request: &'a ModelRequest, conversation: &'a Conversation<'a>) -> Vec<Target<'a>> {
    let Some(tool) = request.tools.iter().find(|tool| tool.name == MOVE_TO_NEXT_NODE) else { return Vec::new() };
    let listed = tool.parameters.pointer("/properties/next_node/enum").and_then(Value::as_array);
    let step = conversation.step.as_ref();
    let names: Vec<&str> = match listed {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => step.into_iter().flat_map(|step| &step.next).map(|next| next.name).collect(),
    };
    let target = |name: &'a str| {
        let condition = step.map_or("", |step| step.condition(name));
        let meaning = Meaning::of_option(&format!("{}\n{}", plain(name), head(condition, 500)));
        Target { name, condition, meaning }
    };
    names.into_iter().take(300).map(target).collect()
}
