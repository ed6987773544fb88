//! Reads the step prompt that the engine shows when a node is entered.
//!
//! Sections may be missing or reordered. Instructions are written by people and may hold headings
//! of their own, so a later section of the same name replaces an earlier one.

use crate::text::tail;

/// Longer prompts keep their end, where the next steps stand.
const LONGEST: usize = 128 * 1024;

/// A line of a list: a name and its description.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct StepPrompt<'a> {
    pub(crate) name: &'a str,
    /// All lines outside of the lists.
    pub(crate) instructions: Vec<&'a str>,
    pub(crate) tools: Vec<Named<'a>>,
    pub(crate) next: Vec<Named<'a>>,
    pub(crate) knowledge: Vec<Named<'a>>,
}

impl<'a> StepPrompt<'a> {
    /// None if the text is no step prompt.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_start();
        let (heading, body) = text.split_once('\n').unwrap_or((text, ""));
        let name = heading.strip_prefix('#')?.trim_start_matches('#').trim().strip_prefix("Step")?;
        let name = name.trim_matches([':', ' ', '`', '*', '"']);
        if name.is_empty() {
            return None;
        }
        let mut step = Self { name, ..Self::default() };
        let mut section = String::new();
        for line in tail(body, LONGEST).lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line.starts_with('#') {
                section = line.trim_matches(['#', ' ']).to_lowercase();
            }
            let list = if section.starts_with("next step") {
                &mut step.next
            } else if section.starts_with("tools") {
                &mut step.tools
            } else if section.contains("knowledge") {
                &mut step.knowledge
            } else {
                step.instructions.push(line);
                continue;
            };
            if line.starts_with('#') {
                list.clear();
            }
            list.extend(bullet(line));
        }
        Some(step)
    }

    /// The condition that leads to a step; empty if there is none.
    pub(crate) fn condition(&self, name: &str) -> &'a str {
        self.next.iter().find(|next| next.name == name).map_or("", |next| next.text)
    }
}

/// `- name: text` or `- name`.
fn bullet(line: &str) -> Option<Named<'_>> {
    let item = line.strip_prefix("- ")?.trim();
    let (name, text) = item.split_once([':', ' ']).unwrap_or((item, ""));
    let (name, text) = (name.trim_matches(['`', '*', '"']), text.trim());
    // The engine's words for an edge without a label.
    let text = if text.trim_end_matches('.') == "when this step is done" { "" } else { text };
    (!name.is_empty()).then_some(Named { name, text })
}
