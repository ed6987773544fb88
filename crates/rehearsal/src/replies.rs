//! What is said in a situation: questions for arguments, data told, small talk.

use serde_json::Value;

use super::arguments::wanted;
use super::concepts::Concept;
use super::decide::{Action, Situation};
use super::general::General;
use super::language::Language;
use super::phrases;
use super::plans::Plan;
use super::render::{self, Outcome};
use super::targets::Target;

impl<'a> Situation<'a> {
    pub(super) fn small_talk(&self) -> String {
        let begun = self.conversation.said().next().is_some();
        if self.wish.only_greeting() {
            return if begun { self.hello_again() } else { self.greeting() };
        }
        let human = self.open_targets().any(Target::is_human);
        let offer = if human { phrases::offer_person } else { phrases::anything_else };
        if self.wish.meaning().has_topic() {
            return format!("{} {}", phrases::not_here(self.language), offer(self.language));
        }
        if self.wish.has(Concept::Other)
            || (self.wish.only_assent() && self.offered_more() && !self.wish.has(Concept::Fine))
        {
            return phrases::of_course(self.language).to_owned();
        }
        if begun && (self.wish.only_assent() || self.wish.no_words() || self.wish.only_no()) {
            return phrases::all_right(self.language).to_owned();
        }
        let asks_for_help = self.wish.has(Concept::Help);
        if asks_for_help && begun {
            return phrases::of_course(self.language).to_owned();
        }
        if !begun && (asks_for_help || self.wish.only_thanks() || self.wish.only_assent() || self.wish.no_words()) {
            return self.greeting();
        }
        if !begun {
            let hello = if self.wish.has(Concept::Greeting) { phrases::hello(self.language) } else { "" };
            return format!("{hello} {}", phrases::unclear(self.language)).trim().to_owned();
        }
        let unclear = |said: &str| {
            let known = |language: &Language| {
                said.contains(phrases::unclear(*language)) || said.contains(phrases::still_unclear(*language))
            };
            Language::ALL.iter().any(known)
        };
        let text = match self.conversation.last_said() {
            Some(said) if unclear(said) => phrases::still_unclear(self.language),
            _ => return phrases::unclear(self.language).to_owned(),
        };
        if human { format!("{text} {}", offer(self.language)) } else { text.to_owned() }
    }

    pub(super) fn greeting(&self) -> String {
        let general = General::read(&self.request.system, self.language);
        phrases::greeting(self.language, general.place.as_deref(), general.purpose)
    }

    pub(super) fn hello_again(&self) -> String {
        phrases::greeting(self.language, None, None)
    }

    pub(super) fn farewell(&self) -> String {
        phrases::farewell(self.language).to_owned()
    }

    pub(super) fn ask(&self, plan: &Plan, missing: &str) -> String {
        let (what, choices) = wanted(plan.tool, missing, self.language);
        let asked_before = plan.asked.as_deref() == Some(missing);
        if asked_before && (self.wish.only_no() || self.wish.has(Concept::Unknowing)) {
            let offer = if self.open_targets().any(Target::is_human) {
                phrases::offer_person(self.language)
            } else {
                phrases::send_when_found(self.language)
            };
            return format!("{} {offer}", phrases::cannot_without(self.language, &what));
        }
        let greets = self.wish.has(Concept::Greeting);
        let lead = if asked_before && greets {
            phrases::hello(self.language).to_owned()
        } else if asked_before {
            phrases::still_missing(self.language).to_owned()
        } else if plan.asked.is_some() {
            phrases::thanks_for_that(self.language).to_owned()
        } else if greets {
            format!("{} {}", phrases::hello(self.language), phrases::happy_to_help(self.language))
        } else {
            phrases::happy_to_help(self.language).to_owned()
        };
        let question = phrases::ask(self.language, &what);
        format!("{lead} {question} {choices}").trim().to_owned()
    }

    pub(super) fn tell(&self, tool: &str, arguments: &Value, content: &str) -> Action<'a> {
        let language = self.language;
        Action::Say(match render::outcome(tool, content, language) {
            Outcome::Found(text) => render::with_offer(&text, language),
            Outcome::Missing => {
                let (what, check) = render::looked_for(tool, arguments, language);
                phrases::not_found(language, what.as_deref(), check.as_deref())
            }
            Outcome::Refused(paths) => {
                let spec = self.request.tools.iter().find(|spec| spec.name == tool);
                match (spec, paths.first()) {
                    (Some(spec), Some(path)) => {
                        let (what, choices) = wanted(spec, path, language);
                        let ask = phrases::ask(language, &what);
                        format!("{} {ask} {choices}", phrases::still_missing(language)).trim().to_owned()
                    }
                    _ => phrases::not_found(language, None, None),
                }
            }
            Outcome::Unreachable => {
                let human = self.open_targets().any(Target::is_human);
                let offer = if human { phrases::offer_person(language) } else { phrases::try_later(language) };
                format!("{} {offer}", phrases::unreachable(language))
            }
        })
    }

    pub(super) fn offered_more(&self) -> bool {
        let offers = [phrases::anything_else, phrases::welcome_back, phrases::before_goodbye];
        self.conversation.last_said().is_some_and(|said| {
            Language::ALL.iter().any(|language| offers.iter().any(|offer| said.contains(offer(*language))))
        })
    }
}
