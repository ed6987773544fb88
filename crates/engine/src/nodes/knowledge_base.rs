//! KnowledgeBaseNode: a text that the model can search. The text itself is never shown.

use super::behaviour::Behaviour;
use crate::text::without_comments;
use domain::agent::{KnowledgeBase, Node};
use std::fmt::Write as _;

pub(super) fn behaviour(node: &Node, base: &KnowledgeBase) -> Behaviour {
    let step_prompt = step_prompt(std::slice::from_ref(base), node.description.as_deref());
    Behaviour { step_prompt: Some(step_prompt), ..Behaviour::default() }
}

/// Lists keys and subjects of the bases; `otherwise` is the subject of a base without one.
pub(super) fn step_prompt(bases: &[KnowledgeBase], otherwise: Option<&str>) -> String {
    let mut text = String::from("## Knowledge bases\n");
    text.push_str(&without_comments(include_str!("../../prompts/knowledge.md")));
    for base in bases {
        let present =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let what = present(&base.description).or_else(|| present(&otherwise.map(str::to_owned)));
        let _ = match what {
            Some(what) => writeln!(text, "- {}: {what}", base.key.trim()),
            None => writeln!(text, "- {}", base.key.trim()),
        };
    }
    text
}
