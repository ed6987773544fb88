//! Words for a situation: questions for arguments, results of tools, small talk.

use serde_json::Value;

use crate::arguments::question;
use crate::concepts::Concept;
use crate::decide::Situation;
use crate::language::{Phrase, contains_phrase};
use crate::phrases;
use crate::plan::Plan;
use crate::render::{Outcome, outcome, search_subject};

impl Situation<'_> {
    pub(crate) fn two(&self, first: Phrase, second: Phrase) -> String {
        format!("{} {}", self.language.pick(first), self.language.pick(second))
    }

    pub(crate) fn small_talk(&self) -> String {
        let (wish, begun) = (&self.wish, self.has_begun());
        let is_help = wish.has(Concept::Help) || wish.has(Concept::Other);
        let is_empty = wish.is_only_yes() || wish.is_only_no() || wish.is_only_thanks() || wish.has_no_words();
        let phrase = if wish.meaning.has_topic() {
            return self.two(phrases::NOT_HERE, self.offer());
        } else if wish.is_only_greeting() || (!begun && (is_help || is_empty)) {
            phrases::HELLO_AND_HELP
        } else if is_help || (wish.is_only_yes() && self.has_offered_more()) {
            phrases::OF_COURSE
        } else if is_empty {
            phrases::ALL_RIGHT
        } else if self.conversation.last_agent_text().is_some_and(|text| contains_phrase(text, phrases::UNCLEAR)) {
            return self.two(phrases::NOT_HERE, self.offer());
        } else if !begun && wish.has(Concept::Greeting) {
            return self.two(phrases::HELLO, phrases::UNCLEAR);
        } else {
            phrases::UNCLEAR
        };
        self.language.pick(phrase).to_owned()
    }

    fn offer(&self) -> Phrase {
        if self.leads_to_person() { phrases::OFFER_PERSON } else { phrases::ANYTHING_ELSE }
    }

    pub(crate) fn has_offered_more(&self) -> bool {
        let offers = [phrases::ANYTHING_ELSE, phrases::WELCOME_BACK];
        self.conversation.last_agent_text().is_some_and(|text| offers.iter().any(|offer| contains_phrase(text, *offer)))
    }

    /// Asks for an argument of a tool.
    pub(crate) fn ask(&self, plan: &Plan, missing: &str) -> String {
        let (words, question) = question(plan.tool, missing, self.language);
        let is_repeated = plan.asked == Some(missing);
        if is_repeated && (self.wish.is_only_no() || self.wish.has(Concept::Unknowing)) {
            let cannot = self.language.fill(phrases::CANNOT_WITHOUT, &words);
            return format!("{cannot} {}", self.language.pick(self.offer()));
        }
        let lead = match (is_repeated, plan.asked.is_some(), self.wish.has(Concept::Greeting)) {
            (true, ..) => self.language.pick(phrases::NOT_IN_YOUR_MESSAGE).to_owned(),
            (false, true, _) => self.language.pick(phrases::THANK_YOU).to_owned(),
            (false, false, true) => self.two(phrases::HELLO, phrases::HAPPY_TO_HELP),
            (false, false, false) => self.language.pick(phrases::HAPPY_TO_HELP).to_owned(),
        };
        format!("{lead} {question}")
    }

    /// Tells the result of a tool.
    pub(crate) fn tell(&self, tool: &str, arguments: &Value, content: &str) -> String {
        let language = self.language;
        let (what, check) = match outcome(tool, content, language) {
            Outcome::Found(text) => {
                let separator = if text.contains('\n') { "\n" } else { " " };
                return format!("{text}{separator}{}", language.pick(phrases::ANYTHING_ELSE));
            }
            Outcome::Unreachable => {
                let offer = if self.leads_to_person() { phrases::OFFER_PERSON } else { phrases::TRY_LATER };
                return self.two(phrases::UNREACHABLE, offer);
            }
            Outcome::Refused(path) => {
                let spec = self.request.tools.iter().find(|spec| spec.name == tool);
                if let (Some(spec), Some(path)) = (spec, path) {
                    let lead = language.pick(phrases::NOT_IN_YOUR_MESSAGE);
                    return format!("{lead} {}", question(spec, &path, language).1);
                }
                (None, None)
            }
            Outcome::Missing => search_subject(tool, arguments, language),
        };
        let what = what.unwrap_or_else(|| language.pick(["anything", "nada", "nada"]).to_owned());
        let check = check.unwrap_or_else(|| language.pick(["the details", "los datos", "os dados"]).to_owned());
        format!("{} {}", language.fill(phrases::NOT_FOUND, &what), language.fill(phrases::CHECK, &check))
    }
}
