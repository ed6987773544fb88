//! The decision: say something, call a data tool, move to another step, or rest.
//!
//! In this order: data that just came in is told; a wish for a human goes first; then goodbyes; then what the step's
//! tools and the next steps offer for the wish, the better fit winning and the step at hand winning ties. A step already
//! seen in this turn is never entered again, so no turn can go in circles.

use domain::chat::ModelRequest;
use serde_json::{Map, Value};

use super::concepts::Concept;
use super::conversation::{Conversation, Entry, head, is_data_tool};
use super::language::Language;
use super::lexicon::meaning_of_option;
use super::phrases;
use super::targets::{Target, plain, targets};
use super::wish::Wish;

/// What to do.
#[derive(Debug, PartialEq)]
pub(super) enum Action<'a> {
    /// Tell the person.
    Say(String),
    /// Go to another step.
    Move { to: &'a str, reason: String },
    /// Fetch or change data.
    Call { tool: &'a str, arguments: Map<String, Value> },
    /// Nothing new to say: this tool waits.
    Rest(&'a str),
}

/// All that a decision rests on.
pub(super) struct Situation<'a> {
    pub(super) request: &'a ModelRequest,
    pub(super) conversation: &'a Conversation<'a>,
    pub(super) language: Language,
    pub(super) wish: Wish,
    pub(super) targets: Vec<Target<'a>>,
}

impl<'a> Situation<'a> {
    pub(super) fn new(request: &'a ModelRequest, conversation: &'a Conversation<'a>, language: Language) -> Self {
        let wish = Wish::read(conversation.unanswered().unwrap_or_default());
        Self { request, conversation, language, wish, targets: targets(request, conversation) }
    }

    pub(super) fn decide(&self) -> Action<'a> {
        if let Some(Entry::Result { tool, arguments, content }) = self.conversation.entries.last() {
            return self.tell(tool, arguments, content);
        }
        if self.conversation.handed_back() {
            let begun = self.conversation.person_texts().next().is_some() || self.conversation.said().next().is_some();
            return Action::Say(if begun { phrases::welcome_back(self.language).to_owned() } else { self.greeting() });
        }
        if self.conversation.unanswered().is_none() {
            return self.rest().unwrap_or_else(|| Action::Say(self.greeting()));
        }
        self.identity()
            .or_else(|| self.human())
            .or_else(|| self.in_closing_step())
            .or_else(|| self.goodbye())
            .or_else(|| self.matter())
            .or_else(|| self.onwards())
            .unwrap_or_else(|| Action::Say(self.small_talk()))
    }

    /// Nothing new since we spoke: wait, if there is a tool for it.
    fn rest(&self) -> Option<Action<'a>> {
        let spoken = matches!(self.conversation.entries.last(), Some(Entry::Said(_)));
        let tool =
            self.request.tools.iter().find(|tool| matches!(tool.name.as_str(), "WaitForUser" | "EnterIdleState"))?;
        spoken.then_some(Action::Rest(&tool.name))
    }

    fn identity(&self) -> Option<Action<'a>> {
        let asked = self.wish.has(Concept::Identity) && !self.wish.meaning().has_topic();
        let help = phrases::anything_else(self.language);
        asked.then(|| Action::Say(format!("{} {help}", phrases::identity(self.language))))
    }

    fn human(&self) -> Option<Action<'a>> {
        let target = self.open_targets().find(|target| target.is_human());
        let offered = self
            .conversation
            .last_said()
            .is_some_and(|said| Language::ALL.iter().any(|language| said.contains(phrases::offer_person(*language))));
        let wanted = self.wish.has(Concept::Human) || (offered && self.wish.only_assent());
        if !wanted {
            return None;
        }
        match target {
            Some(target) => Some(self.go(target)),
            // Another step may lead to one; its condition need not say so.
            None if self.best_target().is_some_and(|(fit, _)| fit > 0) => None,
            None => Some(Action::Say(phrases::no_person_here(self.language).to_owned())),
        }
    }

    /// In a step that closes the conversation.
    fn in_closing_step(&self) -> Option<Action<'a>> {
        if !self.is_closing_step() {
            return None;
        }
        let declines = self.wish.closes() || self.wish.only_thanks() || self.wish.only_no() || self.wish.no_words();
        let asked = self.conversation.visit().iter().any(|entry| matches!(entry, Entry::Said(_)));
        if !asked && declines {
            return Some(Action::Say(self.farewell()));
        }
        if declines {
            let end = self.targets.iter().find(|target| target.is_end()).filter(|target| self.is_open(target));
            return Some(end.map_or_else(|| Action::Say(self.farewell()), |end| self.go(end)));
        }
        if self.wish.meaning().is_empty() || self.wish.only_assent() || self.wish.only_greeting() {
            let text = match asked {
                true if self.wish.has(Concept::Fine) => phrases::all_right(self.language),
                true => phrases::of_course(self.language),
                false => phrases::before_goodbye(self.language),
            };
            return Some(Action::Say(text.to_owned()));
        }
        // A new wish: the step that fits it, or the way back into the conversation.
        let ways: Vec<&Target> = self.open_targets().filter(|target| !target.closes() && !target.is_human()).collect();
        let best = self.best_target().map(|(_, target)| target);
        let back = ways.iter().copied().find(|target| target.meaning.has(Concept::Other));
        let only = if let [only] = ways.as_slice() { Some(*only) } else { None };
        best.or(back).or(only).map(|target| self.go(target))
    }

    /// The person says goodbye, or wants nothing more.
    fn goodbye(&self) -> Option<Action<'a>> {
        let begun = self.conversation.said().next().is_some();
        let over =
            self.wish.closes() || (begun && self.wish.only_thanks()) || (self.wish.only_no() && self.offered_more());
        if !over || self.is_closing_step() {
            return None;
        }
        let rank = |target: &Target| {
            let bye = i32::from(target.meaning.has(Concept::Bye));
            let done = i32::from(target.meaning.has(Concept::Done));
            let said_bye = self.wish.has(Concept::Bye) && !self.wish.has(Concept::Done);
            2 * if said_bye { 2 * bye + done } else { 2 * done + bye } - i32::from(target.is_end())
        };
        let mut best: Option<&Target> = None;
        for target in self.open_targets().filter(|target| target.closes() && !target.is_human()) {
            if best.is_none_or(|best| rank(target) > rank(best)) {
                best = Some(target);
            }
        }
        Some(best.map_or_else(|| Action::Say(self.farewell()), |target| self.go(target)))
    }

    /// What the step's tools and the next steps offer.
    fn matter(&self) -> Option<Action<'a>> {
        let plan = self.plan();
        // Why we came here in this turn explains the wish as far as it goes; only a better reason leads further.
        let here = self.conversation.entered_because().map_or(0, |condition| self.fit(condition));
        let tool_fit = plan.as_ref().map_or(0, |plan| plan.fit);
        if let Some((fit, target)) = self.best_target()
            && fit > here.max(tool_fit)
        {
            return Some(self.go(target));
        }
        if let Some(plan) = plan {
            let entered = self.conversation.entered_because().is_some();
            let complete = plan.filled.missing.is_empty() && plan.filled.fresh;
            if !plan.filled.fresh && !plan.filled.search && !entered && self.wish.meaning().exceeds(&[&plan.about]) {
                return self.other().map(|target| self.go(target));
            }
            if plan.fit > 0 || complete || entered || (plan.asked.is_some() && !self.leaves()) {
                return Some(self.use_tool(&plan));
            }
        }
        self.other().filter(|_| self.leaves()).map(|target| self.go(target))
    }

    /// The step for everything else.
    fn other(&self) -> Option<&Target<'a>> {
        self.open_targets().find(|target| target.meaning.has(Concept::Other) && !target.closes())
    }

    /// Whether the wish is about something this step does not offer.
    fn leaves(&self) -> bool {
        let asked_for_other = self.wish.has(Concept::Other);
        let here = self.conversation.entered_because().map_or(0, |condition| self.fit(condition));
        asked_for_other || (self.wish.meaning().has_topic() && here == 0)
    }

    /// A step with nothing to fetch and one way on: an answer leads there if the way has no condition, a bare number too.
    fn onwards(&self) -> Option<Action<'a>> {
        if self.request.tools.iter().any(|tool| is_data_tool(&tool.name)) {
            return None;
        }
        let asked = self.conversation.visit().iter().any(|entry| matches!(entry, Entry::Said(_)));
        let number =
            self.wish.meaning().is_empty() && self.wish.text.chars().any(|character| character.is_ascii_digit());
        let mut ways = self.open_targets().filter(|target| {
            let special = target.closes() || target.is_human() || target.meaning.has(Concept::Other);
            !special && (number || target.condition.is_empty())
        });
        let (way, more) = (ways.next()?, ways.next());
        let answers = number || (asked && !self.wish.only_greeting());
        (answers && more.is_none()).then(|| self.go(way))
    }

    /// Whether the step's own prompt says that it closes the conversation.
    fn is_closing_step(&self) -> bool {
        let Some(step) = &self.conversation.step else { return false };
        if meaning_of_option(step.name).has(Concept::Bye) {
            return true;
        }
        let prompt =
            step.instructions.iter().take(60).map(|line| head(line, 400)).collect::<Vec<_>>().join("\n").to_lowercase();
        const CLOSING: &[&str] = &[
            "closes the conversation",
            "close the conversation",
            "ends the conversation",
            "closing the conversation",
            "cierra la conversación",
            "cerrar la conversación",
            "encerra a conversa",
            "encerrar a conversa",
        ];
        let own = self.targets.iter().any(Target::is_end) || self.targets.is_empty();
        own && CLOSING.iter().any(|phrase| prompt.contains(phrase))
    }

    pub(super) fn fit(&self, option: &str) -> i32 {
        self.wish.meaning().fit(&meaning_of_option(option))
    }

    /// The next step whose condition fits best, goodbyes and humans aside: those have ways of their own.
    fn best_target(&self) -> Option<(i32, &Target<'a>)> {
        let mut best: Option<(i32, &Target)> = None;
        // "Something else than an order" is not about orders.
        for target in self.open_targets().filter(|target| !target.is_end() && !target.meaning.has(Concept::Other)) {
            let fit = self.wish.meaning().fit(&target.meaning);
            if fit > 0 && best.is_none_or(|(highest, _)| fit > highest) {
                best = Some((fit, target));
            }
        }
        best
    }

    /// Steps one may go to and has not been to in this turn.
    pub(super) fn open_targets(&self) -> impl Iterator<Item = &Target<'a>> {
        self.targets.iter().filter(|target| self.is_open(target))
    }

    fn is_open(&self, target: &Target) -> bool {
        let tried = |entry: &Entry| matches!(entry, Entry::Refused(name) if *name == target.name);
        let visited = self.conversation.visited();
        !visited.iter().any(|name| plain(name) == plain(target.name)) && !self.conversation.turn().iter().any(tried)
    }

    pub(super) fn go(&self, target: &Target<'a>) -> Action<'a> {
        let text = self.wish.text.split_whitespace().collect::<Vec<_>>().join(" ");
        Action::Move { to: target.name, reason: phrases::reason(self.language, head(&text, 160)) }
    }
}
