//! Chooses the data tool for a wish, and calls it, asks for an argument, or repeats a result.

use domain::chat::ToolSpec;

use crate::arguments::{Filled, Sources, asks_for, fill, required};
use crate::concepts::Concept;
use crate::conversation::{Entry, after, is_data_tool};
use crate::decide::{Action, Situation};
use crate::meaning::Meaning;
use crate::text::head;

/// A data tool with what is known for it.
pub(crate) struct Plan<'a> {
    pub(crate) tool: &'a ToolSpec,
    pub(crate) filled: Filled<'a>,
    /// The fit to the wish.
    pub(crate) fit: i32,
    pub(crate) about: Meaning,
    /// The argument that the agent's last text asked for.
    pub(crate) asked: Option<&'a str>,
}

impl<'a> Situation<'a> {
    /// The data tool that fits best; the first of those that fit equally well.
    pub(crate) fn plan(&self) -> Option<Plan<'a>> {
        let tools = self.request.tools.iter().filter(|tool| is_data_tool(&tool.name)).take(64);
        let plans = tools.map(|tool| self.plan_for(tool)).filter(|plan| plan.filled.is_possible);
        let rank = |plan: &Plan| (plan.fit, plan.filled.values.len());
        plans.reduce(|best, next| if rank(&next) > rank(&best) { next } else { best })
    }

    fn plan_for(&self, tool: &'a ToolSpec) -> Plan<'a> {
        let agent_text = self.conversation.last_agent_text();
        let sources = Sources {
            wish: &self.wish.text,
            earlier: self.unused_texts(&tool.name),
            agent_text,
            knowledge: self.conversation.step.as_ref().map_or(&[], |step| &step.knowledge),
        };
        let filled = fill(tool, &sources);
        let asked = agent_text.and_then(|text| required(tool).find(|name| asks_for(text, tool, name)));
        let about = self.about(tool);
        let mut fit = self.wish.meaning.fit(&about);
        if filled.is_fresh && asked.is_some() {
            fit += 12;
        } else if filled.is_fresh && (fit > 0 || filled.missing.is_empty()) {
            fit += 4;
        }
        if filled.is_search && filled.missing.is_empty() && !self.wish.meaning.is_only_manners() {
            fit = fit.max(3);
        }
        Plan { tool, filled, fit, about, asked }
    }

    /// The meaning of a tool's name, its description and its line in the step prompt.
    fn about(&self, tool: &ToolSpec) -> Meaning {
        let step = self.conversation.step.as_ref();
        let line =
            step.and_then(|step| step.tools.iter().find(|line| line.name == tool.name)).map_or("", |line| line.text);
        // "(GET http://…)" is for the log, and a tool that "returns a status" is not about returns.
        let text = |text: &str| head(text, 500).split("(").next().unwrap_or_default().replace("eturns", "");
        Meaning::of_option(&format!("{} {} {}", tool.name, text(&tool.description), text(line)))
    }

    /// Texts of the contact since the tool's last result, newest first: their values are not used
    /// up.
    fn unused_texts(&self, tool: &str) -> Vec<&'a str> {
        let entries = &self.conversation.entries;
        let used = entries.iter().rposition(|entry| matches!(entry, Entry::Result { tool: name, .. } if *name == tool));
        after(entries, used).iter().rev().filter_map(Entry::contact_text).take(20).collect()
    }

    pub(crate) fn use_tool(&self, plan: &Plan<'a>) -> Action<'a> {
        let filled = &plan.filled;
        let results = |entries: &'a [Entry<'a>]| {
            entries.iter().rev().filter_map(|entry| match entry {
                Entry::Result { tool, arguments, content } if *tool == plan.tool.name => Some((*arguments, *content)),
                _ => None,
            })
        };
        let same = || {
            results(self.conversation.since_agent_text())
                .find(|(arguments, _)| arguments.as_object() == Some(&filled.values))
        };
        let wants_another =
            self.wish.has(Concept::Another) || filled.is_fresh || filled.is_search || plan.asked.is_some();
        let earlier = || results(self.conversation.visit()).next().filter(|_| !wants_another);
        if let Some((arguments, content)) = same().or_else(earlier) {
            return Action::Say(self.tell(&plan.tool.name, arguments, content));
        }
        match filled.missing.first() {
            None => Action::Call { tool: &plan.tool.name, arguments: filled.values.clone() },
            Some(missing) => Action::Say(self.ask(plan, missing)),
        }
    }
}
