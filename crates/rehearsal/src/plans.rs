//! Which data tool serves the wish, and whether it can be called, told again or needs another argument.

use domain::chat::ToolSpec;
use serde_json::Value;

use super::arguments::{Filled, Sources, asks_for, fill};
use super::concepts::Concept;
use super::conversation::{Entry, head, is_data_tool};
use super::decide::{Action, Situation};
use super::lexicon::{Meaning, meaning_of_option};
use super::step_prompt::Named;

/// A data tool with what is known for it.
pub(super) struct Plan<'a> {
    pub(super) tool: &'a ToolSpec,
    pub(super) filled: Filled,
    /// How well it fits the wish.
    pub(super) fit: i32,
    pub(super) about: Meaning,
    /// The argument we asked for last.
    pub(super) asked: Option<String>,
}

impl<'a> Situation<'a> {
    /// The data tool that fits best; without any fit, the first.
    pub(super) fn plan(&self) -> Option<Plan<'a>> {
        let knowledge: &[Named] = self.conversation.step.as_ref().map_or(&[], |step| &step.knowledge);
        let mut best: Option<Plan> = None;
        for tool in self.request.tools.iter().filter(|tool| is_data_tool(&tool.name)).take(64) {
            let sources = Sources {
                wish: &self.wish.text,
                earlier: self.texts_for(&tool.name),
                said: self.conversation.last_said(),
                knowledge,
            };
            let filled = fill(tool, &sources);
            if !filled.possible {
                continue;
            }
            let asked = sources.said.and_then(|said| {
                let required = tool.parameters.get("required").and_then(Value::as_array)?;
                required.iter().filter_map(Value::as_str).find(|name| asks_for(said, tool, name)).map(str::to_owned)
            });
            let about = self.about(tool);
            let mut fit = self.wish.meaning().fit(&about);
            if asked.is_some() && filled.fresh {
                fit += 12;
            } else if filled.fresh && (fit > 0 || filled.missing.is_empty()) {
                fit += 4;
            }
            if filled.search && filled.missing.is_empty() && !self.wish.meaning().only_manners() {
                fit = fit.max(3);
            }
            let plan = Plan { tool, filled, fit, about, asked };
            if best
                .as_ref()
                .is_none_or(|best| (plan.fit, plan.filled.values.len()) > (best.fit, best.filled.values.len()))
            {
                best = Some(plan);
            }
        }
        best
    }

    /// What a tool is about: its name, its description and its line in the step prompt.
    pub(super) fn about(&self, tool: &ToolSpec) -> Meaning {
        let step = self.conversation.step.as_ref();
        let line =
            step.and_then(|step| step.tools.iter().find(|line| line.name == tool.name)).map_or("", |line| line.text);
        // "GET http://…" at the end is for the log, and a tool that "returns a status" gives nothing back.
        let words = |text: &str| {
            let text = head(text, 500);
            let end = ["http", "(GET ", "(POST ", "(PUT ", "(PATCH ", "(DELETE "]
                .iter()
                .filter_map(|cut| text.find(cut))
                .min();
            text[..end.unwrap_or(text.len())].replace("eturns", "")
        };
        meaning_of_option(&format!("{} {} {}", tool.name, words(&tool.description), words(line)))
    }

    /// Texts whose values are not used up: those since the tool last answered, newest first.
    pub(super) fn texts_for(&self, tool: &str) -> Vec<&'a str> {
        let entries = &self.conversation.entries;
        let from = entries.iter().rposition(|entry| matches!(entry, Entry::Result { tool: name, .. } if *name == tool));
        entries[from.map_or(0, |index| index + 1)..]
            .iter()
            .rev()
            .filter_map(|entry| match entry {
                Entry::Person(text) => Some(text.as_ref()),
                _ => None,
            })
            .take(20)
            .collect()
    }

    pub(super) fn use_tool(&self, plan: &Plan<'a>) -> Action<'a> {
        let answered = |entries: &'a [Entry<'a>], same: bool| {
            entries.iter().rev().find_map(|entry| match entry {
                Entry::Result { tool, arguments, content }
                    if *tool == plan.tool.name && (!same || arguments.as_object() == Some(&plan.filled.values)) =>
                {
                    Some((*tool, *arguments, *content))
                }
                _ => None,
            })
        };
        let again = answered(self.conversation.since_said(), true).or_else(|| {
            let another =
                self.wish.has(Concept::Another) || plan.filled.fresh || plan.filled.search || plan.asked.is_some();
            answered(self.conversation.visit(), false).filter(|_| !another)
        });
        if let Some((tool, arguments, content)) = again {
            return self.tell(tool, arguments, content);
        }
        match plan.filled.missing.first() {
            None => Action::Call { tool: &plan.tool.name, arguments: plan.filled.values.clone() },
            Some(missing) => Action::Say(self.ask(plan, missing)),
        }
    }
}
