//! Active fault rules. The first rule in creation order whose conditions match and whose trigger
//! fires applies to an event.

use serde::Serialize;

use super::rule::{Action, NewRule, Surface, Trigger, When};
use crate::{clock::Millis, ids::Ids, users};

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Rule {
    id: String,
    #[serde(flatten)]
    rule: NewRule,
    /// Number of events whose conditions matched.
    matched: u64,
    /// Number of events that the action applied to.
    fired: u64,
}

/// Properties of an event that conditions are compared with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    pub(crate) surface: Option<Surface>,
    pub(crate) number: Option<String>,
    /// All names of the contact.
    pub(crate) people: Vec<String>,
    pub(crate) kind: Option<String>,
    pub(crate) template: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) token: Option<String>,
}

#[derive(Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
}

impl Faults {
    /// Adds a rule at the end; `None` if its id is taken.
    pub(crate) fn add(&mut self, mut rule: NewRule, ids: &mut Ids) -> Option<Rule> {
        let id = match rule.id.take() {
            Some(id) => id,
            None => format!("fault-{}", ids.count("fault")),
        };
        if self.rules.iter().any(|existing| existing.id == id) {
            return None;
        }
        let rule = Rule { id, rule, matched: 0, fired: 0 };
        self.rules.push(rule.clone());
        Some(rule)
    }

    pub(crate) fn all(&self) -> &[Rule] {
        &self.rules
    }

    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.id != id);
        self.rules.len() < before
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Finds the rule that applies to an event and counts it. Returns its id and action.
    pub(crate) fn take(
        &mut self,
        subject: &Subject,
        now: Millis,
        ids: &mut Ids,
        wanted: impl Fn(&Action) -> bool,
    ) -> Option<(String, Action)> {
        for rule in &mut self.rules {
            if !wanted(&rule.rule.r#do) || !rule.rule.when.matches(subject) {
                continue;
            }
            rule.matched += 1;
            let fires = match rule.rule.trigger {
                Trigger::Always => true,
                Trigger::Next(n) => rule.fired < n,
                Trigger::Every(n) => rule.matched % n == 0,
                Trigger::Probability(p) => ids.fraction("fault-die") < p,
                Trigger::Between(from, to) => (from..to).contains(&now),
            };
            if fires {
                rule.fired += 1;
                tracing::info!(rule = rule.id, "fault applied");
                return Some((rule.id.clone(), rule.rule.r#do.clone()));
            }
        }
        None
    }
}

impl When {
    fn matches(&self, subject: &Subject) -> bool {
        let surface = match self.surface {
            Surface::AnyGraph => subject.surface != Some(Surface::Webhook),
            surface => subject.surface == Some(surface),
        };
        surface
            && agrees(self.phone_number_id.as_deref(), subject.number.as_deref())
            && agrees(self.r#type.as_deref(), subject.kind.as_deref())
            && agrees(self.template.as_deref(), subject.template.as_deref())
            && agrees(self.token.as_deref(), subject.token.as_deref())
            && self.matches_person(subject)
            && self.matches_event(subject)
    }

    fn matches_person(&self, subject: &Subject) -> bool {
        let Some(wanted) = &self.to else { return true };
        let number = users::digits(wanted);
        subject.people.iter().any(|name| name == wanted || number.as_ref() == Some(name))
    }

    fn matches_event(&self, subject: &Subject) -> bool {
        let Some(wanted) = self.event.as_deref() else { return true };
        let Some(event) = subject.event.as_deref() else { return false };
        event == wanted || event.split_once(':').is_some_and(|(group, _)| group == wanted)
    }
}

fn agrees(wanted: Option<&str>, given: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| given == Some(wanted))
}
