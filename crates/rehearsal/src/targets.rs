//! The next steps that are on offer, and what each is for.

use domain::chat::ModelRequest;
use serde_json::Value;

use super::concepts::Concept;
use super::conversation::{Conversation, head};
use super::lexicon::{Meaning, meaning_of_option};

/// A next step.
pub(super) struct Target<'a> {
    pub(super) name: &'a str,
    pub(super) condition: &'a str,
    pub(super) meaning: Meaning,
}

impl Target<'_> {
    pub(super) fn is_end(&self) -> bool {
        matches!(self.name, "__end__" | "end" | "END")
    }

    pub(super) fn closes(&self) -> bool {
        self.is_end() || self.meaning.has(Concept::Bye) || self.meaning.has(Concept::Done)
    }

    pub(super) fn is_human(&self) -> bool {
        self.meaning.has(Concept::Human)
    }
}

/// `use_G__at__X` is the way to the global step G.
pub(super) fn plain(name: &str) -> &str {
    name.strip_prefix("use_").and_then(|rest| rest.split_once("__at__")).map_or(name, |(global, _)| global)
}

/// The next steps: the tool's enumeration where there is one, else what the step prompt lists.
pub(super) fn targets<'a>(request: &'a ModelRequest, conversation: &'a Conversation<'a>) -> Vec<Target<'a>> {
    let Some(tool) = request.tools.iter().find(|tool| tool.name == "MoveToNextNode") else { return Vec::new() };
    let listed = tool.parameters.pointer("/properties/next_node/enum").and_then(Value::as_array);
    let step = conversation.step.as_ref();
    let names: Vec<&str> = match listed {
        Some(names) => names.iter().filter_map(Value::as_str).take(300).collect(),
        None => step.map(|step| step.next.iter().map(|next| next.name).take(300).collect()).unwrap_or_default(),
    };
    names
        .into_iter()
        .map(|name| {
            let condition = step.map_or("", |step| step.condition(name));
            let meaning = meaning_of_option(&format!("{}\n{}", plain(name), head(condition, 500)));
            Target { name, condition, meaning }
        })
        .collect()
}
