//! KnowledgeBaseNode: a text as a tool. The node's own settings and those of a subagent are one type; the text is never shown.

use crate::prompt;
use domain::agent::KnowledgeBase;
use std::fmt::Write as _;

/// The bases for the model: keys and what they are about, which is `otherwise` where a base does not say it.
pub(super) fn step_prompt(bases: &[KnowledgeBase], otherwise: Option<&str>) -> String {
    let mut text = String::from("## Knowledge bases\n");
    text.push_str(&prompt::without_comments(include_str!("../../prompts/knowledge.md")));
    for base in bases {
        let said =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let what = said(&base.description).or_else(|| said(&otherwise.map(str::to_owned)));
        let _ = match what {
            Some(what) => writeln!(text, "- {}: {what}", base.key.trim()),
            None => writeln!(text, "- {}", base.key.trim()),
        };
    }
    text
}
