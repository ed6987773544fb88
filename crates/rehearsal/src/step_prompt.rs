//! Reads the step prompt: what the engine tells a model when a node of the graph is entered.
//!
//! Lenient on purpose. The sections may be missing, reordered or decorated; instructions are written by people and may
//! hold headings of their own, so a later section of the same name wins over an earlier one.

use super::conversation::tail;

/// Longer prompts keep their end: that is where the next steps stand.
const LONGEST: usize = 128 * 1024;

/// A named line with what is said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

/// A step prompt, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StepPrompt<'a> {
    pub(super) name: &'a str,
    /// Everything that is not one of the lists.
    pub(super) instructions: Vec<&'a str>,
    pub(super) tools: Vec<Named<'a>>,
    pub(super) next: Vec<Named<'a>>,
    /// Knowledge bases of the step.
    pub(super) knowledge: Vec<Named<'a>>,
}

enum Section {
    Instructions,
    Tools,
    Next,
    Knowledge,
}

impl<'a> StepPrompt<'a> {
    /// None if the text is no step prompt.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_start();
        if !text.starts_with('#') {
            return None;
        }
        let (heading, _) = text.split_once('\n').unwrap_or((text, ""));
        let name = heading.trim_start_matches('#').trim().strip_prefix("Step")?;
        let name = name.trim_start_matches([':', ' ']).trim().trim_matches(['`', '*', '"']);
        if name.is_empty() {
            return None;
        }
        let body = tail(&text[heading.len()..], LONGEST);
        let mut step = Self { name, ..Self::default() };
        let mut section = Section::Instructions;
        for line in body.lines() {
            let line = line.trim();
            if line.starts_with('#') {
                section = step.enter(line);
                continue;
            }
            match section {
                Section::Instructions if !line.is_empty() => step.instructions.push(line),
                Section::Instructions => {}
                Section::Tools => step.tools.extend(bullet(line)),
                Section::Next => step.next.extend(bullet(line)),
                Section::Knowledge => step.knowledge.extend(bullet(line)),
            }
        }
        Some(step)
    }

    fn enter(&mut self, heading: &'a str) -> Section {
        let title = heading.trim_matches('#').trim().to_lowercase();
        if title.starts_with("next step") || title.starts_with("next node") {
            self.next.clear();
            return Section::Next;
        }
        if title.starts_with("tools") {
            self.tools.clear();
            return Section::Tools;
        }
        if title.contains("knowledge") {
            self.knowledge.clear();
            return Section::Knowledge;
        }
        // A section unknown to us, even after a list, is something to read, not part of that list.
        if !title.starts_with("instructions") {
            self.instructions.push(heading);
        }
        Section::Instructions
    }

    /// The condition that leads to a step, empty if there is none.
    pub(super) fn condition(&self, name: &str) -> &'a str {
        self.next.iter().find(|next| next.name == name).map_or("", |next| next.text)
    }
}

/// `- name: text`, `* name – text` or `- name`.
fn bullet(line: &str) -> Option<Named<'_>> {
    let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "))?.trim();
    let (name, text) = match item.find([':', ' ']) {
        Some(at) => (&item[..at], item[at..].trim_start_matches([':', ' ', '-', '–', '—'])),
        None => (item, ""),
    };
    let name = name.trim_matches(['`', '*', '"']);
    // How the engine words an edge without a label.
    let text = if text.trim_end_matches('.') == "when this step is done" { "" } else { text };
    (!name.is_empty()).then_some(Named { name, text })
}
